"""The monitor at a chain's size in a real browser: the overview, what the address keeps, and who can use the pages."""

import datetime as dt
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from chain_catalog import write_chain
from looks import in_both_schemes
from monitors import Orchestrator, serving
from patience import until
from playwright.sync_api import Page, expect

from catalog.ladder import price_ladder
from catalog.load import load
from catalog.settings import Settings, read_settings
from dashboard.app import all_pages
from etl.load import load_dimensions, load_store_day
from etl.open_days import LiveDay
from etl.twin.draws import shopper_names
from etl.twin.store_day import play
from features.cells import ALL_VIEWS
from plugins.live.player import Player
from plugins.live.prices import LivePrices
from serving.learning.exploration import ExplorationPlan
from serving.optimise.policies import policy_without_model
from serving.store.storefront import Storefront
from warehouse.lake import Lake
from warehouse.query.connection import build_file

pytestmark = pytest.mark.slow

DAYS = (dt.date(2026, 1, 5), dt.date(2026, 1, 6))
LIVE_DAY = dt.date(2026, 1, 7)
PRODUCTS, STORES = 60, 12
MOST_STOPS = 60
SERIOUS = {"serious", "critical"}
Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Path]:
    """A home in which twelve stores sold sixty products for two days, and one began a live day that stands still."""
    home, folder = tmp_path_factory.mktemp("chain"), tmp_path_factory.mktemp("catalog")
    write_chain(folder, PRODUCTS, STORES)
    settings, catalog = read_settings({"SHELFPRICE_HOME": str(home)}), load(folder)
    lake = Lake(settings)
    lake.prepare()
    build_file(settings, ALL_VIEWS)
    load_dimensions(lake, catalog, shopper_names(50, 1))
    plan = ExplorationPlan(0.5, price_ladder(catalog))
    for date in DAYS:
        policy = Storefront(policy_without_model(catalog, "static"), exploration=plan)
        sold = play(catalog, policy, catalog.store.stores, date, 7)
        load_store_day(lake, catalog, sold, "all", inputs="7", seed=7)
    day = LiveDay("S07", LIVE_DAY)
    player = Player(lake, LivePrices(lake, lambda: load(folder), day, 7), day, 7)
    for _ in range(3):
        player.sell_tick()
    return settings, folder


@pytest.fixture(scope="module")
def monitor(chain: tuple[Settings, Path]) -> Iterator[str]:
    with serving(chain[0], control=Orchestrator(), catalog_dir=chain[1]) as address:
        yield address


def links(page: Page) -> Any:
    return page.locator("#overview-stores .store-link")


def test_the_overview_shows_every_store_and_leads_to_it_and_back(monitor: str, visit: Visit) -> None:
    page = visit(monitor)
    expect(links(page).first).to_be_visible()
    expect(page.locator("#overview-stats")).to_contain_text(f"of {STORES}")
    page.locator("#overview-search").fill("S07")
    expect(links(page)).to_have_count(1)
    expect(page.locator("#overview-stores")).to_contain_text("Wed 7 Jan 2026, open")
    links(page).click()
    expect(page).to_have_url(f"{monitor}/store?store=S07")
    expect(page.locator("#store-store")).to_have_value("S07")
    expect(page.locator("#store-moment")).to_have_text("08:30 to 08:45")
    page.go_back()
    expect(page.locator("#overview-search")).to_have_value("S07")
    expect(links(page)).to_have_count(1)


def test_a_store_that_sold_nothing_on_a_day_says_so(monitor: str, visit: Visit) -> None:
    page = visit(f"{monitor}/store?store=S03&day={LIVE_DAY}")
    expect(page.get_by_text("S03 sold nothing on Wed 7 Jan 2026")).to_be_visible()
    expect(page.locator("#live-start")).to_be_enabled()


@pytest.fixture
def own_monitor(chain: tuple[Settings, Path]) -> Iterator[str]:
    """A monitor whose orchestrator no other test asks."""
    with serving(chain[0], control=Orchestrator(), catalog_dir=chain[1]) as address:
        yield address


