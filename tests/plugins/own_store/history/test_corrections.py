"""A later file against the lake: a repeat is told from a change, days are replaced whole, and strangers are refused."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import DataError, Declined
from catalog.load import CLASSIC, DEFAULT_DIR, load
from catalog.settings import Settings
from plugins.own_store.history.columns import Reading
from plugins.own_store.history.corrections import CorrectionRequest, dates_of
from plugins.own_store.history.ingest import Ingested, ingest
from plugins.own_store.history.shelf import is_untouched
from warehouse.checks.assertions import broken_assertions
from warehouse.lake import Lake

pytestmark = pytest.mark.play

NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
FIRST = dt.date(2026, 1, 5)
UNITS = "date,store,sku,price,qty"
VISITS = "time,store,customer,sku,price,bought"
REPEATS = "it repeats sales that are in the lake already"
CHANGES = "it changes a row that is in the lake; replace the day with --replace DATE"
Take = Callable[..., Ingested]


def on(day: int) -> str:
    return str(FIRST + dt.timedelta(days=day))


def units(*days: int, store: str = "S01", units: int = 5, price: str = "2.00") -> list[str]:
    return [f"{on(day)},{store},A,{price},{units}" for day in days]


@pytest.fixture
def take(settings: Settings, tmp_path: Path) -> Take:
    """Ingest rows below a header under a name."""

    def ingested(
        name: str,
        rows: list[str],
        asked: CorrectionRequest | None = None,
        header: str = UNITS,
        reading: Reading | None = None,
        shelf: Path | None = None,
    ) -> Ingested:
        file = tmp_path / name
        file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        return ingest(settings, file, reading or Reading(), shelf, NOW, asked=asked or CorrectionRequest())

    return ingested


def sold(settings: Settings) -> list[tuple[Any, ...]]:
    lake = Lake(settings)
    return sorted(
        (str(own.business_date), row["store_id"], row["units"])
        for own in lake.partitions("unit_sales")
        for row in lake.read(own).to_pylist()
    )


def test_a_changed_row_is_told_from_a_repeated_one(take: Take, settings: Settings) -> None:
    take("january.csv", units(0, 1, 2))
    found = take("february.csv", [*units(1), *units(2, units=7), *units(3)])
    assert found.row["reasons"] == {REPEATS: [1, 2], CHANGES: [1, 3]}
    assert found.row["valid"] == 1
    assert sold(settings) == [(on(day), "S01", 5.0) for day in range(4)]
    days = [FIRST + dt.timedelta(days=day) for day in range(4)]
    assert [one for one in broken_assertions(settings, days) if one.assertion.startswith("the_key")] == []


def test_a_changed_visit_is_told_from_a_repeated_one(take: Take) -> None:
    rows = [f"{on(0)} 10:00:0{n},S01,{n},A,2.00,1" for n in range(3)]
    take("january.csv", rows, header=VISITS)
    later = [rows[0], rows[1].replace(",2.00,", ",2.50,"), rows[2].replace(",1\n", ",0\n")[:-1] + "0"]
    with pytest.raises(DataError, match="found 2 that change rows in the lake, in line 3, 4, and 1 others"):
        take("february.csv", later, header=VISITS)
    found = take("march.csv", [*later, f"{on(0)} 10:00:09,S01,9,A,2.00,1"], header=VISITS)
    assert found.row["reasons"] == {"it repeats a decision that is in the lake already": [1, 2], CHANGES: [2, 3]}


def test_days_are_replaced_whole_when_that_is_asked_for_and_the_change_is_said(take: Take, settings: Settings) -> None:
    take("january.csv", [*units(0, 1, 2), *units(0, 1, 2, store="S02")])
    found = take("correction.csv", units(1, units=9), CorrectionRequest(replace=dates_of(on(1))))
    assert found.row["reasons"] == {}
    assert found.row["summary"]["replaced"] == [
        {"date": on(1), "rows_before": 2, "rows_after": 1, "units_before": 10.0, "units_after": 9.0}
    ]
    assert (on(1), "S01", 9.0) in sold(settings)
    assert (on(1), "S02", 5.0) not in sold(settings), "the day is replaced whole"
    assert (on(2), "S02", 5.0) in sold(settings)


def test_a_day_of_which_no_row_can_be_used_replaces_nothing(take: Take, settings: Settings) -> None:
    take("january.csv", units(0, 1))
    found = take(
        "correction.csv",
        [*units(0, units=9), f"{on(1)},S01,WINE,2.00,9"],
        CorrectionRequest(dates_of(f"{on(0)}..{on(1)}")),
    )
    assert [day["date"] for day in found.row["summary"]["replaced"]] == [on(0)]
    assert sold(settings) == [(on(0), "S01", 9.0), (on(1), "S01", 5.0)]


def test_a_new_edition_of_a_file_replaces_its_days_and_no_others(take: Take, settings: Settings) -> None:
    take("sales.csv", units(0, 1))
    found = take("sales.csv", [*units(1, units=8), *units(2)])
    assert [day["date"] for day in found.row["summary"]["replaced"]] == [on(1)]
    assert sold(settings) == [(on(0), "S01", 5.0), (on(1), "S01", 8.0), (on(2), "S01", 5.0)]


def test_a_file_of_the_same_name_without_a_store_of_the_earlier_one_is_no_new_edition(
    take: Take, settings: Settings
) -> None:
    take("sales.csv", [*units(0), *units(0, store="S02")])
    found = take("sales.csv", [*units(0, store="S02", units=9), *units(1, store="S02")])
    assert found.row["summary"]["replaced"] == []
    assert found.row["reasons"] == {CHANGES: [1, 2]}
    assert (on(0), "S01", 5.0) in sold(settings)


def test_a_date_without_a_row_in_the_file_is_not_replaced(take: Take, settings: Settings) -> None:
    take("january.csv", units(0, 1))
    with pytest.raises(DataError, match=f"found none of {on(1)}; nothing was published: leave that date out"):
        take("correction.csv", units(0), CorrectionRequest(replace=dates_of(f"{on(0)}..{on(1)}")))
    assert len(sold(settings)) == 2


@pytest.mark.parametrize("text", ["yesterday", "2026-01-07..2026-01-05", "2026-01-05..", ""])
def test_dates_to_replace_are_a_date_or_two_in_order(text: str) -> None:
    with pytest.raises(DataError, match="expected a date, or two in order such as"):
        dates_of(text)
    assert dates_of("2026-01-05..2026-01-07") == tuple(FIRST + dt.timedelta(days=day) for day in range(3))


def test_a_store_that_the_shelf_does_not_have_is_refused_or_added_when_that_is_asked_for(
    take: Take, settings: Settings
) -> None:
    shelf = take("january.csv", units(0)).shelf
    with pytest.raises(DataError, match=r"found 1 others: S09; nothing was published: .* let --add-stores add them"):
        take("february.csv", units(1, store="S09"))
    assert len(sold(settings)) == 1
    take("february.csv", units(1, store="S09"), CorrectionRequest(add_stores=True))
    assert load(shelf).store.stores == ("S01", "S09")
    assert is_untouched(shelf), "nobody has changed anything else"
    assert (on(1), "S09", 5.0) in sold(settings)


def test_stores_are_never_added_to_the_shelf_that_ships(take: Take) -> None:
    before = (CLASSIC / "store.yaml").read_bytes()
    rows = [row.replace(",A,", ",MILK,") for row in units(0, store="S09")]
    with pytest.raises(DataError, match="--add-stores changes a file of your own alone"):
        take("january.csv", rows, CorrectionRequest(add_stores=True), shelf=DEFAULT_DIR)
    assert (CLASSIC / "store.yaml").read_bytes() == before


def test_visits_and_units_never_meet_in_one_lake(take: Take, settings: Settings) -> None:
    take("january.csv", units(0))
    with pytest.raises(Declined, match="expected units or receipts like the other files"):
        take("visits.csv", [f"{on(5)} 10:00:00,S01,1,A,2.00,1"], header=VISITS)
    assert not list(Lake(settings).partitions("interactions"))


def test_prices_a_hundred_times_the_shelfs_are_asked_about(take: Take, settings: Settings) -> None:
    take("january.csv", units(0, 1))
    with pytest.raises(DataError, match=r"found a median of 200.00 for 'A', whose base price is 2.00 EUR"):
        take("february.csv", units(2, price="200"))
    take("february.csv", units(2, price="200"), reading=Reading(price_unit="cents"))
    lake = Lake(settings)
    prices = {row["price"] for own in lake.partitions("unit_sales") for row in lake.read(own).to_pylist()}
    assert prices == {2.0}
    assert take("march.csv", units(3, price="200"), reading=Reading(price_unit="euros")).row["valid"] == 1


@pytest.mark.parametrize("corrected", ["price", "units"])
def test_a_file_that_is_the_same_but_for_a_corrected_row_is_told_as_a_change(
    take: Take, settings: Settings, corrected: str
) -> None:
    take("january.csv", units(0, 1, 2))
    row = units(1, price="2.50") if corrected == "price" else units(1, units=6)
    again = [*units(0), *row, *units(2)]
    said = f"found 1 that change rows in the lake, in line 3, and 2 others .* with --replace {on(1)}$"
    with pytest.raises(DataError, match=said):
        take("january again.csv", again)
    assert len(sold(settings)) == 3
    found = take("january again.csv", again, CorrectionRequest(replace=dates_of(on(1))))
    assert [day["date"] for day in found.row["summary"]["replaced"]] == [on(1)]


def test_a_corrected_stock_is_a_change(take: Take) -> None:
    header = f"{UNITS},stock"
    take("january.csv", [f"{row},20" for row in units(0, 1)], header=header)
    with pytest.raises(DataError, match="found 1 that change rows in the lake, in line 3, and 1 others"):
        take("again.csv", [f"{units(0)[0]},20", f"{units(1)[0]},30"], header=header)
