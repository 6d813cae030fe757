"""Units and receipts on their way into the lake: every line on one side, returns netted, days without a sale told."""

import datetime as dt
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from catalog.errors import DataError
from catalog.load import Catalog, load
from catalog.settings import Settings, read_settings
from etl.transform import transform
from features.cells import feature_workbench
from features.footfall import counted_visits
from plugins.operations.checks.proving import verify
from plugins.own_store.history.admission import FileAdmission
from plugins.own_store.history.columns import Reading
from plugins.own_store.history.day_units import SalesSoFar
from plugins.own_store.history.ingest import Ingested, ingest
from plugins.own_store.history.read import open_export
from plugins.own_store.history.sales import AdmittingSales
from plugins.own_store.history.stage import stage_export
from warehouse.lake import Lake
from warehouse.workspace import Workspace

NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
FIRST = dt.date(2026, 1, 5)
UNITS = "date,store,sku,price,qty"
RECEIPTS = "datetime,store,receipt_id,sku,price,qty"
Take = Callable[..., Ingested]


def on(day: int) -> str:
    return str(FIRST + dt.timedelta(days=day))


@pytest.fixture
def take(settings: Settings, tmp_path: Path) -> Take:
    """Ingest rows below a header."""

    def ingested(header: str, rows: list[str], reading: Reading | None = None, name: str = "sales.csv") -> Ingested:
        file = tmp_path / name
        file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        return ingest(settings, file, reading or Reading(), None, NOW)

    return ingested


def sold(settings: Settings, *names: str) -> list[Any]:
    """Return some columns of `unit_sales`, in order of date."""
    lake = Lake(settings)
    rows = [
        {"date": str(own.business_date), **row}
        for own in lake.partitions("unit_sales")
        for row in lake.read(own).to_pylist()
    ]
    return [tuple(row[name] for name in names) for row in rows]


def test_units_of_days_are_kept_as_they_are_with_their_chances(take: Take, settings: Settings) -> None:
    found = take(UNITS, [f"{on(0)},S01,A,2.00,30", f"{on(1)},S01,A,2.50,12.5"])
    assert (found.row["grain"], found.row["valid"]) == ("units", 2)
    assert sold(settings, "date", "hour", "price", "units", "chances") == [
        (on(0), None, 2.0, 30.0, 120),
        (on(1), None, 2.5, 12.5, 120),
    ]
    product = load(found.shelf).product("A")
    assert (product.most_units_per_day, product.base_price) == (120, 2.0)
    assert verify(Lake(settings)).findings == ()


def test_a_day_is_the_date_that_is_written_and_an_hour_is_brought_to_utc(take: Take, settings: Settings) -> None:
    take(UNITS, [f"{on(day)},S01,A,2.00,3" for day in range(3)], Reading(time_zone="Europe/Berlin"))
    assert [date for (date,) in sold(settings, "date")] == [on(0), on(1), on(2)]


def test_hours_are_kept_in_utc_and_share_the_chances_of_a_day(take: Take, settings: Settings) -> None:
    rows = [f"{on(0)},{hour},S01,A,2.00,{hour}" for hour in range(9, 13)]
    take("date,hour,store,sku,price,qty", rows, Reading(time_zone="Europe/Berlin"))
    found = sold(settings, "hour", "units", "chances")
    assert [(hour, units) for hour, units, _ in found] == [(8, 9.0), (9, 10.0), (10, 11.0), (11, 12.0)]
    assert sum(chances for *_, chances in found) == pytest.approx(4 * (9 + 10 + 11 + 12), abs=2)


def test_traffic_is_the_chances_where_it_is_known(take: Take, settings: Settings) -> None:
    take(f"{UNITS},traffic", [f"{on(0)},S01,A,2.00,3,450", f"{on(1)},S01,A,2.00,3,"])
    assert [chances for (chances,) in sold(settings, "chances")] == [450, 20]