def test_start_leads_to_the_day_that_sells(own_monitor: str, visit: Visit) -> None:
    monitor = own_monitor
    page = visit(f"{monitor}/store?store=S07&day={DAYS[0]}")
    expect(page.locator("#store-moment")).to_have_text("19:45 to 20:00")
    page.locator("#live-start").click()
    expect(page.locator("#store-moment")).to_have_text("08:30 to 08:45")
    expect(page).to_have_url(f"{monitor}/store?store=S07")


def test_the_shelf_is_searched_filtered_and_paged_and_the_address_keeps_it(monitor: str, visit: Visit) -> None:
    page = visit(f"{monitor}/store")
    expect(page.locator("#store-found")).to_have_text("Products 1 to 24 of 60")
    page.locator("#store-page").get_by_text("3", exact=True).click()
    expect(page.locator("#store-found")).to_have_text("Products 49 to 60 of 60")
    expect(page).to_have_url(f"{monitor}/store?page=3")
    page.reload()
    expect(page.locator("#store-found")).to_have_text("Products 49 to 60 of 60")
    page.locator("#store-category").click()
    page.get_by_role("option", name="dairy").click()
    expect(page.locator("#store-found")).to_have_text("Products 1 to 8 of 8")
    expect(page).to_have_url(f"{monitor}/store?category=dairy")
    page.locator("#store-search").fill("milk")
    expect(page.locator(".product-name").first).to_contain_text("milk")
    until(page, "[...document.querySelectorAll('.product-name')].every(name => name.innerText.includes('milk'))")
    expect(page).to_have_url(f"{monitor}/store?search=milk&category=dairy")
    other = visit(page.url)  # a link that was sent to someone
    expect(other.locator("#store-search")).to_have_value("milk")
    expect(other.locator("#store-found")).to_have_text(page.locator("#store-found").inner_text())


def test_back_and_forward_go_through_what_was_picked(monitor: str, visit: Visit) -> None:
    page = visit(f"{monitor}/prices")
    expect(page.locator("#prices-trail .ag-center-cols-container .ag-row").first).to_be_visible()
    first = page.locator("#prices-product").input_value()
    page.locator("#prices-product").fill("Village rolls")
    page.get_by_role("option", name="Village rolls").click()
    page.locator("#prices-store").click()
    page.get_by_role("option", name="S05").click()
    expect(page).to_have_url(f"{monitor}/prices?product=P0042&store=S05")
    page.go_back()
    expect(page.locator("#prices-store")).to_have_value("S01")
    page.go_back()
    expect(page.locator("#prices-product")).to_have_value(first)
    page.go_forward()
    expect(page.locator("#prices-product")).to_have_value("Village rolls")


@pytest.mark.parametrize("path", ["", "store", "prices"])
def test_nonsense_in_the_address_is_survived_and_taken_away(monitor: str, visit: Visit, path: str) -> None:
    page = visit(f"{monitor}/{path}?store=<b>&day=2026-99-99&product=%00&page=-7&category=..&search=&bogus=1")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("#trouble")).to_be_empty()
    expect(page).to_have_url(f"{monitor}/{path}")


@pytest.mark.parametrize("page_of", all_pages(), ids=lambda page: page.name)
def test_a_page_can_be_used_with_the_keyboard_and_read_by_everyone(monitor: str, visit: Visit, page_of: Any) -> None:
    source = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    page = visit(f"{monitor}{page_of.path}")
    for scheme in in_both_schemes(page):
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator(".health")).to_contain_text("Services are not running")
        expect(page.locator(".mantine-Skeleton-root")).to_have_count(0)
        page.wait_for_timeout(1500)  # until a figure or a grid stands
        page.evaluate(source)
        found = page.evaluate("axe.run(document)")["violations"]
        told = [(one["id"], one["nodes"][0]["html"][:200]) for one in found if one["impact"] in SERIOUS]
        assert told == [], (page_of.name, scheme)
    assert len(stops(page)) < MOST_STOPS


def stops(page: Page) -> list[str]:
    """Press Tab until the page has been left or begins again, and return what was stopped at."""
    page.evaluate("document.activeElement.blur()")
    seen: list[str] = []
    while len(seen) <= MOST_STOPS:
        page.keyboard.press("Tab")
        at = page.evaluate(
            "document.activeElement === document.body ? '' : document.activeElement.outerHTML.slice(0, 80)"
        )
        if not at or (seen and at == seen[0]):
            break
        seen.append(at)
    return seen
