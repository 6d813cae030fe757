"""Counts stand for the decisions they were made from: who reads them gets exactly what the decisions say."""

import datetime as dt
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from catalog.errors import DamagedError
from catalog.ladder import price_ladder
from catalog.load import CLASSIC, Catalog, load
from catalog.names import EXTERNAL
from catalog.settings import Settings, read_settings
from catalog.tables.contracts import TABLES
from etl.extract import interactions_of
from etl.load import products_of
from etl.transform import group_partitions, transform
from etl.twin.store_day import play
from features import cells
from features.cells import feature_workbench, grouping_connection, groups_of_rows, stale_cells
from features.visit_counts import COUNTED_VIEWS
from flows.workspace import bring_dimensions_up_to_date, prepared
from plugins.own_store import exports
from serving.book.make import known_before
from serving.learning.exploration import ExplorationPlan
from serving.optimise.policies import policy_without_model
from serving.store.storefront import Storefront
from warehouse.checks.proof import Unproven
from warehouse.lake import Lake, Partition
from warehouse.origin import COUNTS
from warehouse.query.connection import queries_beside, run_scripts
from warehouse.workspace import Workspace

FIRST = dt.date(2026, 1, 5)
DAYS = [FIRST + dt.timedelta(days=day) for day in range(3)]
SHELF = load(CLASSIC)
NOT_GROUPED = "not-grouped"
SPAN = {"first": DAYS[0], "last": DAYS[-1]}

OF_DECISIONS = {
    "own_sales": """
        select business_date, sku, tick, price_offered, count(*) as count_met,
            count(*) filter (where purchased) as count_bought
        from decisions_with_stock
        where not is_external(policy) and business_date between $first and $last
        group by business_date, sku, tick, price_offered
        order by business_date, sku, tick, price_offered
    """,
    "footfall": """
        select sku, tick, count(*) as count_visits
        from closed_interactions
        where business_date between $first and $last
        group by sku, tick
    """,
    "stores_by_day": """
        with visited as (
            select business_date, store_id from closed_interactions
            union all
            select business_date, store_id from unit_sales where $by_units
        )
        select business_date, count(distinct store_id) as count_stores
        from visited
        where business_date between $first and $last
        group by business_date
        order by business_date
    """,
    "exported_holdout": """
        with exported as (
            select count(*) as count_rows
            from closed_interactions
            where is_external(policy) and business_date > $trained_through and business_date <= $judged_through
            union all
            select count(*) as count_rows
            from unit_sales
            where business_date > $trained_through and business_date <= $judged_through
        )
        select sum(count_rows)::bigint as count_exported from exported
    """,
}
"""What each query says, as it is defined: by the decisions themselves."""

ASKED = {
    "own_sales": SPAN,
    "footfall": SPAN,
    "stores_by_day": {**SPAN, "by_units": True},
    "exported_holdout": {"trained_through": DAYS[0], "judged_through": DAYS[-1]},
}


BY_HOUR = """
    select business_date, store_id, hour_utc, sku, price_offered, is_external, sum(count_met), sum(count_bought)
    from visits_in_context
    group by all
"""
BY_HOUR_OF_DECISIONS = """
    select
        business_date, store_id, extract(hour from seen_at at time zone 'UTC'), sku, price_offered,
        policy = 'external', count(*), count(*) filter (where purchased)
    from decisions_with_stock
    group by all
"""


def by_decisions(name: str) -> str:
    return OF_DECISIONS.get(name) or query(name)


def answers(settings: Settings, of: Callable[[str], str], **span: dt.date) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of each query, in one order."""
    with feature_workbench(settings) as connection:
        return {name: sorted(connection.execute(of(name), asked | span).fetchall()) for name, asked in ASKED.items()}


def little_stock() -> Catalog:
    """Return the shelf with so little on it that it runs empty every day."""
    products = tuple(one.model_copy(update={"par_stock": 8}) for one in SHELF.products)
    return Catalog(products, SHELF.store.model_copy(update={"visits_per_day": 120.0, "stores": ("S01", "S02")}))


CATALOG = little_stock()
query = queries_beside(cells.__file__, exports.__file__)


def opened(home: Path) -> Workspace:
    return prepared(read_settings({"SHELFPRICE_HOME": str(home)}), CATALOG)


def fill(lake: Lake) -> None:
    """Sell three days in two stores: each store of a date in two partitions, one of them partly at others' prices."""
    policy = Storefront(policy_without_model(CATALOG), exploration=ExplorationPlan(0.5, price_ladder(CATALOG)))
    for number, date in enumerate(DAYS):
        rows = interactions_of(play(CATALOG, policy, CATALOG.store.stores, date, 7 + number), CATALOG).to_pylist()
        own, others = rows[::2], rows[1::2]
        for place, row in enumerate(others):
            if place % 3:
                row |= {"policy": EXTERNAL, "inventory_level": None if place % 5 == 0 else row["inventory_level"]}
        publish(lake, "interactions", date, "g000", own)
        publish(lake, "interactions", date, "g001", others)
    units = {"store_id": "S09", "sku": CATALOG.skus[0], "product_name": "x", "price": 1.5, "units": 2.0}
    units |= {"returned_units": 0.0, "chances": 25, "is_sudden_zero": False}
    publish(lake, "unit_sales", DAYS[1], "u000", [units, units | {"store_id": "S01"}])


