"""Stock that lives over days: what must hold of its movements, and what the marts make of them."""

import datetime as dt
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from catalog.settings import Settings, read_settings
from catalog.tables.contracts import TABLES
from features.cells import feature_workbench, groups_of, publish_groups, stale_cells
from plugins.evaluation.bench.cookbook import fresh_catalog, play_fresh_weeks
from warehouse.checks.assertions import broken_assertions
from warehouse.lake import Lake, Partition
from warehouse.query.connection import read_only, workbench_with_marts

DAYS = [dt.date(2026, 1, 5) + dt.timedelta(days=number) for number in range(9)]
DAY, DAY_AFTER = DAYS[3], DAYS[4]
MADE = ("repricings", "stock_movements", "interactions")
ACCOUNTED = "every_unit_of_stock_is_accounted_for"
SOLD = "units_sold_from_stock_are_the_purchases"
KEPT = "nothing_is_kept_beyond_its_last_day"
CARRIED = "what_is_carried_was_kept_the_day_before"

Row = dict[str, Any]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Nine days of three stores whose stock lives over days, with their cells; nobody changes them."""
    settings = read_settings({"SHELFPRICE_HOME": str(tmp_path_factory.mktemp("fresh"))})
    lake = play_fresh_weeks(settings, len(DAYS))
    with feature_workbench(settings) as connection:
        for stale in list(stale_cells(lake, fresh_catalog())):
            publish_groups(lake, stale, groups_of(connection, lake, stale.decisions))
    return settings


@pytest.fixture
def own(played: Settings, settings: Settings) -> Settings:
    """A copy of these days that a test may change."""
    shutil.copytree(played.home, settings.home, dirs_exist_ok=True)
    return settings


@pytest.fixture(scope="module")
def marts(played: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    with read_only(played) as connection:
        yield connection


def moved_on(date: dt.date) -> Partition:
    return Partition("stock_movements", date, "g000")


def change(settings: Settings, date: dt.date, which: Callable[[Row], bool], **by: int) -> None:
    """Add to some columns of the first row that is asked for."""
    lake = Lake(settings)
    rows = lake.read(moved_on(date)).to_pylist()
    planted(rows, which, by)
    lake.publish(
        moved_on(date), pa.Table.from_pylist(rows, schema=TABLES["stock_movements"].schema), inputs="spoiled", seed=7
    )


def planted(rows: list[Row], which: Callable[[Row], bool], by: dict[str, int]) -> None:
    row = next(row for row in rows if which(row))
    for column, added in by.items():
        row[column] += added


def of_new_units(row: Row) -> bool:
    return bool(row["units_delivered"] > 1)


def of_one_spoiled(row: Row) -> bool:
    return bool(row["units_spoiled"] > 0)


PLANTED: dict[str, tuple[Callable[[Row], bool], dict[str, int]]] = {
    ACCOUNTED: (of_one_spoiled, {"units_spoiled": -1}),
    SOLD: (of_new_units, {"units_sold": 1, "units_delivered": 1}),
    KEPT: (of_one_spoiled, {"units_spoiled": -1, "units_kept": 1}),
    CARRIED: (of_new_units, {"units_carried": 1, "units_delivered": -1}),
}


def found_on(settings: Settings, *dates: dt.date) -> list[tuple[str, dt.date | None, int]]:
    return [(one.assertion, one.business_date, one.rows) for one in broken_assertions(settings, dates)]


def test_every_assertion_holds_for_days_whose_stock_lives_on(played: Settings) -> None:
    assert found_on(played, *DAYS) == []
    assert found_on(played, DAY) == []


@pytest.mark.parametrize("assertion", PLANTED)
def test_a_planted_bad_row_of_stock_breaks_its_assertion_alone(own: Settings, assertion: str) -> None:
    which, by = PLANTED[assertion]
    change(own, DAY, which, **by)
    assert found_on(own, DAY) == [(assertion, DAY, 1)]
    assert found_on(own, DAYS[2]) == []


@pytest.mark.parametrize("by", [{"units_on_order": -1000}, {"units_spoiled": 1}, {"units_adjusted": 1}])
def test_units_that_are_too_few_or_too_many_are_not_accounted_for(own: Settings, by: dict[str, int]) -> None:
    change(own, DAY, of_one_spoiled, **by)
    assert found_on(own, DAY) == [(ACCOUNTED, DAY, 1)]


def test_a_unit_that_was_lost_overnight_is_found_though_the_day_after_is_asked_for_alone(own: Settings) -> None:
    change(own, DAY, lambda row: row["units_kept"] > 0, units_kept=-1, units_adjusted=-1)
    assert found_on(own, DAY) == []
    assert found_on(own, DAY_AFTER) == [(CARRIED, DAY_AFTER, 1)]
    assert found_on(own, DAY, DAY_AFTER) == [(CARRIED, DAY_AFTER, 1)]


@pytest.mark.parametrize("lost", [".parquet", "bytes"])
def test_what_was_carried_is_not_held_against_a_day_before_that_is_gone_or_damaged(own: Settings, lost: str) -> None:
    change(own, DAY, lambda row: row["units_kept"] > 0, units_kept=-1, units_adjusted=-1)
    place = Lake(own).path(moved_on(DAY))
    if lost == "bytes":
        place.write_bytes(place.read_bytes()[:-9] + b"123456789")
    else:
        place.unlink()
    assert found_on(own, DAY_AFTER) == []


def test_a_product_that_has_left_the_shelf_and_a_store_that_was_not_told_of_carry_nothing(own: Settings) -> None:
    lake = Lake(own)
    before = lake.read(moved_on(DAY)).to_pylist()
    today = lake.read(moved_on(DAY_AFTER)).to_pylist()
    told = [row for row in before if row["store_id"] != "S02"]
    shown = [row for row in today if row["sku"] != "MEAT"]
    for date, rows in ((DAY, told), (DAY_AFTER, shown)):
        lake.publish(
            moved_on(date), pa.Table.from_pylist(rows, schema=TABLES["stock_movements"].schema), inputs="few", seed=7
        )
    assert any(row["units_kept"] for row in told if row["sku"] == "MEAT")
    assert any(row["units_carried"] for row in shown if row["store_id"] == "S02")
    assert found_on(own, DAY_AFTER) == []


def test_sales_are_not_held_against_decisions_that_were_set_aside(own: Settings) -> None:
    lake = Lake(own)
    for table in ("interactions", "demand_cells"):
        lake.path(Partition(table, DAY, "g000")).unlink()
    assert SOLD not in {name for name, *_ in found_on(own, DAY)}


def frame_of(settings: Settings, table: str) -> pd.DataFrame:
    """Read all days of a table without the warehouse."""
    lake = Lake(settings)
    days = [lake.read(part).to_pandas().assign(business_date=part.business_date) for part in lake.partitions(table)]
    names = {"store_id": str, "sku": str}
    return pd.concat([day.astype(names) for day in days], ignore_index=True)


def asked(connection: duckdb.DuckDBPyConnection, mart: str) -> pd.DataFrame:
    rows = connection.sql(f"from {mart} order by all").df()
    return rows.assign(business_date=rows["business_date"].dt.date)


def test_daily_waste_says_what_became_of_the_units(played: Settings, marts: duckdb.DuckDBPyConnection) -> None:
    keys, units = ["business_date", "store_id", "sku"], ["delivered", "sold", "spoiled", "kept"]
    columns = [*(f"units_{name}" for name in units), "waste_eur", "holding_eur"]
    expected = frame_of(played, "stock_movements").groupby(keys)[columns].sum().reset_index()
    found = asked(marts, "daily_waste")
    pd.testing.assert_frame_equal(found[keys + columns], expected)
    wasted = found["units_spoiled"] / (found["units_spoiled"] + found["units_sold"])
    pd.testing.assert_series_equal(found["share_wasted"], wasted, check_names=False)
    assert found["units_spoiled"].sum() > 100


def test_daily_profit_counts_each_product_also_where_nothing_is_wasted(
    played: Settings, marts: duckdb.DuckDBPyConnection
) -> None:
    keys, found = ["business_date", "store_id", "sku"], asked(marts, "daily_profit")
    visits, moved = frame_of(played, "interactions"), frame_of(played, "stock_movements")
    own = found.set_index(keys)
    sold = visits[visits["purchased"]].groupby(keys)["price_offered"].agg(["size", "sum"])
    units, revenue = (sold[name].reindex(own.index, fill_value=0) for name in ("size", "sum"))
    spent = moved.groupby(keys)[["waste_eur", "holding_eur"]].sum().reindex(own.index, fill_value=0)
    costs = {product.sku: product.unit_cost for product in fresh_catalog().products}
    cost = units * [costs[sku] for *_, sku in own.index]
    expected = pd.DataFrame({"count_units": units, "revenue_eur": revenue, "cost_eur": cost}).assign(
        margin_eur=revenue - cost, waste_eur=spent["waste_eur"], holding_eur=spent["holding_eur"]
    )
    expected["profit_eur"] = revenue - cost - spent.sum(axis=1)
    assert len(own) == len(DAYS) * 3 * 5
    pd.testing.assert_frame_equal(own, expected)
    assert own["waste_eur"].sum() > 0
    assert own.xs("EGGS", level="sku")[["waste_eur", "holding_eur"]].to_numpy().max() == 0


def test_units_that_nobody_looked_at_and_their_waste_are_in_the_profit(own: Settings) -> None:
    lake, visits = Lake(own), Partition("interactions", DAY, "g000")
    rows = lake.read(visits)
    kept = [row for row in rows.to_pylist() if (row["store_id"], row["sku"]) != ("S01", "MEAT")]
    lake.publish(visits, pa.Table.from_pylist(kept, schema=rows.schema), inputs="few", seed=7)
    with workbench_with_marts(own) as connection:
        found = connection.execute(
            "select count_units, revenue_eur, cost_eur, waste_eur > 0, profit_eur + waste_eur + holding_eur "
            "from daily_profit where business_date = ? and store_id = 'S01' and sku = 'MEAT'",
            [DAY],
        ).fetchall()
    assert [(*row[:4], round(row[4], 9)) for row in found] == [(0, 0.0, 0.0, True, 0.0)]


def test_a_unit_costs_what_it_cost_that_day(own: Settings) -> None:
    shelf = Partition("products", None, "all")
    lake = Lake(own)
    rows = [row | {"unit_cost": 0.01} for row in lake.read(shelf).to_pylist()]
    lake.publish(shelf, pa.Table.from_pylist(rows, schema=lake.read(shelf).schema), inputs="cheaper")
    with workbench_with_marts(own) as connection:
        found = connection.execute(
            "select sku, sum(cost_eur) / sum(count_units) from daily_profit group by sku"
        ).fetchall()
    expected = {product.sku: product.unit_cost for product in fresh_catalog().products} | {"EGGS": 0.01}
    assert dict(found) == pytest.approx(expected)


def test_days_of_cover_are_units_kept_over_the_sales_of_the_last_seven_dates(
    played: Settings, marts: duckdb.DuckDBPyConnection
) -> None:
    moved, found = frame_of(played, "stock_movements"), asked(marts, "days_of_cover")
    week = moved[moved["business_date"] > DAYS[-1] - dt.timedelta(days=7)]
    sold = week.groupby(["store_id", "sku"])["units_sold"].sum() / 7
    kept = moved[moved["business_date"] == DAYS[-1]].groupby(["store_id", "sku"])["units_kept"].sum()
    own = found.set_index(["store_id", "sku"])
    assert set(found["business_date"]) == {DAYS[-1]}
    assert len(own) == len(kept) == 3 * 4
    pd.testing.assert_series_equal(own["units_sold_a_day"], sold, check_names=False)
    pd.testing.assert_series_equal(own["units_kept"], kept, check_names=False)
    pd.testing.assert_series_equal(own["days_of_cover"], kept / sold, check_names=False)
    assert kept.sum() > 0


def test_a_store_that_has_not_closed_the_newest_date_is_told_of_as_of_its_own_and_cover_without_sales_is_null(
    own: Settings,
) -> None:
    lake, newest = Lake(own), moved_on(DAYS[-1])
    rows = [row for row in lake.read(newest).to_pylist() if row["store_id"] != "S03"]
    lake.publish(newest, pa.Table.from_pylist(rows, schema=TABLES["stock_movements"].schema), inputs="few", seed=7)
    for date in DAYS:
        rows = lake.read(moved_on(date)).to_pylist()
        for row in rows:
            row["units_sold"] *= (row["store_id"], row["sku"]) != ("S01", "MEAT")
        lake.publish(
            moved_on(date), pa.Table.from_pylist(rows, schema=TABLES["stock_movements"].schema), inputs="no", seed=7
        )
    with workbench_with_marts(own) as connection:
        cover = connection.execute("select distinct store_id, business_date from days_of_cover order by all").fetchall()
        expiry = connection.execute(
            "select distinct store_id, business_date from stock_by_expiry order by all"
        ).fetchall()
        nulls = connection.execute("select store_id, sku from days_of_cover where days_of_cover is null").fetchall()
    assert cover == expiry == [("S01", DAYS[-1]), ("S02", DAYS[-1]), ("S03", DAYS[-2])]
    assert nulls == [("S01", "MEAT")]


def test_stock_by_expiry_holds_each_unit_of_the_newest_closing(
    played: Settings, marts: duckdb.DuckDBPyConnection
) -> None:
    rows_of_day = Lake(played).read(moved_on(DAYS[-1])).to_pylist()
    expected = {
        (row["store_id"], row["sku"], row["expires_on"]): row["units_kept"] for row in rows_of_day if row["units_kept"]
    }
    rows = marts.execute("select store_id, sku, expires_on, units_kept, days_left from stock_by_expiry").fetchall()
    assert {row[:3]: row[3] for row in rows} == expected
    assert len(rows) == len(expected) > 3
    assert all(row[4] == (None if row[2] is None else (row[2] - DAYS[-1]).days) for row in rows)
    assert {row[1] for row in rows if row[4] is None} == {"CHEESE"}


GRAINS = {
    "daily_waste": ("business_date", "store_id", "sku"),
    "daily_profit": ("business_date", "store_id", "sku"),
    "days_of_cover": ("store_id", "sku"),
    "stock_by_expiry": ("store_id", "sku", "expires_on"),
}


@pytest.mark.parametrize("mart", GRAINS)
def test_the_grain_of_a_mart_of_stock_is_unique(marts: duckdb.DuckDBPyConnection, mart: str) -> None:
    rows = marts.view(mart).select(*GRAINS[mart]).fetchall()
    assert len(rows) == len(set(rows)) > 0


def test_each_assertion_about_stock_is_put_to_the_test_here() -> None:
    folder = Path(__file__).parents[2] / "warehouse" / "checks" / "facts"
    about_stock = {path.stem for path in folder.glob("*.sql") if "stock_movements" in path.read_text(encoding="utf-8")}
    assert about_stock == set(PLANTED)