def test_a_price_follows_from_revenue_and_the_last_one_stands_where_nothing_was_sold(
    take: Take, settings: Settings
) -> None:
    take("date,store,sku,revenue,qty", [f"{on(0)},S01,A,5.97,3", f"{on(1)},S01,A,0,0", f"{on(2)},S01,B,0,0"])
    assert sold(settings, "price", "units") == [(1.99, 3.0), (1.99, 0.0)]


def test_returns_are_taken_off_the_units_of_their_day_and_counted(take: Take, settings: Settings) -> None:
    lines = [("1", "A", 2.00, 5), ("2", "A", 2.00, 3), ("3", "A", 2.00, -2), ("4", "A", 1.00, -1), ("5", "B", 4.00, -2)]
    rows = [f"{on(0)} 10:00:0{n},S01,{n},{sku},{price},{units}" for n, sku, price, units in lines]
    found = take(RECEIPTS, [*rows, f"{on(0)} 10:00:09,S01,9,C,1.00,1"], Reading(grain="receipts"))
    assert sold(settings, "sku", "price", "units", "returned_units", "receipts") == [
        ("A", 1.0, 0.0, 1.0, 1),
        ("A", 2.0, 5.0, 2.0, 3),
        ("B", 4.0, 0.0, 2.0, 1),
        ("C", 1.0, 1.0, 0.0, 1),
    ]
    assert found.row["summary"]["counts"]["returned_units"] == 5


def test_a_day_without_a_sale_is_added_between_the_first_and_the_last_where_the_store_was_open(
    take: Take, settings: Settings
) -> None:
    days = {"A": [0, 3], "B": [0, 1, 3, 4]}
    rows = [f"{on(day)} 10:00:00,S01,{day}{sku},{sku},{1 + day}.00,2" for sku, own in days.items() for day in own]
    rows.append(f"{on(2)} 10:00:00,S02,9,A,9.00,2")
    found = take(RECEIPTS, rows, Reading(grain="receipts"))
    own = sold(settings, "store_id", "sku", "date", "price", "units")
    of_a = [row[2:] for row in own if row[:2] == ("S01", "A")]
    assert of_a == [(on(0), 1.0, 2.0), (on(1), 1.0, 0.0), (on(1), 4.0, 0.0), (on(3), 4.0, 2.0)], (
        "at the price before or the one after; closed on day 2, over after day 3"
    )
    assert found.row["summary"]["counts"]["zero_days"] == 1
    assert found.row["valid"] == len(rows)


def test_lines_are_rejected_with_their_reasons_and_nothing_is_lost(take: Take, settings: Settings) -> None:
    rows = [
        f"{on(0)},S01,A,2.00,30",
        f"{on(0)},S01,A,2.00,30",
        f"{on(0)},S01,A,2.00,31",
        f"{on(1)},S01,A,-1,3",
        f"{on(1)},S01,A,2.00,many",
        f"{on(300)},S01,A,2.00,3",
        f"{on(1)},S01,,2.00,3",
        f"{on(2)},S01,A,2.00,1e9",
    ]
    found = take(UNITS, rows, Reading(grain="units"))
    assert (found.row["rows"], found.row["valid"]) == (8, 1)
    assert found.row["reasons"] == {
        "it repeats an earlier row": [1, 3],
        "an earlier row says other units for its store, product, time and price": [1, 4],
        "the price is not a positive finite number": [1, 5],
        "units cannot be read as a number with a decimal point": [1, 6],
        "the time is in the future": [1, 7],
        "a required value is missing": [1, 8],
        "the units are not a number below a million": [1, 9],
    }


def test_a_receipt_that_comes_again_repeats_and_equal_lines_that_stand_together_are_purchases(
    take: Take, settings: Settings
) -> None:
    line = f"{on(0)} 10:00:00,S01,7,A,2.00,1"
    other = line.replace(",7,", ",8,")
    found = take(RECEIPTS, [line, line, other, line, line], Reading(grain="receipts"))
    assert found.row["reasons"] == {"it repeats an earlier row": [2, 5]}
    assert sold(settings, "units", "receipts") == [(3.0, 2)]
    found = take(RECEIPTS.replace("receipt_id", "till"), [line, line], Reading(grain="receipts"))
    assert (found.row["valid"], found.row["reasons"]) == (2, {})


