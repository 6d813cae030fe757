"""Drawn prices while something changes: endings, stores and products that come and go, prices of people, late lines."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from outside_grocer import BEFORE, MONDAY, Grocer

from catalog.load import load
from etl.calendar import stores_now
from flows.workspace import now_of
from plugins.desk.price_changes.request import PriceRequest, ask
from plugins.desk.standing import standings
from plugins.own_store.draws.drawn_prices import PriceDraw

pytestmark = pytest.mark.play

NEXT = MONDAY + dt.timedelta(days=7)


def changed(shop: Grocer, change: Callable[[str], str], file: str = "store.yaml") -> None:
    """Change a file of the shop's catalog, and go on with it."""
    text = (shop.folder / file).read_text(encoding="utf-8")
    assert change(text) != text
    (shop.folder / file).write_text(change(text), encoding="utf-8")
    shop.catalog = load(shop.folder)
    shop.workspace = shop.workspace_at(BEFORE)


def shown(shop: Grocer) -> np.ndarray:
    """Return what the stores show now, EUR, shape (n_stores, n_products)."""
    now = stores_now(shop.lake, shop.catalog, shop.catalog.store.stores)
    found = standings(shop.lake, shop.catalog, now)
    return np.array([found[store].prices for store in shop.catalog.store.stores])


def kept_rules(shop: Grocer, draw: PriceDraw) -> None:
    """Check that what a draw shows keeps band and cost, and that held stores show their own prices."""
    known = np.isfinite(draw.prices)
    assert (np.abs(draw.prices / draw.shelf_prices - 1)[known] <= 0.25 + 1e-9).all()
    assert (draw.prices >= shop.catalog.unit_costs)[known].all()
    assert (draw.prices == draw.shelf_prices)[draw.is_held].all()


def test_an_ending_is_kept_by_drawn_prices_and_does_not_move_the_stores_own(tmp_path: Path) -> None:
    shop = Grocer(tmp_path, n_stores=6)
    changed(shop, lambda text: text.replace("price_ending: null", "price_ending: 5"))
    assert np.array_equal(shown(shop), np.broadcast_to(shop.catalog.base_prices, (6, 3))), "nothing was drawn yet"
    shop.night(MONDAY - dt.timedelta(days=1))
    draw = shop.draw(MONDAY)
    kept_rules(shop, draw)
    assert draw.is_held.any()
    assert np.array_equal(shown(shop), draw.prices)
    cents = np.rint(draw.prices * 100)[~draw.is_held] % 10
    assert (cents == 5).all()


def test_a_store_that_leaves_and_one_that_comes_leave_the_others_prices_as_they_were_drawn(tmp_path: Path) -> None:
    shop = Grocer(tmp_path)
    shop.night(MONDAY - dt.timedelta(days=1))
    before, first = shop.draw(MONDAY), shop.catalog.store.stores[0]
    changed(shop, lambda text: text.replace(f"[{first}, ", "[").replace("S04]", "S04, S05]"))
    after = shop.draw(MONDAY)
    assert np.array_equal(after.prices[:-1], before.prices[1:])
    assert np.isnan(after.prices[-1]).all(), "nobody drew for a store that was not there"
    shop.week(MONDAY)
    shop.night(NEXT - dt.timedelta(days=1))
    kept_rules(shop, shop.draw(NEXT))
    assert np.isfinite(shop.draw(NEXT).prices).all(), "from its own price on, the new store is drawn for"


def test_a_product_that_leaves_in_the_middle_of_a_week_leaves_the_others_as_they_were_drawn(tmp_path: Path) -> None:
    shop = Grocer(tmp_path)
    shop.night(MONDAY - dt.timedelta(days=1))
    before, sku = shop.draw(MONDAY), shop.catalog.skus[0]
    changed(shop, lambda text: "\n".join(line for line in text.splitlines() if sku not in line), "products.yaml")
    assert np.array_equal(shop.draw(MONDAY).prices, before.prices[:, 1:])
    shop.week(MONDAY)
    shop.night(NEXT - dt.timedelta(days=1))
    kept_rules(shop, shop.draw(NEXT))


def test_a_kill_switch_for_a_day_changes_no_draw_and_prices_come_back_as_they_were_drawn(tmp_path: Path) -> None:
    shop = Grocer(tmp_path)
    shop.night(MONDAY - dt.timedelta(days=1))
    before = shop.draw(MONDAY)
    changed(shop, lambda text: text.replace("kill_switch: false", "kill_switch: true"))
    assert np.array_equal(shown(shop), before.shelf_prices)
    shop.night(MONDAY - dt.timedelta(days=1))
    changed(shop, lambda text: text.replace("kill_switch: true", "kill_switch: false"))
    shop.night(MONDAY - dt.timedelta(days=1))
    assert np.array_equal(shown(shop), before.prices)
    assert shop.draw(MONDAY).sha256 == before.sha256


def test_an_override_in_the_middle_of_a_draw_stands_above_it_and_leaves_the_draw_as_it_was(tmp_path: Path) -> None:
    shop = Grocer(tmp_path)
    shop.night(MONDAY - dt.timedelta(days=1))
    before = shop.draw(MONDAY)
    sku, price = shop.catalog.skus[1], float(shop.catalog.base_prices[1])
    ask(shop.workspace, PriceRequest("override", "a competitor", sku=sku, price=price), "anna")
    assert (shown(shop)[:, 1] == price).all()
    assert np.array_equal(np.delete(shown(shop), 1, axis=1), np.delete(before.prices, 1, axis=1))
    assert shop.draw(MONDAY).sha256 == before.sha256


def test_a_product_whose_own_price_is_outside_floor_and_ceiling_is_left_alone_and_named(tmp_path: Path) -> None:
    shop = Grocer(tmp_path)
    below = "base_price: 1.60, floor_price: 1.55, ceiling_price: 2.00"  # its stores sell it at 2.49
    changed(shop, lambda text: text.replace("base_price: 2.49", below), "products.yaml")
    before, own = shown(shop), shop.catalog.skus.index("P001")
    night = shop.night(MONDAY - dt.timedelta(days=1))
    assert night.said is not None
    assert night.said.endswith(
        "left alone, for their own prices lie outside floor and ceiling: P001 in S01, S02, S03, S04"
    )
    drawn = np.isfinite(shop.draw(MONDAY).prices)
    assert not drawn[:, own].any()
    assert np.delete(drawn, own, axis=1).all()
    assert np.array_equal(shown(shop)[:, own], before[:, own])


def test_an_order_is_for_today_although_nobody_sent_sales_for_days(tmp_path: Path) -> None:
    shop = Grocer(tmp_path)
    shop.night(MONDAY - dt.timedelta(days=1))
    today = MONDAY + dt.timedelta(days=2)
    shop.workspace = shop.workspace_at(f"{today}T10:00:00+00:00")
    ends = dt.datetime.combine(today, dt.time(18), dt.UTC)
    request = PriceRequest("override", "a neighbour", "P001", "S01", 2.55, valid_until=ends)
    assert ask(shop.workspace, request, "anna").changes[0].terms.valid_from.date() == today
    at = stores_now(shop.lake, shop.catalog, ("S01",), now_of(shop.workspace))
    assert (at["S01"].date, at["S01"].tick) == (today, 0)
    held = standings(shop.lake, shop.catalog, at)["S01"].of("P001")
    assert held is not None
    assert (held.price, held.rule) == (2.55, "override")
    assert stores_now(shop.lake, shop.catalog, ("S01",))["S01"].date == MONDAY