def publish(lake: Lake, table: str, date: dt.date, group: str, rows: list[dict[str, Any]]) -> None:
    schema = (TABLES["interactions"] if table == "interactions" else TABLES["unit_sales"]).schema
    table_rows = pa.Table.from_pylist([{name: row.get(name) for name in schema.names} for row in rows], schema=schema)
    with lake.commit(f"test-{table}-{date}-{group}", inputs=str(len(rows)), seed=7) as commit:
        commit.publish(Partition(table, date, group), table_rows)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A lake whose decisions are all grouped and counted."""
    workspace = opened(tmp_path_factory.mktemp("counted"))
    fill(workspace.lake)
    shutil.copytree(workspace.settings.home, tmp_path_factory.getbasetemp() / NOT_GROUPED)
    transform(workspace)
    return workspace


@pytest.fixture
def twins(town: Workspace, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The same decisions in a lake of which nothing was grouped yet."""
    shutil.copytree(tmp_path_factory.getbasetemp() / NOT_GROUPED, tmp_path, dirs_exist_ok=True)
    return opened(tmp_path)


@pytest.fixture
def grouped(town: Workspace, tmp_path: Path) -> Workspace:
    """A copy of the town, for those who change it."""
    shutil.copytree(town.settings.home, tmp_path, dirs_exist_ok=True)
    settings = read_settings({"SHELFPRICE_HOME": str(tmp_path)})
    return Workspace(settings, CATALOG, Lake(settings))


def test_every_query_answers_by_counts_as_it_does_by_decisions(town: Workspace) -> None:
    by_counts = answers(town.settings, query)
    assert by_counts == answers(town.settings, by_decisions)
    assert all(by_counts.values())


def test_decisions_without_counts_are_counted_when_they_are_read(town: Workspace, twins: Workspace) -> None:
    assert answers(twins.settings, query) == answers(town.settings, query)
    transform(twins)
    twins.lake.remove(Partition("visit_counts", DAYS[0], "g000"))
    twins.lake.remove(Partition("store_visits", DAYS[2], "g001"))
    assert answers(twins.settings, query) == answers(town.settings, query)


def test_counts_of_decisions_that_were_replaced_do_not_count(grouped: Workspace) -> None:
    replaced = Partition("interactions", DAYS[1], "g000")
    publish(grouped.lake, "interactions", DAYS[1], "g000", grouped.lake.read(replaced).to_pylist()[:50])
    assert answers(grouped.settings, query) == answers(grouped.settings, by_decisions)
    with feature_workbench(grouped.settings) as connection:
        assert connection.execute("select count(*) from uncounted_interactions").fetchall() == [(50,)]
    assert transform(grouped).partitions == 1
    assert answers(grouped.settings, query) == answers(grouped.settings, by_decisions)


def test_days_outside_those_asked_for_are_not_opened(town: Workspace) -> None:
    with feature_workbench(town.settings, within={DAYS[2]}.__contains__) as connection:
        dates = connection.execute("select distinct business_date from visits").fetchall()
        assert dates == connection.execute("select distinct business_date from visits_of_stores").fetchall()
    assert dates == [(DAYS[2],)]