def test_a_sudden_zero_is_flagged_until_it_sells_again_and_a_rare_product_is_not(
    take: Take, settings: Settings
) -> None:
    units = {"A": [15] * 28 + [0] * 4 + [15], "B": [5] * 28 + [0] * 4 + [5]}
    rows = [f"{on(day)},S01,{sku},2.00,{n}" for sku, own in units.items() for day, n in enumerate(own)]
    found = take(UNITS, rows)
    flagged = [(sku, date) for sku, date, is_sudden in sold(settings, "sku", "date", "is_sudden_zero") if is_sudden]
    assert flagged == [("A", on(28 + day)) for day in range(4)]
    assert found.row["summary"]["counts"]["sudden_zeros"] == 4


def test_a_zero_with_known_stock_is_no_sudden_one(take: Take, settings: Settings) -> None:
    rows = [f"{on(day)},S01,A,2.00,{15 if day < 28 else 0},{19 if day < 29 else 0}" for day in range(30)]
    take(f"{UNITS},stock", rows)
    assert not any(is_sudden for (is_sudden,) in sold(settings, "is_sudden_zero"))


def test_a_later_file_knows_the_four_weeks_before_it(take: Take, settings: Settings) -> None:
    take(UNITS, [f"{on(day)},S01,A,2.00,15" for day in range(28)])
    take(UNITS, [f"{on(28)},S01,A,2.00,0", f"{on(29)},S01,A,2.00,4"], name="later.csv")
    assert [is_sudden for (is_sudden,) in sold(settings, "is_sudden_zero")][-2:] == [True, False]


def test_four_weeks_are_forgotten_when_nothing_was_seen_for_long() -> None:
    so_far, pair = SalesSoFar(1), np.array([0])
    for day in range(28):
        so_far.begin(day)
        so_far.remember(day, pair, np.array([15.0]), np.array([2.0]), np.array([False]))
    so_far.begin(28)
    assert so_far.sudden_zeros(pair, np.array([0.0])).tolist() == [True]
    so_far.begin(60)
    assert so_far.sudden_zeros(pair, np.array([0.0])).tolist() == [False]


def test_what_stood_beside_a_price_is_kept(take: Take, settings: Settings) -> None:
    header = f"{UNITS},promo,display,flyer,holiday,regular_price"
    rows = [
        f"{on(0)},S01,A,2.00,3,20% off,0,no,,2.50",
        f"{on(1)},S01,A,2.50,3,none,1,,Easter,2.50",
        f"{on(2)},S01,A,2.50,3,,,,none,",
    ]
    found = take(header, rows)
    lake = Lake(settings)
    kept = [tuple(lake.read(own).to_pylist()[0].values())[2:7] for own in lake.partitions("promotions")]
    assert kept == [
        (True, False, False, "", 2.5),
        (False, True, None, "Easter", 2.5),
        (None, None, None, "", None),
    ]
    assert found.row["summary"]["counts"]["promoted"] == 2
    assert load(found.shelf).product("A").base_price == 2.5


def test_units_become_cells_and_footfall(take: Take, settings: Settings) -> None:
    rows = [f"{on(day)},S0{store},A,{2 + day % 2}.00,{4 + day}" for day in range(4) for store in (1, 2)]
    catalog = load(take(UNITS, rows).shelf)
    lake = Lake(settings)
    done = transform(Workspace(settings, catalog, lake))
    assert (done.partitions, done.decisions) == (4, 8)
    cells = [row for own in lake.partitions("demand_cells") for row in lake.read(own).to_pylist()]
    assert [(row["price_offered"], row["n_offered"], row["n_purchased"]) for row in cells] == [
        (2.0 + day % 2, 2 * 28, 2 * (4 + day)) for day in range(4)
    ]
    with feature_workbench(settings) as connection:
        counted = counted_visits(connection, catalog, FIRST + dt.timedelta(days=3))
    assert counted.by_tick.sum() / counted.store_days == pytest.approx(28)
    assert counted.by_day.tolist() == [[2 * 28.0] * 4]


