"""What choices among substitutes teach: counted as they stood, and told apart from luck."""

import datetime as dt

import numpy as np
import pytest
from scipy.optimize import minimize

from catalog.arrays import Floats
from catalog.decisions.store_day import BOUGHT
from catalog.ladder import price_ladder
from catalog.load import DEFAULT_DIR, Catalog, load
from etl.load import DayRows, rows_of
from etl.twin.store_day import play
from features.substitutes import choices_of, pairs_of
from serving.belief.shoppers import _USUAL, _as_arrays, likeliest
from serving.learning.exploration import ExplorationPlan
from serving.optimise.policies import StaticPolicy
from serving.store.storefront import Storefront

WORLD = load(DEFAULT_DIR / "worlds" / "substitutes")
MONDAY = dt.date(2026, 1, 5)


def played(n_stores: int, par: int | None = None) -> DayRows:
    products = tuple(own.model_copy(update={"par_stock": par or own.par_stock}) for own in WORLD.products)
    store = WORLD.store.model_copy(update={"exploration": WORLD.store.exploration.model_copy(update={"hold_ticks": 4})})
    catalog = Catalog(products, store)
    policy = Storefront(StaticPolicy(catalog.base_prices), exploration=ExplorationPlan(1.0, price_ladder(catalog)))
    return rows_of(play(catalog, policy, [f"X{number:02d}" for number in range(n_stores)], MONDAY, 7), catalog)


def test_every_choice_is_counted_with_what_stood_on_the_shelf_then() -> None:
    products = WORLD.products
    store = WORLD.store.model_copy(update={"exploration": WORLD.store.exploration.model_copy(update={"hold_ticks": 4})})
    catalog = Catalog(products, store)
    policy = Storefront(StaticPolicy(catalog.base_prices), exploration=ExplorationPlan(1.0, price_ladder(catalog)))
    day = play(catalog, policy, ("S01", "S02"), MONDAY, 7)
    rows = rows_of(day, catalog)
    assert rows.substitutions is not None
    given = {"visits": rows.interactions, "taken": rows.substitutions, "repriced": rows.repricings}
    counted = {
        (row["sku"], tuple(row["others"]), tuple(row["prices"]), row["taken"]): row["count_shoppers"]
        for row in choices_of(given, *pairs_of(catalog)).to_pylist()
    }
    assert day.taken is not None
    taken = dict(zip(day.taken.visit.tolist(), day.taken.product.tolist(), strict=True))
    units = np.tile(catalog.par_stock, (2, 1))
    expected: dict[tuple[object, ...], int] = {}
    for row, (at, product) in enumerate(zip(day.store.tolist(), day.product.tolist(), strict=True)):
        if day.outcome[row] == BOUGHT:
            units[at, product] -= 1
            continue
        there = [other for other in np.flatnonzero(catalog.substitutes[product]) if units[at, other] > 0]
        there.sort(key=lambda other: catalog.skus[other])
        if there:
            prices = tuple(float(day.decisions.prices[day.tick[row], at, other]) for other in there)
            took = catalog.skus[taken[row]] if row in taken else None
            key = (catalog.skus[product], tuple(catalog.skus[other] for other in there), prices, took)
            expected[key] = expected.get(key, 0) + 1
        if row in taken:
            units[at, taken[row]] -= 1
    assert counted == expected


def test_a_few_thousand_decisions_tell_level_and_slope_of_the_logit() -> None:
    rows = played(n_stores=40, par=30_000)
    assert rows.substitutions is not None
    given = {"visits": rows.interactions, "taken": rows.substitutions, "repriced": rows.repricings}
    choices = choices_of(given, *pairs_of(WORLD)).to_pandas()
    base = dict(zip(WORLD.skus, WORLD.base_prices.tolist(), strict=True))
    arrays = _as_arrays(choices, base)
    level, slope = likeliest(*arrays)
    by_hand = minimize(_loss, _USUAL, args=arrays, tol=1e-10).x
    assert (level, slope) == pytest.approx(by_hand, abs=1e-3)
    assert -1 < level < 0.3
    assert 2.5 < slope < 4.5


def test_of_no_choice_nothing_is_believed_and_of_nobody_who_took_one_that_hardly_anybody_does() -> None:
    nothing = np.empty((0, 2))
    assert likeliest(nothing, nothing, np.empty(0)) == pytest.approx(_USUAL)
    level, _ = likeliest(np.zeros((1, 2)), np.zeros((1, 2)), np.array([5_000.0]))
    assert np.exp(level) < 0.001


def _loss(at: Floats, off: Floats, took: Floats, count: Floats) -> float:
    there = np.isfinite(off)
    log_weight = np.where(there, at[0] - at[1] * np.where(there, off, 0), -np.inf)
    log_chance = np.where(took > 0, log_weight, 0).sum(axis=1) - np.log1p(np.exp(log_weight).sum(axis=1))
    return float(-(count * log_chance).sum() + (((at - _USUAL) / np.array([3.0, 2.0])) ** 2).sum() / 2)
