"""The stickers of a morning are listed before it, stand on the shelf as listed, and teach what their shoppers did."""

import datetime as dt
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from free_prices import freely
from typer.testing import CliRunner

from catalog.load import Catalog, load
from catalog.records.deliveries import Deliveries
from catalog.settings import read_settings
from dashboard.data.desk.price_desk import PriceDesk
from dashboard.data.reader import Reader
from dashboard.pages.store_cards import READ
from etl.open_days import LiveDay, sold_in, sold_so_far
from flows.cli.main import app
from plugins.desk.live_shelf import standing_of
from plugins.desk.price_changes.propose import propose
from plugins.desk.price_changes.record import changes_on
from plugins.desk.stickers import stickers_on
from plugins.evaluation.living_store import LivingStore
from plugins.live.player import Player
from plugins.live.prices import LivePrices
from plugins.operations.replay.day import replay
from serving.book.store import book_in_force
from serving.store.markdowns import planned_markdowns
from warehouse.lake import Lake
from warehouse.query.connection import read_only
from warehouse.workspace import Workspace

pytestmark = pytest.mark.play

FIRST = dt.date(2026, 1, 5)
DATES = [FIRST + dt.timedelta(days=day) for day in range(4)]
NEXT = FIRST + dt.timedelta(days=4)
SEED = 3


def shop() -> Catalog:
    fresh = load()
    much = {"shelf_life_days": 2, "par_stock": 60, "deliveries": Deliveries(quantity=40)}
    products = tuple(own.model_copy(update=much) for own in fresh.products if own.sku in {"MILK", "MEAT"})
    update = {"stores": ("S01", "S02"), "popularity": {}, "visits_per_day": 120.0, "freshest_share": 0.5}
    return freely(Catalog(products, fresh.store.model_copy(update=update)))


def within(home: Path) -> Workspace:
    settings = read_settings({"SHELFPRICE_HOME": str(home)})
    return Workspace(settings, shop(), Lake(settings))


