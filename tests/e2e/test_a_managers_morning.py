"""A manager's morning at the monitor, from the first look to the last undo, in a real browser."""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from monitors import serving
from playwright.sync_api import Locator, Page, expect
from price_shop import DATE, SHORT_DAY, Shop, open_in_the_morning

from features.cells import ALL_VIEWS
from plugins.connect.intake.inbox import take_file
from plugins.connect.intake.intake import Intake
from plugins.desk.price_changes.propose import propose
from warehouse.query.connection import build_file

TODAY = DATE + dt.timedelta(days=1)
LEAFLET = f"rival,sku,price,seen_at\nCorner,MILK,1.19,{DATE}T07:00:00Z\nCorner,EGGS,1.19,{DATE}T07:00:00Z\n"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop that sold a day at base prices; today 15 prices wait, a rival's leaflet came, and S01 has just opened."""
    shop = Shop(tmp_path, "{within_of_base: 0.0}", changed=open_in_the_morning)
    shop.publish()
    shop.sell(SHORT_DAY).close()
    assert propose(shop.workspace, shop.publish(TODAY), TODAY).waiting == 15
    leaflet = tmp_path / "leaflet.csv"
    leaflet.write_text(LEAFLET, encoding="utf-8")
    intake = Intake(shop.workspace.lake, lambda _: dt.datetime.combine(DATE, dt.time(20), dt.UTC))
    assert take_file(shop.workspace, intake, leaflet).taken == 2
    shop.sell(1, date=TODAY)
    build_file(shop.settings, ALL_VIEWS)
    return shop


@pytest.fixture
def address(shop: Shop) -> Iterator[str]:
    with serving(shop.settings, catalog_dir=shop.folder) as address:
        yield address


def row(page: Page, store: str, sku: str, column: str) -> Locator:
    return page.locator(f'#desk-grid .ag-row[row-id="{store}|{sku}"] [col-id="{column}"]')


def chosen(page: Page, *prices: str) -> None:
    """Choose these prices in the table, and no others."""
    row(page, "S01", "MILK", "store").focus()
    page.keyboard.press("Escape")
    for price in prices:
        store, _, sku = price.partition("|")
        row(page, store, sku, "store").focus()
        page.keyboard.press("Space")
    expect(page.locator("#desk-chosen")).to_have_text(f"{len(prices)} chosen")


def edit_chosen(page: Page) -> None:
    row(page, "S01", "MILK", "store").focus()
    page.keyboard.press("e")


def save(page: Page, price: str, why: str) -> None:
    page.locator("#desk-price").fill(price)
    page.locator("#desk-why").fill(why)
    page.get_by_role("button", name="Save", exact=True).click()


def test_a_manager_understands_approves_edits_many_plans_a_promotion_answers_a_rival_stops_and_undoes(
    shop: Shop, address: str, visit: Callable[..., Page]
) -> None:
    page = visit(f"{address}/desk")
    said, base = page.locator("#desk-said"), {product.sku: product.base_price for product in shop.catalog.products}

    # Understand: each of the first things names stock or demand, the alternative and euros.
    first = page.locator("#desk-needs li").first
    expect(page.locator("#desk-needs")).to_contain_text("Needs you (15)")
    expect(first).to_contain_text(re.compile(r"(left|units|buy|sell).*€\d.*€\d", re.DOTALL))
    row(page, "S01", "BREAD", "why").click()
    drawer = page.get_by_role("dialog", name="Bread in S01")
    expect(drawer).to_contain_text("Floor to ceiling")
    page.keyboard.press("Escape")

    # Approve one where it stands.
    first.get_by_role("button", name="Approve").click()
    expect(said).to_contain_text("1 price approved")
    expect(page.locator("#desk-needs")).to_contain_text("Needs you (14)")

    # Edit two at once.
    chosen(page, "S01|CHEESE", "S01|MEAT")
    edit_chosen(page)
    expect(page.locator("#desk-facts")).to_have_text("2 prices")
    save(page, "-5 %", "slow week")
    expect(said).to_contain_text("2 prices set (-5 %)")
    expect(row(page, "S01", "CHEESE", "stands")).to_have_text("€6.17")  # 6.50 now

    # Plan a promotion for next week: the prior price is named before it is saved.
    chosen(page, "S01|BREAD")
    page.get_by_role("button", name="Plan a promotion").click()
    page.locator("#desk-price").fill("1.05")
    expect(page.locator("#desk-preview")).to_contain_text("Prior price")
    expect(page.locator("#desk-preview")).to_contain_text(f"€{base['BREAD']:.2f}")
    save(page, "1.05", "a week of bread")
    expect(said).to_contain_text("announced")
    expect(page.locator("#desk-calendar")).to_contain_text("Bread in S01")

    # Answer a rival who is cheaper: Overview says so, the Desk sets the price, the shelf follows.
    overview = visit(address)
    expect(overview.get_by_text("Prices beside rivals'")).to_be_visible()
    overview.get_by_role("link", name="By rival and category").click()
    expect(overview.locator("#rivals")).to_contain_text("Corner")
    chosen(page, "S01|MILK")
    edit_chosen(page)
    save(page, "1.19", "Corner sells milk at 1.19")
    expect(said).to_contain_text("Milk in S01 is set to €1.19")
    player = shop.sell(3, date=TODAY)
    assert shop.price_in(2, date=TODAY) == 1.19

    # Stop everything, see it stopped, and undo it: what was set before holds again.
    page.get_by_role("button", name="Stop prices").click()
    page.locator("#desk-question-why").fill("prices look wrong")
    page.get_by_role("dialog", name="Turn the kill switch on?").get_by_role("button", name="Confirm").click()
    expect(page.locator("#desk-people")).to_contain_text("Kill switch, every store")
    shop.sell(4, player, TODAY)
    assert shop.price_in(3, date=TODAY) == base["MILK"]
    kill_switch = page.locator("#desk-people li").filter(has_text="Kill switch, every store")
    kill_switch.first.get_by_role("button", name="Undo").click()
    page.get_by_role("dialog", name="Undo it?").get_by_role("button", name="Confirm").click()
    expect(page.locator("#desk-people")).not_to_contain_text("Kill switch, every store")
    shop.sell(5, player, TODAY)
    assert shop.price_in(4, date=TODAY) == 1.19
    expect(page.locator("#desk-log")).to_contain_text("took back the kill switch")
