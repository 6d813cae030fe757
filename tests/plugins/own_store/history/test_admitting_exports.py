"""From a file to the lake: the shelf that is estimated from it, and each of its rows on one side or the other."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from catalog.load import CLASSIC, Catalog, load
from catalog.settings import Settings
from etl.validate import CONTRADICTS, REPEATS
from plugins.operations.checks.proving import verify
from plugins.own_store.history.admission import FileAdmission, clear_other_dates, published
from plugins.own_store.history.columns import Reading
from plugins.own_store.history.file_row import profile_of
from plugins.own_store.history.read import open_export
from plugins.own_store.history.sales import AdmittingVisits
from plugins.own_store.history.shelf import is_untouched, write_shelf
from plugins.own_store.history.stage import StagedExport, sku_of, stage_export, store_id_of
from warehouse.checks.assertions import broken_assertions
from warehouse.lake import Lake
from warehouse.workspace import Workspace

HEADER = "time,store,customer,sku,price,stock,bought"
NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
DEFAULT = load(CLASSIC)


def row(
    second: int = 0,
    customer: str = "7",
    sku: str = "MILK",
    price: str = "1.50",
    bought: str = "1",
    store: str = "S01",
) -> str:
    moment = dt.datetime(2026, 1, 5, 10, tzinfo=dt.UTC) + dt.timedelta(seconds=second)
    return f"{moment:%Y-%m-%d %H:%M:%S},{store},{customer},{sku},{price},9,{bought}"


@contextmanager
def staged_from(folder: Path, rows: list[str], header: str = HEADER) -> Iterator[StagedExport]:
    file = folder / "shop.csv"
    file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    with stage_export(open_export(file, Reading(decimal=".")), folder / "scratch", lambda _share: None) as staged:
        yield staged


def shelf_of(folder: Path, rows: list[str], header: str = HEADER) -> Catalog:
    with staged_from(folder, rows, header) as staged:
        write_shelf(folder / "shelf", staged, "shop.csv")
    return load(folder / "shelf")


def admit(
    settings: Settings, rows: list[str], part: str = "export-1", catalog: Catalog = DEFAULT, header: str = HEADER
) -> dict[int, str]:
    """Admit a file and return why rows were kept out, by line."""
    lake = Lake(settings)
    lake.prepare()
    with staged_from(settings.home, rows, header) as staged:
        admission = FileAdmission(lake, catalog, staged, "shop.csv", part, "inputs", NOW)
        admitting = AdmittingVisits(admission)
        found = [published(admission, admitting.check(date)) for date in admission.dates()]
        clear_other_dates(admission)
    rejected = [row for own in lake.partitions("rejected") if own.group == part for row in lake.read(own).to_pylist()]
    assert sum(day.valid for day in found) + len(rejected) == len(rows)
    return {row["row_number"]: row["reason"] for row in rejected}


def decisions(settings: Settings) -> list[dict[str, Any]]:
    lake = Lake(settings)
    return [row for own in lake.partitions("interactions") for row in lake.read(own).to_pylist()]


def broken(settings: Settings, *days: int) -> list[str]:
    """Return the assertions that do not hold on days of January, that of the cells left out, for there are none yet."""
    found = broken_assertions(settings, [dt.date(2026, 1, day) for day in days])
    return [str(one) for one in found if one.assertion != "cells_hold_every_decision_with_stock"]


def test_the_base_price_is_what_the_visit_in_the_middle_saw_and_the_rest_is_said_to_be_unknown(tmp_path: Path) -> None:
    rows = [row(second, price=price) for second, price in enumerate(["1.20"] * 3 + ["1.50"] * 5 + ["1.80"] * 2)]
    catalog = shelf_of(tmp_path, rows, HEADER.replace("stock", "note"))
    product = catalog.product("MILK")
    assert (product.floor, product.base_price, product.ceiling) == (1.20, 1.50, 1.80)
    assert (product.unit_cost, product.par_stock) == (0, 100)
    text = (tmp_path / "shelf" / "products.yaml").read_text(encoding="utf-8")
    assert "base_price: 1.50 # the usual price, estimated" in text
    assert "unit_cost: 0.0000 # not known" in text
    assert catalog.store.stores == ("S01",)
    assert (catalog.store.opening.opens, catalog.store.opening.closes) == ("10:00", "11:00")
    assert catalog.store.visits_per_day == 10


def test_a_price_that_never_varied_leaves_room_to_try_others(tmp_path: Path) -> None:
    product = shelf_of(tmp_path, [row(0), row(1)]).product("MILK")
    assert (product.floor, product.base_price, product.ceiling, product.par_stock) == (1.05, 1.50, 2.40, 9)


def test_costs_and_base_prices_of_the_file_are_taken_and_a_cost_above_the_price_is_not(tmp_path: Path) -> None:
    header = "time,sku,price,cost,base_price,department,bought"
    rows = [f"2026-01-05 23:59:00,{sku},1.40,{cost},1.5,dairy,1" for sku, cost in (("A", "0.9"), ("B", "1.6"))]
    catalog = shelf_of(tmp_path, rows, header)
    assert [product.unit_cost for product in catalog.products] == [0.9, 0.0]
    assert {(product.base_price, product.category) for product in catalog.products} == {(1.5, "dairy")}
    assert catalog.store.opening.closes == "24:00"


OF_A_GRAIN = {
    "visits": ("time,sku,price,bought", "2026-01-05 10:00:{second:02d},{sku},1.50,1"),
    "receipts": ("datetime,receipt_id,sku,price,qty", "2026-01-05 10:00:{second:02d},{second},{sku},1.50,2"),
    "units": ("date,sku,price,qty", "2026-01-{second:02d},{sku},1.50,2"),
}


@pytest.mark.parametrize("grain", OF_A_GRAIN)
def test_the_shelf_has_the_brand_and_tier_that_a_file_says_first_and_no_line_where_it_says_none(
    tmp_path: Path, grain: str
) -> None:
    header, line = OF_A_GRAIN[grain]
    of_rows = [("A", "", "premium"), ("A", "NO: #1", "value"), ("A", "Acme", ""), ("B", " ", ""), ("C", "0123", "")]
    rows = [
        f"{line.format(second=second, sku=sku)},{brand},{tier}" for second, (sku, brand, tier) in enumerate(of_rows, 1)
    ]
    catalog = shelf_of(tmp_path, rows, f"{header},manufacturer,quality")
    by_sku = {product.sku: (product.brand, product.tier) for product in catalog.products}
    assert by_sku == {"A": ("NO: #1", "premium"), "B": (None, None), "C": ("0123", None)}
    text = (tmp_path / "shelf" / "products.yaml").read_text(encoding="utf-8")
    assert [name.strip() for name in text.splitlines() if name.startswith(("    brand:", "    tier:"))] == [
        'brand: "NO: #1"',
        'tier: "premium"',
        'brand: "0123"',
    ]


@pytest.mark.parametrize("grain", OF_A_GRAIN)
def test_a_shelf_from_a_file_without_brand_and_tier_has_no_line_for_them(tmp_path: Path, grain: str) -> None:
    header, line = OF_A_GRAIN[grain]
    rows = [line.format(second=second, sku="A") for second in (1, 2)]
    (product,) = shelf_of(tmp_path, rows, header).products
    assert (product.brand, product.tier, product.category) == (None, None, "unknown")
    text = (tmp_path / "shelf" / "products.yaml").read_text(encoding="utf-8")
    assert "brand:" not in text
    assert "tier:" not in text


@pytest.mark.parametrize(
    "name", ["NO", "0123", "12:30", "1e3", "<b>", "'); drop", "../../x", "ü🥨", "#", "a: b", "مرحبا", "x" * 300]
)
def test_any_name_becomes_a_shelf_that_loads_and_is_named_so(tmp_path: Path, name: str) -> None:
    catalog = shelf_of(tmp_path, [row(sku=name).replace("S01", name)])
    assert catalog.products[0].name == name
    assert catalog.skus == (sku_of(name),)
    assert catalog.store.stores == (store_id_of(name),)


def test_an_estimated_shelf_knows_whether_anyone_changed_it(tmp_path: Path) -> None:
    shelf_of(tmp_path, [row()])
    assert is_untouched(tmp_path / "shelf")
    store = tmp_path / "shelf" / "store.yaml"
    store.write_text(store.read_text(encoding="utf-8").replace("11:00", "12:00"), encoding="utf-8")
    assert not is_untouched(tmp_path / "shelf")
    assert not is_untouched(tmp_path)


def test_a_row_becomes_a_decision_of_an_external_policy(settings: Settings) -> None:
    rows = [row(0), row(1, bought="0"), row(2, price="1.20"), row(3, sku="Bread", price="1.10", bought="0")]
    assert admit(settings, rows) == {}
    first, refused, cheap, bread = decisions(settings)
    assert first["seen_at"] == dt.datetime(2026, 1, 5, 10, tzinfo=dt.UTC)
    assert (first["tick"], first["shopper_id"], first["inventory_level"], first["policy"]) == (8, 7, 9, "external")
    assert (first["outcome"], refused["outcome"], bread["sku"]) == ("bought", "too_expensive", "BREAD")
    assert [found["propensity"] for found in (first, cheap, bread)] == pytest.approx([2 / 3, 1 / 3, 1.0])
    assert first["budget_multiplier"] is first["model_version"] is None
    assert broken(settings, 5) == []


def test_each_bad_row_is_kept_out_by_its_line_and_its_reason(settings: Settings) -> None:
    rows = [
        row(0),
        row(0),
        row(1, sku="WINE"),
        row(2, price="-1"),
        row(3, price="nan"),
        row(4).replace("10:00", "03:00"),
        row(5).replace("2026", "2027"),
        row(6, bought="1").replace(",9,", ",0,"),
        row(7).replace(",9,", ",2.5,"),
        "sometime,S01,7,MILK,1.5,9,1",
    ]
    assert admit(settings, rows) == {
        3: "it repeats an earlier row",
        4: "the product is not in the catalog",
        5: "the price is not a positive finite number",
        6: "the price is not a positive finite number",
        7: "the time is outside the opening hours",
        8: "the time is in the future",
        9: "it was bought although the stock was 0",
        10: "the stock is negative or not a whole number",
        11: "the time cannot be read",
    }
    assert len(decisions(settings)) == 1


def test_a_file_in_any_order_is_kept_by_store_and_time_and_the_later_line_is_the_repeat(settings: Settings) -> None:
    rows = [row(5), row(3, store="S02"), row(1), row(5, price="1.60"), row(3, store="S02"), row(0, customer="8")]
    assert admit(settings, rows) == {5: CONTRADICTS, 6: REPEATS}
    found = [(one["store_id"], one["seen_at"].second, one["price_offered"]) for one in decisions(settings)]
    assert found == [("S01", 0, 1.5), ("S01", 1, 1.5), ("S01", 5, 1.5), ("S02", 3, 1.5)]


def test_where_nobody_is_named_visits_at_one_moment_are_told_apart_by_number(settings: Settings) -> None:
    header = "time,sku,price,bought"
    rows = ["2026-01-05 10:00:00,MILK,1.5,1"] * 3 + ["2026-01-05 10:00:00,BREAD,1.1,1"]
    assert admit(settings, rows, header=header) == {}
    assert sorted(found["shopper_id"] for found in decisions(settings)) == [0, 0, 1, 2]
    assert {found["store_id"] for found in decisions(settings)} == {"S01"}


def test_files_that_overlap_count_once_in_whichever_order_they_come(settings: Settings) -> None:
    day = 86_400
    january = [row(second) for second in (0, 1, day)]
    assert admit(settings, january, "export-january") == {}
    again = admit(settings, [row(1), row(2), row(day), row(2 * day)], "export-february")
    assert again == dict.fromkeys((2, 4), "it repeats a decision that is in the lake already")
    assert admit(settings, january, "export-january") == {}, "its own rows repeat nothing"
    assert len(decisions(settings)) == 5
    assert broken(settings, 5, 6, 7) == []


def test_the_same_file_read_in_another_way_leaves_nothing_behind_on_dates_it_does_not_have(settings: Settings) -> None:
    admit(settings, [row(0), row(86_400)])
    admit(settings, [row(0), row(2 * 86_400)])
    dates = [own.business_date for own in Lake(settings).partitions("interactions")]
    assert dates == [dt.date(2026, 1, 5), dt.date(2026, 1, 7)]
    assert verify(Lake(settings)).findings == ()


def test_a_product_is_profiled_by_its_visits_and_prices(settings: Settings) -> None:
    rows = [row(i * 864, str(i), price=f"1.{1 + i % 2}", bought=str(i % 3 % 2)) for i in range(300)]
    catalog = shelf_of(settings.home, rows)
    admit(settings, rows, catalog=catalog)
    (found,) = profile_of(Workspace(settings, catalog, Lake(settings)), "export-1")
    assert (found["sku"], found["decisions"], found["purchases"], found["days"]) == ("MILK", 300, 100, 4)
    assert (found["prices"], found["lowest"], found["median"], found["highest"]) == (2, 1.1, 1.1, 1.2)
