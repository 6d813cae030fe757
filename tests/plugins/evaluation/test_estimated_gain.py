"""The estimate of what prices gain, against the twin's truth: its intervals must hold it."""

import datetime as dt
from collections.abc import Callable
from functools import cache

import numpy as np
import pyarrow as pa
import pytest
from free_prices import freely

from catalog.decisions.store_day import tick_profile
from catalog.ladder import price_ladder
from catalog.load import CLASSIC, load
from etl.twin.store_day import play
from plugins.evaluation.logged_visits import LoggedVisits
from plugins.evaluation.off_policy import OffPolicyEstimate, gain_on
from plugins.evaluation.truth import chance_of_sale
from serving.belief.belief import believed_before_anybody_came
from serving.book.book import BookPolicy, PriceBook
from serving.book.make import DayKnowledge, tabulate
from serving.learning.exploration import ExplorationPlan
from serving.learning.outlook import start_of_day
from serving.optimise.curves import DemandCurves
from serving.optimise.policies import policy_with_model, policy_without_model
from serving.store.storefront import Storefront
from training.judge.believed_gain import RivalBooks

CATALOG = freely(load(CLASSIC))
LADDER = price_ladder(CATALOG)
TRUTH = chance_of_sale(CATALOG, LADDER / CATALOG.base_prices[:, None])
FOOTFALL = CATALOG.store.visits_per_day * CATALOG.popularity[:, None] * tick_profile(CATALOG.store)
FIRST = dt.date(2026, 1, 5)
MADE_FOR = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)


def learned_curves(seed: int, error: float = 0.15) -> DemandCurves:
    """Curves as from a model with an error of its own for each product: log odds stretched and shifted."""
    draw = np.random.default_rng(seed)
    stretch, shift = error * draw.normal(size=(2, len(LADDER), 1))
    odds = np.log(TRUTH / (1 - TRUTH)) * (1 + stretch) + shift
    return DemandCurves(CATALOG.skus, LADDER, 1 / (1 + np.exp(-odds)), "1")


def book_of(curves: DemandCurves) -> PriceBook:
    return tabulate(policy_with_model(CATALOG, curves, FOOTFALL), CATALOG, MADE_FOR)


def rivals(curves: DemandCurves, champion: PriceBook | None) -> RivalBooks:
    """Return the book of some curves beside a champion's, or base prices."""
    outlook = start_of_day(CATALOG, believed_before_anybody_came(CATALOG)).outlook()
    known = DayKnowledge(curves, FOOTFALL, pa.table({}), outlook)
    usual = champion or tabulate(policy_without_model(CATALOG), CATALOG, MADE_FOR)
    return RivalBooks(FIRST, (known, None if champion is None else known), (book_of(curves), usual))


def log_of(policy: Storefront, n_stores: int, n_days: int, seed: int) -> LoggedVisits:
    """Play store days in memory, as the lake would hold them."""
    days = tuple(FIRST + dt.timedelta(days=day) for day in range(n_days))
    stores = [f"S{number:02d}" for number in range(n_stores)]
    columns: dict[str, list[np.ndarray]] = {}
    for position, date in enumerate(days):
        played = play(CATALOG, policy, stores, date, seed)
        stocked = played.inventory > 0
        hold = CATALOG.store.exploration.hold_ticks
        window = played.tick.astype(np.int64) // hold
        throw = ((position * n_stores + played.store) * len(LADDER) + played.product) * 100 + window
        found = {
            "day": np.full(len(throw), position),
            "store": played.store.astype(np.int64),
            "product": played.product.astype(np.int64),
            "stock": played.inventory.astype(np.int64),
            "tick": played.tick.astype(np.int64),
            "price": played.price,
            "propensity": played.propensity,
            "purchased": played.outcome == 0,
            "dice": throw,
        }
        for name, values in found.items():
            columns.setdefault(name, []).append(values[stocked])
    arrays = {name: np.concatenate(parts) for name, parts in columns.items()}
    arrays["dice"] = np.unique(arrays["dice"], return_inverse=True)[1]
    return LoggedVisits(days=days, stores=tuple(stores), n_store_days=n_days * n_stores, **arrays)


@cache
def first_night(seed: int, n_stores: int = 3, n_days: int = 2) -> OffPolicyEstimate:
    """A first challenger, judged on days that half the time tried prices and showed base prices otherwise."""
    curves = learned_curves(seed)
    log = log_of(
        Storefront(policy_without_model(CATALOG), exploration=ExplorationPlan(0.5, LADDER)), n_stores, n_days, seed
    )
    return gain_on(CATALOG, log, rivals(curves, None), is_known=True)


def later_night(seed: int, share: float = 0.05) -> OffPolicyEstimate:
    """A challenger against a champion of the same kind, judged on days that the champion priced."""
    curves, champion = learned_curves(seed), book_of(learned_curves(seed + 1_000))
    log = log_of(Storefront(BookPolicy(champion), exploration=ExplorationPlan(share, LADDER)), 5, 5, seed)
    return gain_on(CATALOG, log, rivals(curves, champion), is_known=True)


@pytest.mark.parametrize("night", [first_night, later_night])
def test_the_doubly_robust_interval_holds_the_truth_in_ninety_of_a_hundred_logs(
    night: Callable[[int], OffPolicyEstimate],
) -> None:
    estimates = [night(seed) for seed in range(100)]
    held = sum(one.dr.lower <= (one.truth or 0.0) <= one.dr.upper for one in estimates)
    assert held >= 90


def test_a_first_night_is_enough_to_see_what_a_good_book_earns_more_than_base_prices() -> None:
    estimates = [first_night(seed) for seed in range(20)]
    assert np.mean([one.dr.lower > 0 for one in estimates]) >= 0.9
    assert sum(one.warning is not None for one in estimates) <= 2


def test_prices_that_the_log_never_tried_are_warned_about() -> None:
    curves = learned_curves(1)
    log = log_of(Storefront(policy_without_model(CATALOG)), 3, 2, 1)
    estimate = gain_on(CATALOG, log, rivals(curves, None), is_known=True)
    assert estimate.effective_sample_size == 0
    assert estimate.supported == 0
    assert estimate.warning is not None
    assert "0 effective visits" in estimate.warning
    assert "0% of the visits supported" in estimate.warning


def test_the_same_book_gains_nothing_for_sure() -> None:
    curves = learned_curves(2)
    log = log_of(Storefront(BookPolicy(book_of(curves)), exploration=ExplorationPlan(0.05, LADDER)), 3, 2, 2)
    estimate = gain_on(CATALOG, log, rivals(curves, book_of(curves)), is_known=True)
    assert (estimate.dr.lower, estimate.dr.upper, estimate.truth, estimate.n_differ) == (0, 0, 0, 0)
    assert estimate.warning is None