ROW = st.fixed_dictionaries(
    {
        "business_date": st.sampled_from(DAYS[:2]),
        "store_id": st.sampled_from(["S01", "S02"]),
        "sku": st.sampled_from(["MILK", "BREAD"]),
        "tick": st.integers(0, 2),
        "seen_at": st.sampled_from(
            [dt.datetime(2026, 1, 5, hour, 59, 59, 999_999, tzinfo=dt.UTC) for hour in (0, 8, 9)]
        ),
        "price_offered": st.sampled_from([1.0, 1.1]),
        "sticker_eur": st.sampled_from([None, 0.9]),
        "inventory_level": st.sampled_from([None, 0, 1]),
        "purchased": st.booleans(),
        "policy": st.sampled_from([EXTERNAL, "static"]),
        "group": st.sampled_from(["g000", "g001", "uncounted"]),
    }
)
COLUMNS = pa.schema(
    [
        *(
            TABLES["interactions"].schema.field(name)
            for name in ("store_id", "sku", "tick", "seen_at", "price_offered")
        ),
        TABLES["interactions"].schema.field("sticker_eur"),
        pa.field("inventory_level", pa.int32()),
        *(TABLES["interactions"].schema.field(name) for name in ("purchased", "policy")),
        pa.field("business_date", pa.date32()),
        pa.field("group", pa.string()),
    ]
)


@given(st.lists(ROW, max_size=30))
@hypothesis_settings(deadline=None, max_examples=25)
def test_whatever_was_decided_is_counted_without_loss(
    workbench: duckdb.DuckDBPyConnection, drawn: list[dict[str, Any]]
) -> None:
    show(workbench, pa.Table.from_pylist(drawn, schema=COLUMNS))
    for name, asked in ASKED.items():
        by_counts, by_rows = (workbench.execute(of(name), asked).fetchall() for of in (query, by_decisions))
        assert sorted(by_counts) == sorted(by_rows)
    by_counts, by_rows = (sorted(workbench.execute(of).fetchall()) for of in (BY_HOUR, BY_HOUR_OF_DECISIONS))
    assert by_counts == by_rows


@pytest.fixture(scope="module")
def workbench() -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a connection that groups; whatever is shown on it takes the place of what was."""
    with grouping_connection(products_of(CATALOG)) as connection:
        yield connection


def show(connection: duckdb.DuckDBPyConnection, rows: pa.Table) -> None:
    """Show rows as the decisions of a lake of which some partitions are counted."""
    connection.register("closed_interactions", rows)
    connection.register(
        "unit_sales", TABLES["unit_sales"].schema.append(pa.field("business_date", pa.date32())).empty_table()
    )
    connection.execute(
        "create or replace view decisions_with_stock as "
        "select * replace (coalesce(sticker_eur, price_offered) as price_offered) from with_stock(closed_interactions)"
    )
    counted = {name: [dated(TABLES[name].schema.empty_table(), DAYS[0])] for name in COUNTS}
    for date in DAYS[:2]:
        for group in ("g000", "g001"):
            own = rows.filter((pc.field("business_date") == date) & (pc.field("group") == group))
            groups = groups_of_rows(connection, own.drop_columns(["business_date", "group"]))
            for name in COUNTS:
                counted[name].append(dated(groups[name], date))
    for name, counts in counted.items():
        connection.register(f"current_{name}", pa.concat_tables(counts))
    connection.register("uncounted_interactions", rows.filter(pc.field("group") == "uncounted"))
    run_scripts(connection, [COUNTED_VIEWS])


def dated(rows: pa.Table, date: dt.date) -> pa.Table:
    return rows.append_column("business_date", pa.array([date] * rows.num_rows, pa.date32()))


def test_other_base_prices_leave_the_counts_as_they_are_and_bring_the_cells_back(grouped: Workspace) -> None:
    before = {part: grouped.lake.receipt(part) for name in COUNTS for part in grouped.lake.partitions(name)}
    milk, *others = CATALOG.products
    dearer = Catalog((milk.model_copy(update={"base_price": milk.base_price * 1.01}), *others), CATALOG.store)
    bring_dimensions_up_to_date(grouped.lake, dearer)
    stale = list(stale_cells(grouped.lake, dearer))
    assert len(stale) == len(before) // len(COUNTS) + 1
    group_partitions(Workspace(grouped.settings, dearer, grouped.lake), stale, Unproven(grouped.lake))
    assert list(stale_cells(grouped.lake, dearer)) == []
    assert {part: grouped.lake.receipt(part) for part in before} == before


@pytest.mark.parametrize("table", COUNTS)
def test_damaged_counts_are_named_and_set_aside_and_transform_makes_them_again(grouped: Workspace, table: str) -> None:
    path = grouped.lake.path(Partition(table, DAYS[1], "g000"))
    right = path.read_bytes()
    path.write_bytes(right[:40] + bytes([right[40] ^ 1]) + right[41:])
    with pytest.raises(DamagedError, match=rf"{table}/business_date={DAYS[1]}.*`shelfprice transform`"):
        known_before(grouped.lake, None, CATALOG, DAYS[-1] + dt.timedelta(days=1))
    assert not path.exists()
    assert transform(grouped).partitions == 1
    assert path.read_bytes() == right
