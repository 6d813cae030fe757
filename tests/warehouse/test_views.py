import threading
from collections.abc import Callable, Iterator

import duckdb
import pyarrow as pa
import pytest

from catalog.errors import LakeError
from catalog.names import EXTERNAL
from catalog.settings import Settings, read_settings
from catalog.tables.contracts import TABLES
from features.cells import ALL_VIEWS
from warehouse.lake import Lake, Partition
from warehouse.query.connection import build_file, read_only, workbench, workbench_with_marts

NEWEST_ONLY = ["demand_curves"]
SHOWN_BY = [
    *((name, f"{name}_history" if name in NEWEST_ONLY else name) for name in TABLES),
    *((name, name) for name in NEWEST_ONLY),
    ("interactions", "closed_interactions"),
    ("repricings", "closed_repricings"),
    ("interactions", "decisions_with_stock"),
]
DUCKDB_TYPE = {"double": "DOUBLE", "int16": "SMALLINT", "int32": "INTEGER", "int64": "BIGINT", "bool": "BOOLEAN"}


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the views and marts of an empty lake."""
    settings = read_settings({"SHELFPRICE_HOME": str(tmp_path_factory.mktemp("empty"))})
    Lake(settings).prepare()
    with workbench_with_marts(settings) as connection:
        yield connection


@pytest.mark.parametrize(("name", "view"), SHOWN_BY)
def test_every_view_of_an_empty_lake_has_its_columns_with_types_and_no_rows(
    views: duckdb.DuckDBPyConnection, name: str, view: str
) -> None:
    relation = views.view(view)
    found = dict(zip(relation.columns, map(str, relation.types), strict=True))
    rows = relation.fetchall()
    table = TABLES[name]
    expected = [column.name for column in table.columns] + (["business_date"] if table.by == "day" else [])
    assert list(found) == expected
    assert rows == []
    for column in table.columns:
        assert found[column.name] == DUCKDB_TYPE.get(str(column.type), found[column.name])
    assert found.get("business_date", "DATE") == "DATE"


MARTS = [
    "daily_sales",
    "budget_groups",
    "past_days",
    "champion_history",
    "daily_profit",
    "daily_waste",
    "price_book",
    *NEWEST_ONLY,
]


@pytest.mark.parametrize("mart", [*MARTS, "days_of_cover", "stock_by_expiry", "newest_rival_prices", "price_index"])
def test_every_mart_of_an_empty_lake_answers_with_no_rows(views: duckdb.DuckDBPyConnection, mart: str) -> None:
    assert views.view(mart).fetchall() == []


def test_daily_sales_and_budget_groups_count_each_visit_once(
    settings: Settings, fill_lake: Callable[[Settings], Lake]
) -> None:
    fill_lake(settings)
    with workbench_with_marts(settings) as connection:
        row = connection.execute(
            "select (select count(*) from interactions), (select sum(count_visits) from daily_sales), "
            "(select sum(count_visits) from budget_groups), "
            "(select sum(price_offered) filter (where purchased) from interactions), "
            "(select sum(revenue_eur) from daily_sales), (select sum(revenue_eur) from budget_groups)"
        ).fetchone()
    assert row is not None
    assert row[0] == row[1] == row[2] > 1_000
    assert row[3] == pytest.approx(row[4]) == pytest.approx(row[5])


def test_decisions_with_stock_leave_out_an_empty_shelf_alone_and_own_prices_are_not_external(
    settings: Settings, fill_lake: Callable[[Settings], Lake]
) -> None:
    lake = fill_lake(settings)
    partition = next(iter(lake.partitions("interactions")))
    rows = lake.read(partition).to_pylist()[:4]
    for row, level, policy in zip(rows, [None, 0, 1, 2], [EXTERNAL, "static", "static", "rule"], strict=True):
        row["inventory_level"], row["policy"] = level, policy
    lake.publish(partition, pa.Table.from_pylist(rows, schema=TABLES["interactions"].schema), inputs="few", seed=7)
    with workbench(settings) as connection:
        levels = connection.execute("select inventory_level from decisions_with_stock order by seen_at").fetchall()
        external = connection.execute("select policy from closed_interactions where is_external(policy)").fetchall()
    assert levels == [(row["inventory_level"],) for row in rows if row["inventory_level"] != 0]
    assert external == [(EXTERNAL,)]


def test_without_a_warehouse_the_reader_is_told_how_to_make_one(settings: Settings) -> None:
    with pytest.raises(LakeError, match="shelfprice demo"):
        read_only(settings)


def test_the_file_of_views_is_built_once_and_again_when_the_shelf_changes(
    settings: Settings, fill_lake: Callable[[Settings], Lake]
) -> None:
    lake = fill_lake(settings)
    assert build_file(settings, ALL_VIEWS)
    built = settings.warehouse_file.stat().st_mtime_ns
    assert not build_file(settings, ALL_VIEWS)
    assert settings.warehouse_file.stat().st_mtime_ns == built
    shelf = Partition("products", None, "all")
    lake.publish(shelf, lake.read(shelf).slice(0, 4), inputs="smaller")
    assert build_file(settings, ALL_VIEWS)
    assert build_file(settings, ALL_VIEWS[:1])
    assert not list(settings.home.glob("*.new"))


def test_a_damaged_file_of_views_is_built_anew(settings: Settings, fill_lake: Callable[[Settings], Lake]) -> None:
    fill_lake(settings)
    settings.warehouse_file.write_bytes(b"not a database")
    assert build_file(settings, ALL_VIEWS)
    with read_only(settings) as connection:
        assert connection.execute("select count(*) from products").fetchone() == (5,)


def test_a_reader_never_meets_an_error_while_partitions_are_published(
    lake: Lake, settings: Settings, partition: Partition, cells: Callable[..., pa.Table]
) -> None:
    lake.prepare()
    lake.publish(partition, cells(), inputs="0")
    build_file(settings, ALL_VIEWS[:2])
    done = threading.Event()
    actions: list[str] = []

    def write() -> None:
        while not done.is_set():
            new = Partition("demand_cells", partition.business_date, f"new-{len(actions)}")
            actions.append(lake.publish(new, cells(), inputs="1").action)

    writer = threading.Thread(target=write)
    writer.start()
    counts = []
    try:
        for _ in range(25):
            with read_only(settings) as connection:
                row = connection.execute("select count(*) from demand_cells").fetchone()
            assert row is not None
            counts.append(row[0])
    finally:
        done.set()
        writer.join()
    assert set(actions) == {"written"}
    assert counts == sorted(counts)
    assert {count % 50 for count in counts} == {0}
    assert counts[-1] > counts[0]