def test_an_empty_shelf_and_a_sudden_zero_make_no_cells(take: Take, settings: Settings) -> None:
    rows = [f"{on(0)},S01,A,2.00,3,7", f"{on(1)},S01,A,2.00,0,0"]
    catalog = load(take(f"{UNITS},stock", rows).shelf)
    transform(Workspace(settings, catalog, Lake(settings)))
    cells = [Lake(settings).read(own).num_rows for own in Lake(settings).partitions("demand_cells")]
    assert cells == [1, 0]


def test_a_file_of_which_no_line_can_be_used_leaves_nothing_behind(take: Take, settings: Settings) -> None:
    take(UNITS, [f"{on(0)},S01,A,2.00,30"])
    before = sorted((settings.lake).rglob("*"))
    with pytest.raises(DataError, match="none of its 1 rows is a sale that can be used; 1 because the product"):
        take(UNITS, [f"{on(1)},S01,WINE,2.00,30"], name="other.csv")
    assert sorted((settings.lake).rglob("*")) == before


SPOILED: dict[str, Callable[[str], str]] = {
    "date": lambda text: text.replace("2026-", "what-"),
    "price": lambda text: text.replace("2.00", "0"),
    "units": lambda text: f"{text}0000000",
    "fields": lambda text: text + ",1",
    "product": lambda text: text.replace(",A,", ",,"),
    "none": lambda text: text,
}


LINES = st.lists(
    st.tuples(st.integers(0, 6), st.integers(-3, 5), st.sampled_from(sorted(SPOILED))), min_size=1, max_size=12
)
Line = tuple[int, int, str]


def till_file(folder: Path, rows: list[Line]) -> Path:
    """Write lines of a till, some of them spoiled, and one that is good."""
    texts = [
        SPOILED[how](f"{on(day)} 10:00:{n:02d},S01,{n},A,2.00,{units}") for n, (day, units, how) in enumerate(rows)
    ]
    file = folder / "till.csv"
    file.write_text("\n".join([RECEIPTS, *texts, f"{on(3)} 11:00:00,S01,99,A,2.00,2"]) + "\n", encoding="utf-8")
    return file


def good_units(rows: list[Line]) -> dict[str, float]:
    """Return the units of the good lines by date, where any are left."""
    by_day: dict[str, float] = {on(3): 2.0}
    for day, units, how in rows:
        if how == "none":
            by_day[on(day)] = by_day.get(on(day), 0) + units
    return {date: units for date, units in by_day.items() if units > 0}


def kept_units(days: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Return units by date, where any were kept."""
    kept: dict[str, float] = {}
    for date, units in days:
        kept[date] = kept.get(date, 0) + units
    return {date: units for date, units in kept.items() if units}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """Return the shelf that is estimated from the one good line."""
    home = tmp_path_factory.mktemp("shelf")
    settings = read_settings({"SHELFPRICE_HOME": str(home)})
    return load(ingest(settings, till_file(home, []), Reading(grain="receipts"), None, NOW).shelf)


@examples(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=LINES)
def test_lines_in_are_always_lines_used_plus_lines_rejected(
    settings: Settings, tmp_path: Path, shelf: Catalog, rows: list[Line]
) -> None:
    export = open_export(till_file(tmp_path, rows), Reading(grain="receipts"))
    with stage_export(export, settings.scratch, lambda _share: None) as staged:
        given = FileAdmission(Lake(settings), shelf, staged, "till.csv", "export-till", "inputs", NOW)
        admitting = AdmittingSales(given)
        checked = [admitting.check(date) for date in given.dates()]
    rejected = sum(day.tables["rejected"].num_rows for day in checked)
    assert sum(day.valid for day in checked) + rejected == len(rows) + 1
    units = ((str(day.business_date), n) for day in checked for n in day.tables["unit_sales"]["units"].to_pylist())
    assert kept_units(units) == good_units(rows)
