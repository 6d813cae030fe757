"""The Desk page in a real browser: a manager plans a promotion, and sets prices by a sheet."""

import csv
import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from looks import fits_every_screen
from monitors import serving
from playwright.sync_api import Page, expect
from price_shop import DATE, SHORT_DAY, Shop, open_in_the_morning

from features.cells import ALL_VIEWS
from plugins.desk.price_changes.record import all_changes
from plugins.desk.price_changes.request import PriceRequest, ask
from warehouse.query.connection import build_file


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop whose S01 showed base prices on its first day, and keeps them by the kill switch."""
    shop = Shop(tmp_path, changed=open_in_the_morning)
    shop.publish()
    ask(shop.workspace, PriceRequest("kill_switch", "base prices", store="S01"), "anna")
    shop.sell(SHORT_DAY).close()
    shop.publish(DATE + dt.timedelta(days=1))
    build_file(shop.settings, ALL_VIEWS)
    return shop


@pytest.fixture
def desk(shop: Shop) -> Iterator[str]:
    with serving(shop.settings, catalog_dir=shop.folder) as address:
        yield f"{address}/desk"


def test_a_promotion_is_planned_and_withdrawn_and_a_sheet_is_filled_in_and_recorded(
    shop: Shop, desk: str, tmp_path: Path, visit: Callable[..., Page]
) -> None:
    page = visit(f"{desk}?unchanged=true")
    expect(page.locator("#desk-calendar")).to_contain_text("No promotion is planned")
    page.locator('#desk-grid .ag-row[row-id="S01|EGGS"] input[type=checkbox]').first.check()
    page.get_by_role("button", name="Plan a promotion").click()
    page.locator("#desk-price").fill("0.80")
    expect(page.locator("#desk-preview")).to_contain_text("€1.00 (-20%)")
    expect(page.locator("#desk-preview")).to_contain_text("the kill switch in S01 by anna, holds")
    page.locator("#desk-why").fill("weekend offer")
    page.get_by_text("Save it despite what speaks against it").click()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#desk-said")).to_contain_text("1 price set and announced as reductions")
    expect(page.locator("#desk-calendar")).to_contain_text("20 % less")
    fits_every_screen(page)
    page.get_by_role("button", name="Withdraw").click()
    page.get_by_role("dialog", name="Undo it?").get_by_role("button", name="Confirm").click()
    expect(page.locator("#desk-calendar")).to_contain_text("No promotion is planned")

    page.get_by_role("button", name="CSV / XLSX").click()
    with page.expect_download() as downloaded:
        page.get_by_role("button", name="Download as CSV").click()
    lines = list(csv.DictReader(downloaded.value.path().open(encoding="utf-8-sig")))
    for price, said in (("0.10", "0.10 EUR is below its cost"), ("1.20", "nothing speaks against them")):
        sheet = tmp_path / f"{price}.csv"
        with sheet.open("w", newline="") as out:
            writer = csv.DictWriter(out, list(lines[0]))
            writer.writeheader()
            writer.writerows(
                line | {"new_price": price} for line in lines if line["sku"] == "MILK" and line["store"] > "S01"
            )
        page.get_by_label("Upload prices").set_input_files(sheet)
        expect(page.locator("#desk-sheet-found")).to_contain_text(said)
    page.locator("#desk-sheet-why").fill("spring leaflet")
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.locator("#desk-said")).to_contain_text("2 prices set by a sheet")
    assert {one.terms.store for one in all_changes(shop.lake) if one.terms.reason == "spring leaflet"} == {"S02", "S03"}
