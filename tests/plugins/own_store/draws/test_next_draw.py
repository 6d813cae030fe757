"""An outside store learns from the prices that were drawn for it: what a night draws, when, and what came of it."""

import datetime as dt
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from outside_grocer import DRAWN, MONDAY, SIX_WEEKS, SLOPE, UNITS, Grocer

from catalog.errors import DataError, Declined
from catalog.load import load
from etl.calendar import stores_now
from plugins.desk.price_changes.request import PriceRequest, ask
from plugins.desk.standing import standings
from plugins.own_store.draws import drawn_sales as reading
from plugins.own_store.draws.approved_designs import decide as decide_design
from plugins.own_store.draws.drawn_prices import draw_on, own_prices_on
from plugins.own_store.draws.drawn_sales import drawn_sales, told_by_log
from plugins.own_store.draws.experiments import Experiment, new_experiment, next_start, plan, withdraw
from plugins.own_store.draws.next_draw import next_draw
from plugins.own_store.draws.said_price import say_shelf_price
from plugins.own_store.earned import earned_by_draws
from plugins.own_store.learning.belief_from_units import believed_of_units
from plugins.own_store.learning.belief_priors import ToldPrior
from warehouse.lake import Lake, Partition
from warehouse.workspace import Workspace


def test_a_night_draws_the_week_within_band_and_step_and_says_by_what_chance(tmp_path: Path) -> None:
    shop = Grocer(tmp_path)
    night = shop.night(MONDAY - dt.timedelta(days=1))
    draw, rules = shop.draw(MONDAY), shop.catalog.store.drawn_prices
    ratios = draw.prices / draw.shelf_prices
    assert (night.outcome, night.said is not None) == ("priced", True)
    assert (draw.first, draw.through) == (MONDAY, MONDAY + dt.timedelta(days=6))
    assert np.all(np.abs(ratios - 1) <= rules.step + 0.01)
    assert len(np.unique(ratios.round(3))) > 2
    assert np.all(draw.prices >= shop.catalog.unit_costs)
    rows = shop.lake.read(Partition("price_draws", MONDAY, "all"))
    assert np.all((rows["propensity"].to_numpy() > 0) & (rows["propensity"].to_numpy() <= 1))


def test_a_week_that_was_drawn_is_never_drawn_again_whatever_comes_late(tmp_path: Path) -> None:
    shop = Grocer(tmp_path)
    shop.night(MONDAY - dt.timedelta(days=1))
    before = shop.draw(MONDAY).sha256
    shop.week(MONDAY)
    for day in range(6):
        shop.night(MONDAY + dt.timedelta(days=day))
    assert shop.draw(MONDAY).sha256 == before == shop.draw(MONDAY + dt.timedelta(days=6)).sha256
    assert next_draw(shop.lake, shop.catalog, MONDAY + dt.timedelta(days=3), 7) is None
    shop.night(MONDAY + dt.timedelta(days=6))
    assert shop.draw(MONDAY + dt.timedelta(days=7)).sha256 != before


def test_a_week_after_which_nothing_sold_at_a_drawn_price_is_followed_by_another_draw(tmp_path: Path) -> None:
    shop = Grocer(tmp_path)
    shop.night(MONDAY - dt.timedelta(days=1))
    drawn = next_draw(shop.lake, shop.catalog, MONDAY + dt.timedelta(days=7), 7)
    assert drawn is not None
    assert "from 0 earlier draws" in drawn.said


def test_what_the_stores_show_is_what_was_drawn_and_their_own_price_under_the_kill_switch(tmp_path: Path) -> None:
    shop = Grocer(tmp_path)
    shop.night(MONDAY - dt.timedelta(days=1))
    draw = shop.draw(MONDAY)
    now = stores_now(shop.lake, shop.catalog, shop.catalog.store.stores)
    found = standings(shop.lake, shop.catalog, now)
    for place, store in enumerate(shop.catalog.store.stores):
        assert np.array_equal(found[store].prices, draw.prices[place])
        rules = ["held_price" if is_held else "drawn_price" for is_held in draw.is_held[place]]
        assert [one.rule for one in found[store]] == rules
    shop.week(MONDAY)
    ask(shop.workspace, PriceRequest("kill_switch", "prices look wrong"), "anna")
    stands = standings(shop.lake, shop.catalog, stores_now(shop.lake, shop.catalog, shop.catalog.store.stores))
    assert all(np.array_equal(own.prices, shop.catalog.base_prices) for own in stands.values())


