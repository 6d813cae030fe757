"""The Desk page of stores that sell by themselves: what is drawn, who is held, and what an experiment does."""

import datetime as dt
from collections.abc import Callable, Iterator

import pytest
from monitors import serving
from outside_grocer import DRAWN, Grocer
from playwright.sync_api import Page, expect

from features.cells import ALL_VIEWS
from plugins.own_store.draws.experiments import new_experiment, plan
from plugins.own_store.earned import record_earned
from warehouse.query.connection import build_file


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A monitor of eight stores with two weeks of an experiment behind them, and the prices of the third drawn."""
    shop = Grocer(tmp_path_factory.mktemp("shop"), more=DRAWN.replace("all", "[P000]"), n_stores=8)
    plan(shop.workspace, new_experiment(shop.workspace, 0.08, 10, ["P001"], "to learn what eggs do"))
    after = shop.weeks(2)
    record_earned(shop.workspace)
    shop.night(after - dt.timedelta(days=1))
    build_file(shop.settings, ALL_VIEWS)
    with serving(shop.settings, catalog_dir=shop.folder) as address:
        yield f"{address}/desk"


def test_the_desk_says_what_is_drawn_who_is_held_and_what_an_experiment_does(
    desk: str, visit: Callable[..., Page]
) -> None:
    page = visit(desk)
    drawn = page.locator("#desk-draws")
    expect(drawn).to_contain_text("Products drawn")
    expect(drawn).to_contain_text("Held at your own prices")
    expect(drawn).to_contain_text("Earned lately")
    expect(drawn.get_by_role("row")).to_have_count(3)
    expect(drawn).to_contain_text("Experiment 1: ±8.0 % by a fair coin on P001")
    expect(drawn).to_contain_text("week 3 of 10")
    expect(drawn).to_contain_text("to learn what eggs do")
    expect(drawn).to_contain_text("Told through")