@pytest.fixture(scope="module")
def sold(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Return four days of two stores, each with its night."""
    home = tmp_path_factory.mktemp("markdowns") / "home"
    store = LivingStore(read_settings({"SHELFPRICE_HOME": str(home)}), shop(), SEED)
    for date in DATES:
        store.sell(date)
        store.night_without_training(date)
    return store.workspace


@pytest.fixture
def ask(sold: Workspace) -> Callable[[str], list[tuple[Any, ...]]]:
    def of_the_warehouse(question: str) -> list[tuple[Any, ...]]:
        with read_only(sold.settings) as connection:
            return connection.execute(question).fetchall()

    return of_the_warehouse


def test_what_was_listed_is_what_stood(ask: Callable[[str], list[tuple[Any, ...]]]) -> None:
    listed = ask("""
        select business_date, store_id, sku, price, sticker_eur from markdowns where business_date < '2026-01-09'
    """)
    stood = ask("""
        select business_date, store_id, sku, new_price, sticker_eur from repricings where sticker_eur is not null
    """)
    assert len(listed) > 4
    assert sorted(listed) == sorted(stood)


def test_what_became_of_each_markdown_adds_up(ask: Callable[[str], list[tuple[Any, ...]]]) -> None:
    rows = ask("""
        select units_marked, daily_markdowns.units_sold, daily_markdowns.units_spoiled, brought_eur, sticker_eur,
            moved.units_sold, expected_saving_eur
        from daily_markdowns
        inner join stock_movements as moved using (business_date, store_id, sku)
        where moved.expires_on = business_date
    """)
    assert len(rows) > 4
    for marked, sold_by_it, spoiled, brought, sticker, moved, saving in rows:
        assert marked == moved + spoiled
        assert sold_by_it == moved
        assert brought == pytest.approx(sticker * sold_by_it)
        assert saving > 0


def test_demand_is_learned_at_the_lowest_price_that_a_shopper_saw(ask: Callable[[str], list[tuple[Any, ...]]]) -> None:
    met = """
        select business_date, sku, coalesce(sticker_eur, price_offered) as price, count(*), count(*) filter (purchased)
        from interactions where inventory_level > 0 group by all
    """
    cells = """
        select business_date, sku, price_offered as price, sum(n_offered), sum(n_purchased)
        from demand_cells group by all
    """
    assert sorted(ask(met)) == sorted(ask(cells))
    counted = (
        "select business_date, sku, price_offered, sum(count_met), sum(count_bought) from visit_counts group by all"
    )
    assert sorted(row for row in ask(counted) if row[3]) == sorted(ask(cells))


def test_a_product_whose_price_is_given_carries_no_sticker(sold: Workspace) -> None:
    rows = planned_markdowns(sold.lake, sold.catalog, NEXT).to_pylist()
    assert rows
    frozen = {rows[0]["sku"]: rows[0]["price"]}
    for rails in ({"frozen": frozen}, {"kill_switch": True}):
        guardrails = sold.catalog.store.guardrails.model_copy(update=rails)
        limited = Catalog(sold.catalog.products, sold.catalog.store.model_copy(update={"guardrails": guardrails}))
        left = {row["sku"] for row in planned_markdowns(sold.lake, limited, NEXT).to_pylist()}
        assert rows[0]["sku"] not in left


def test_the_monitor_has_those_to_print_and_those_that_stood(sold: Workspace) -> None:
    found = Reader(sold.settings).ask("stickers_of_store", READ, date=DATES[-1], store="S01")
    to_print = found[found["count_sold"].isna()]
    assert sorted(to_print["sticker_eur"]) == sorted(
        row["sticker_eur"] for row in planned_markdowns(sold.lake, sold.catalog, NEXT, ["S01"]).to_pylist()
    )
    assert len(found) > len(to_print) > 0


def test_the_command_means_the_morning_that_desk_and_price_tags_mean_for_each_store(
    sold: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, day = within(shutil.copytree(sold.settings.home, tmp_path / "home")), LiveDay("S01", NEXT)
    Player(work.lake, LivePrices(work.lake, lambda: work.catalog, day, SEED), day, SEED).sell_tick()
    monkeypatch.setenv("SHELFPRICE_HOME", str(work.settings.home))
    monkeypatch.setattr("flows.workspace.load", lambda _: work.catalog)
    sheet = PriceDesk(work.settings, Reader(work.settings), shop).sheet()
    assert {row.date for row in sheet.rows} == {NEXT}
    for store in work.catalog.store.stores:
        found = json.loads(CliRunner().invoke(app, ["changes", "--stickers", "--store", store, "--json"]).stdout)
        assert found["business_date"] == NEXT.isoformat()
        tags = {(row.sku, row.sticker.units) for row in sheet.rows if row.store == store and row.sticker is not None}
        assert {(row["sku"], row["units"]) for row in found["stickers"]} == tags


def test_a_live_day_goes_on_with_its_stickers_and_is_replayed_to_the_same_bytes(
    sold: Workspace, tmp_path: Path
) -> None:
    own, day = within(shutil.copytree(sold.settings.home, tmp_path / "home")), LiveDay("S01", NEXT)

    def player() -> Player:
        return Player(own.lake, LivePrices(own.lake, lambda: own.catalog, day, SEED), day, SEED)

    first = player()
    for _ in range(20):
        first.sell_tick()
    so_far = sold_so_far(own.lake, day)
    assert so_far is not None
    standing, expected = standing_of(own.lake, own.catalog, day, so_far, 20), first._stretch.standing
    assert expected.sticker is not None
    assert np.isfinite(expected.sticker).any()
    for name in ("stock", "shown", "by_life", "sticker"):
        np.testing.assert_array_equal(getattr(standing, name), getattr(expected, name))
    marked = [one.marked for one in sold_in(so_far.rows, own.catalog, 20) if one.marked is not None]
    met = so_far.rows.interactions["sticker_eur"].drop_null()
    assert sum(one.met.sum() for one in marked) == len(met) > 0
    second = player()
    while not second.is_over:
        second.sell_tick()
    second.close()
    parts = {part.part: part for part in replay(own.settings, NEXT)}
    assert all(part.is_same for name, part in parts.items() if name != "features"), parts


def test_the_desk_gives_the_sticker_as_the_reason_and_no_gain_of_a_plan_without_it(
    sold: Workspace, tmp_path: Path
) -> None:
    listed = stickers_on(sold.lake, sold.catalog, NEXT)
    assert listed
    rows = {(row.store, row.sku): row for row in PriceDesk(sold.settings, Reader(sold.settings), shop).sheet().rows}
    for place, row in rows.items():
        assert ("on their last day carry a sticker" in row.why, row.gain is None) == (place in listed, place in listed)

    shutil.copytree(sold.settings.home, tmp_path / "home")
    approval = shop().store.approval.model_copy(update={"within_of_yesterday": 0.0})
    asks = Catalog(shop().products, shop().store.model_copy(update={"approval": approval}))
    workspace = replace(within(tmp_path / "home"), catalog=asks)
    book = book_in_force(workspace.lake, NEXT)
    assert book is not None
    propose(workspace, book, NEXT)
    for change in changes_on(workspace.lake, NEXT):
        is_beside = (change.terms.store, change.terms.sku) in listed
        assert ("carry a sticker" in change.terms.reason) == is_beside
        assert change.terms.expected_gain is None or not is_beside