def test_weeks_of_draws_teach_the_slope_and_a_wrong_word_of_the_log_is_withdrawn(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    shop, after = Grocer.after_six_weeks(tmp_path_factory, tmp_path), MONDAY + SIX_WEEKS
    sold = drawn_sales(shop.lake, shop.catalog, after - dt.timedelta(days=1))
    belief = believed_of_units(sold.rows)
    assert np.all(np.abs(belief.slopes - SLOPE) < 4 * belief.slopes_deviation)
    assert belief.slopes_deviation.mean() < 0.5
    told = ToldPrior.of(np.full(3, SLOPE + 6.0), 0.2)
    drawn = next_draw(shop.lake, shop.catalog, after, 7, lambda: told)
    assert drawn is not None
    assert "is withdrawn, for their own draws contradict it" in drawn.said


def test_sales_at_the_owner_s_regular_price_before_the_first_draw_give_levels_and_no_others_do(tmp_path: Path) -> None:
    shop = Grocer(tmp_path)
    own = np.broadcast_to(shop.catalog.base_prices, (4, 3)).copy()
    before = drawn_sales(shop.lake, shop.catalog, MONDAY - dt.timedelta(days=1), own)
    assert (before.n_draws, before.slots) == (0, (MONDAY - dt.timedelta(days=7),))
    assert np.allclose(before.rows.exposure, 6 / 7), "the day on which a product is first heard of is left out"
    assert np.allclose(before.first_owner, own)
    own[0, 0] += 0.1
    own[1, 0] = np.nan
    other = drawn_sales(shop.lake, shop.catalog, MONDAY - dt.timedelta(days=1), own).rows
    assert (other.exposure[0, :2] == 0).all()
    assert np.allclose(np.delete(other.exposure[:, :, 0].ravel(), [0, 1]), 6 / 7)
    leaflet = {"store_id": ["S01"], "sku": ["P001"], "leaflet": [True]}
    shop.publish("promotions", MONDAY - dt.timedelta(days=2), leaflet)
    after = shop.weeks(2)
    sold = drawn_sales(shop.lake, shop.catalog, after - dt.timedelta(days=1))
    assert (sold.n_draws, sold.rows.shape) == (2, (3, 4, 3))
    assert sold.rows.exposure[1, 0, 0] == pytest.approx(5 / 7)
    assert np.all(sold.rows.log_ratios[:, :, 0] == 0)
    belief = believed_of_units(sold.rows)
    assert np.allclose(np.exp(belief.levels + belief.effects[0]), 7 * UNITS, rtol=0.25)


def test_what_draws_brought_is_told_against_the_weeks_that_were_held(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with pytest.raises(DataError, match="expected prices that were drawn, found none"):
        earned_by_draws(Grocer(tmp_path / "new").workspace)
    shop = Grocer.after_six_weeks(tmp_path_factory, tmp_path / "later")
    found = earned_by_draws(shop.workspace)
    held, drawn = found.chain.n_held, found.chain.n_treated
    rows = [
        row
        for week in range(6)
        for row in shop.lake.read(Partition("price_draws", MONDAY + dt.timedelta(days=7 * week), "all")).to_pylist()
    ]
    assert {row["held_share"] for row in rows} == {0.2}
    assert (held, drawn) == (sum(row["is_held"] for row in rows), sum(not row["is_held"] for row in rows))
    assert 0 < held < drawn
    assert found.chain.share_low < found.chain.share < found.chain.share_high
    assert list(found.weeks) == [MONDAY + dt.timedelta(days=7 * week) for week in range(6)]
    assert found.as_json()["n_held"] == held


def test_a_product_that_is_drawn_no_more_goes_back_to_its_own_price(tmp_path: Path) -> None:
    shop = Grocer(tmp_path)
    after = shop.weeks(1)
    text = (shop.folder / "store.yaml").read_text(encoding="utf-8")
    (shop.folder / "store.yaml").write_text(text.replace("products: all", "products: [P001]"), encoding="utf-8")
    catalog = load(shop.folder)
    shop.workspace = Workspace(shop.settings, catalog, shop.lake)
    shop.night(after - dt.timedelta(days=1))
    draw = shop.draw(after)
    own = catalog.skus.index("P001")
    others = [place for place in range(3) if place != own]
    assert np.isfinite(draw.prices[:, others]).any()
    assert not draw.is_elsewhere[:, others].any()
    known = np.isfinite(draw.shelf_prices)
    assert np.array_equal(draw.shelf_prices[known], np.broadcast_to(catalog.base_prices, known.shape)[known])


def test_once_all_went_back_no_draw_stands_and_the_stores_own_prices_are_read_again(tmp_path: Path) -> None:
    shop = Grocer(tmp_path)
    after = shop.weeks(1)
    text = (shop.folder / "store.yaml").read_text(encoding="utf-8")
    (shop.folder / "store.yaml").write_text(text.replace("products: all", "products: none"), encoding="utf-8")
    shop.workspace = Workspace(shop.settings, load(shop.folder), shop.lake)
    shop.night(after - dt.timedelta(days=1))
    assert not shop.draw(after).is_elsewhere.any()
    shop.week(after)
    night = shop.night(after + dt.timedelta(days=6))
    assert draw_on(shop.lake, shop.workspace.catalog, after + dt.timedelta(days=7)) is None
    assert night.said is not None
    own = own_prices_on(shop.lake, shop.workspace.catalog, after + dt.timedelta(days=7), None)
    assert np.array_equal(own.prices, np.broadcast_to(shop.catalog.base_prices, own.prices.shape))


def test_nothing_is_drawn_without_leave_or_while_prices_wait_for_a_person(tmp_path: Path) -> None:
    quiet = Grocer(tmp_path / "quiet", more="sales: outside\n")
    night = quiet.night(MONDAY - dt.timedelta(days=1))
    assert night.outcome == "base prices stay"
    assert draw_on(quiet.lake, quiet.catalog, MONDAY) is None
    waiting = Grocer(tmp_path / "waiting", more=f"{DRAWN}approval: {{within_of_yesterday: 0.05}}\n")
    with pytest.raises(Declined, match="run `shelfprice decide approve drawn_prices`"):
        waiting.night(MONDAY - dt.timedelta(days=1))
    assert draw_on(waiting.lake, waiting.catalog, MONDAY) is None


def test_a_design_is_approved_once_and_its_prices_stand_and_another_design_waits_anew(tmp_path: Path) -> None:
    shop = Grocer(tmp_path, more=f"{DRAWN}approval: {{within_of_base: 0.0}}\n")
    with pytest.raises(Declined, match="found none; nothing was taken back"):
        decide_design(shop.workspace, None, is_approved=False)
    decide_design(shop.workspace, "we can show that", is_approved=True)
    shop.night(MONDAY - dt.timedelta(days=1))
    draw = shop.draw(MONDAY)
    found = standings(shop.lake, shop.catalog, stores_now(shop.lake, shop.catalog, shop.catalog.store.stores))
    for place, store in enumerate(shop.catalog.store.stores):
        assert np.array_equal(found[store].prices, draw.prices[place])
    assert draw.is_elsewhere.any()
    shop.week(MONDAY)
    text = (shop.folder / "store.yaml").read_text(encoding="utf-8")
    (shop.folder / "store.yaml").write_text(text.replace("held_share: 0.2", "held_share: 0.1"), encoding="utf-8")
    other = Workspace(shop.settings, load(shop.folder), shop.lake)
    with pytest.raises(Declined, match="10% held"):
        next_draw(shop.lake, other.catalog, MONDAY + dt.timedelta(days=7), 7)
    decide_design(shop.workspace, "no", is_approved=False)
    with pytest.raises(Declined, match="found nobody"):
        next_draw(shop.lake, shop.catalog, MONDAY + dt.timedelta(days=7), 7)


def test_a_planned_experiment_shows_its_products_by_a_fair_coin_around_their_price(tmp_path: Path) -> None:
    shop = Grocer(tmp_path, more="sales: outside\n", n_stores=8)
    starts = next_start(shop.lake, shop.catalog, MONDAY - dt.timedelta(days=1))
    one = Experiment(
        1, starts, starts + dt.timedelta(days=13), 0.05, ("P001",), "why not", "anna", dt.datetime.now(dt.UTC)
    )
    plan(shop.workspace, one)
    with pytest.raises(Declined, match="nothing was planned"):
        plan(shop.workspace, replace(one, number=2))
    after = shop.weeks(2)
    for first in (MONDAY, MONDAY + dt.timedelta(days=7)):
        draw = shop.draw(first)
        own = shop.catalog.skus.index("P001")
        free = ~draw.is_held[:, own]
        ratios = (draw.prices / draw.shelf_prices)[free, own]
        assert np.all(np.abs(np.abs(ratios - 1) - 0.05) < 0.01)
        assert np.isnan(np.delete(draw.prices, own, axis=1)).all()
    shop.night(after - dt.timedelta(days=1))
    back = shop.draw(after)
    assert np.isfinite(back.prices[:, own]).any()
    assert not back.is_elsewhere.any()


@pytest.mark.parametrize(("guardrail", "step"), [("price_ending: 9", 0.1), ("largest_step: 0.06", 0.06)])
def test_no_coin_and_no_draw_after_it_moves_a_price_by_more_than_the_step(
    tmp_path: Path, guardrail: str, step: float
) -> None:
    def guarded(folder: Path) -> None:
        file, name = folder / "store.yaml", guardrail.split(":", maxsplit=1)[0]
        text = file.read_text(encoding="utf-8")
        assert f"{name}: null" in text
        file.write_text(text.replace(f"{name}: null", guardrail), encoding="utf-8")

    shop = Grocer(tmp_path, more=DRAWN.replace("all", "[P000]"), n_stores=3, changed=guarded)
    one = Experiment(1, MONDAY, MONDAY + dt.timedelta(days=20), 0.1, ("P001",), "-", "anna", dt.datetime.now(dt.UTC))
    plan(shop.workspace, one)
    shop.weeks(4)
    own = np.broadcast_to(shop.catalog.base_prices, (3, 3))
    shown, is_held = [own], [own < 0]
    for week in range(4):
        draw = shop.draw(MONDAY + dt.timedelta(days=7 * week))
        shown.append(np.where(np.isfinite(draw.prices), draw.prices, own))
        is_held.append(draw.is_held)
    moves = np.abs(np.array(shown[1:]) / np.array(shown[:-1]) - 1)
    is_free = ~np.array(is_held[1:]) & ~np.array(is_held[:-1])
    assert moves[is_free].max() <= step + 1e-9
    assert (moves[is_free] > 0).any()
    assert (np.array(shown)[np.array(is_held)] == np.broadcast_to(own, (5, 3, 3))[np.array(is_held)]).all()


def test_an_owner_s_new_price_moves_the_band_from_the_next_draw_on_and_not_what_was_learned(tmp_path: Path) -> None:
    shop = Grocer(tmp_path, n_stores=8)
    after = shop.weeks(4)
    shop.night(after - dt.timedelta(days=1))
    before, own = shop.draw(after), shop.catalog.skus.index("P000")
    old = shop.catalog.base_prices[own]
    new = round(float(old) * 1.1, 2)
    assert "from the draw after" in say_shelf_price(shop.workspace, "P000", new, None, "the dairy raised its price")
    say_shelf_price(shop.workspace, "P000", new, "S01", "again")
    shop.week(after)
    assert np.array_equal(shop.draw(after).prices, before.prices)
    shop.night(after + dt.timedelta(days=6))
    draw = shop.draw(after + dt.timedelta(days=7))
    assert set(draw.shelf_prices[:, own]) == {new}
    assert (np.abs(draw.left_at[:, own] / before.left_at[:, own] - 1) <= 0.1 + 0.01).all()
    assert (draw.prices[draw.is_held[:, own], own] == new).all()
    assert np.array_equal(np.delete(draw.shelf_prices, own, 1), np.delete(before.shelf_prices, own, 1))
    shop.week(after + dt.timedelta(days=7))
    sold = drawn_sales(shop.lake, shop.catalog, after + dt.timedelta(days=13)).rows
    shown = np.log(draw.prices[:, own] / old)
    assert np.allclose(sold.log_ratios[own, :, -1], np.where(sold.exposure[own, :, -1] > 0, shown, 0))
    with pytest.raises(DataError, match="nothing was recorded"):
        say_shelf_price(shop.workspace, "P000", new, "NOPE", "x")


def test_of_a_product_that_is_not_drawn_no_price_has_to_be_said(tmp_path: Path) -> None:
    shop = Grocer(tmp_path, more=DRAWN.replace("all", "[P001]"))
    with pytest.raises(Declined, match="charge the new price at the tills"):
        say_shelf_price(shop.workspace, "P001", 2.0, None, "nothing was drawn yet")
    shop.weeks(1)
    with pytest.raises(Declined, match="P000, whose are not"):
        say_shelf_price(shop.workspace, "P000", 2.0, None, "not drawn")


def test_products_of_a_family_share_their_throw_in_draws_and_in_experiments(tmp_path: Path) -> None:
    more = DRAWN.replace("all", "[P002]").replace("}", ", families: [[P000, P001]]}")
    shop = Grocer(tmp_path, more=more, n_stores=8)
    one = new_experiment(shop.workspace, 0.08, 4, ["P001"], "together")
    assert set(one.products) == {"P000", "P001"}
    plan(shop.workspace, one)
    for week in range(2):
        shop.weeks(week + 1)
        rows = shop.lake.read(Partition("price_draws", MONDAY + dt.timedelta(days=7 * week), "all")).to_pylist()
        thrown = [
            row for row in rows if row["low_price"] is not None and not row["is_held"] and not row["is_on_the_way"]
        ]
        sides = {(row["store_id"], row["sku"]): row["price"] == row["high_price"] for row in thrown}
        assert len({side for _, side in sides.items()}) == 2
        assert all(sides[store, "P000"] == sides[store, "P001"] for store, _ in sides)


def test_a_withdrawn_experiment_goes_back_by_the_next_night_and_what_else_was_drawn_stands(tmp_path: Path) -> None:
    shop = Grocer(tmp_path, more=DRAWN.replace("all", "[P000]"), n_stores=6)
    one = Experiment(
        1, MONDAY, MONDAY + dt.timedelta(days=69), 0.08, ("P001",), "why not", "anna", dt.datetime.now(dt.UTC)
    )
    plan(shop.workspace, one)
    shop.night(MONDAY - dt.timedelta(days=1))
    shop.week(MONDAY, n_days=2)
    shop.night(MONDAY + dt.timedelta(days=1))
    drawn, own = shop.draw(MONDAY + dt.timedelta(days=2)), shop.catalog.skus.index("P001")
    assert drawn.is_elsewhere[:, own].any()
    ended = withdraw(shop.workspace, 1, "the neighbours complain")
    assert ended.withdrawn_from == MONDAY + dt.timedelta(days=3)
    shop.week(MONDAY + dt.timedelta(days=2), n_days=1)
    assert "was withdrawn" in str(shop.night(MONDAY + dt.timedelta(days=2)).said)
    after = shop.draw(MONDAY + dt.timedelta(days=3))
    assert (after.first, after.through) == (ended.withdrawn_from, drawn.through)
    assert not after.is_elsewhere[:, own].any()
    other = shop.catalog.skus.index("P000")
    assert np.array_equal(after.prices[:, other], drawn.prices[:, other])
    shop.week(MONDAY + dt.timedelta(days=3), n_days=4)
    assert shop.night(MONDAY + dt.timedelta(days=3)).said is None
    found = earned_by_draws(shop.workspace)
    assert found.chain.n_held + found.chain.n_treated <= 6 * 2


def test_a_log_is_a_first_guess_of_at_least_its_least_width_and_no_file_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Grocer(tmp_path)
    assert told_by_log(shop.workspace, MONDAY) is None
    slopes, errors = np.array([-1.5, np.nan, np.nan]), np.array([0.2, np.nan, np.nan])
    monkeypatch.setattr(Lake, "partitions", lambda *_: iter([Partition("ingested_files", None, "f")]))
    monkeypatch.setattr(reading, "feature_workbench", lambda _: nullcontext())
    monkeypatch.setattr(reading, "sold_by_week", lambda *_: None)
    monkeypatch.setattr(reading, "slopes_of", lambda *_: (slopes, errors))
    prior = told_by_log(shop.workspace, MONDAY)
    assert prior is not None
    assert np.array_equal(prior.slopes, slopes, equal_nan=True)
    assert prior.widths[0] >= 1
