"""What a row of an export is: found out from its header and first rows, or said; a doubt is refused."""

from pathlib import Path

import pytest

from catalog.errors import DataError
from plugins.own_store.history.columns import Reading
from plugins.own_store.history.grain import settled
from plugins.own_store.history.read import Export, open_export

VISITS = "time,sku,price,bought\n2026-01-05 10:00:01,A,1.00,1\n2026-01-05 10:00:02,A,1.00,0\n"
UNITS = "date,store,sku,price,{name}\n" + "".join(f"2026-01-{day:02d},S1,A,1.00,{day % 4}\n" for day in range(1, 29))
HOURLY = "date,hour,sku,price,qty\n" + "".join(f"2026-01-05,{hour},A,1.00,{hour % 3}\n" for hour in range(8, 20))
RECEIPTS = "datetime,receipt_id,sku,price,qty\n" + "".join(
    f"2026-01-05 10:{line:02d}:17,{line // 2},A,1.00,{1 + line % 2}\n" for line in range(40)
)


def settled_from(folder: Path, text: str, reading: Reading | None = None) -> Export:
    file = folder / "shop.csv"
    file.write_text(text, encoding="utf-8")
    return settled(open_export(file, reading or Reading()))


@pytest.mark.parametrize(
    ("text", "grain"),
    [
        (VISITS, "visits"),
        (HOURLY, "units"),
        (UNITS.format(name="units") + "2026-01-09,S1,A,1.00,-1\n", "units"),
        (RECEIPTS, "receipts"),
        (RECEIPTS.replace("receipt_id", "till"), "receipts"),
        *((UNITS.format(name=name), "units") for name in ("quantity", "qty", "units_sold", "sold_units", "Pieces")),
    ],
)
def test_the_grain_is_found_out(tmp_path: Path, text: str, grain: str) -> None:
    columns = settled_from(tmp_path, text).columns
    assert columns.grain == grain
    assert ("purchased" in columns.theirs) == (grain == "visits")
    assert ("units" in columns.theirs) == (grain != "visits")


def test_a_column_called_sold_is_a_purchase_only_where_its_values_are_0_and_1(tmp_path: Path) -> None:
    assert settled_from(tmp_path, VISITS.replace("bought", "sold")).columns.theirs["purchased"] == "sold"
    assert settled_from(tmp_path, UNITS.format(name="sold")).columns.theirs["units"] == "sold"


def test_a_number_of_units_is_never_taken_for_a_purchase(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected a column for purchased, found"):
        settled_from(tmp_path, UNITS.format(name="quantity"), Reading(grain="visits"))
    with pytest.raises(DataError, match="expected a column for purchased or units"):
        settled_from(tmp_path, UNITS.format(name="sales"))


@pytest.mark.parametrize(
    "text",
    [
        "datetime,till,sku,price,qty\n" + "2026-01-05 10:00:00,1,A,1.00,2\n" * 20,
        "date,sku,price,qty\n" + "2026-01-05,A,1.00,2\n" * 10,
        "time,sku,price,bought,qty\n" + "2026-01-05 10:00:01,A,1.00,1,2\n" * 10,
    ],
    ids=["lines without a number or a time of day", "one day many times", "only purchases, with units"],
)
def test_a_file_in_doubt_is_refused_with_what_was_seen_and_the_option(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match=r"shop\.csv: expected visits .* say which it is with --grain"):
        settled_from(tmp_path, text)


def test_what_is_said_wins(tmp_path: Path) -> None:
    assert settled_from(tmp_path, HOURLY, Reading(grain="receipts")).columns.grain == "receipts"


def test_columns_that_a_grain_does_not_use_are_left_out(tmp_path: Path) -> None:
    text = VISITS.replace("bought", "bought,basket_id,qty").replace(",1\n", ",1,7,3\n").replace(",0\n", ",0,8,0\n")
    theirs = settled_from(tmp_path, text).columns.theirs
    assert theirs["shopper_id"] == "basket_id"
    assert not {"units", "receipt"} & theirs.keys()
