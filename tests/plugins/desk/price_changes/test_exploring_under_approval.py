"""Where prices wait for a person, prices are explored among those that pass without one, and what they show teaches."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from believing import believed_after
from hypothesis import given, settings
from hypothesis import strategies as st
from price_shop import DATE, SHORT_DAY, Shop, open_in_the_morning

from catalog.decisions.pricing import Shelf
from catalog.load import CLASSIC, Catalog, load
from catalog.records.pricing import Approval
from features.cells import feature_workbench
from plugins.desk.price_changes.proposals import passing
from plugins.evaluation.truth import chance_of_sale
from serving.belief.gaussian import Counts, Knots
from serving.belief.sales import sales_of_all
from serving.learning.outlook import start_of_day
from serving.limits.orders import Orders, PriceOrder
from serving.store.storefront import LearningStorefront, storefront_that_learns
from warehouse.lake import Partition

SHELF = load(CLASSIC)
TICKS = SHELF.store.opening.ticks
ONE_STORE = SHELF.store.stores[0]


class Day(NamedTuple):
    """A drawn state: what passes, what was learned, and what stands."""

    approval: Approval
    visits: float
    yesterday: list[float]  # of the base price
    stock: int
    tick: int


days = st.builds(
    Day,
    st.builds(
        Approval, within_of_yesterday=st.sampled_from([0.02, 0.1, 0.3]), within_of_base=st.sampled_from([0.1, 0.4])
    ),
    st.sampled_from([0.1, 3.0, 200.0]),
    st.lists(st.floats(0.7, 1.4), min_size=5, max_size=5),
    st.integers(1, 120),
    st.integers(0, TICKS - 1),
)


def ranges_of(day: Day) -> np.ndarray:
    """Return the lowest and highest price of each product that pass by rule, EUR, shape (2, n_products)."""
    catalog = Catalog(SHELF.products, SHELF.store.model_copy(update={"approval": day.approval}))
    return np.array(passing(catalog, slice(None), np.round(SHELF.base_prices * day.yesterday, 2)))


def store_on(day: Day, ranges: np.ndarray | None) -> LearningStorefront:
    """Return what prices a store; without ranges nothing waits."""
    knots = Knots.of(SHELF)
    met = np.full(knots.shape, day.visits)
    morning = start_of_day(SHELF, believed_after(SHELF, Counts(met, met * chance_of_sale(SHELF, knots.ratios))))
    if ranges is None:
        return storefront_that_learns(SHELF, morning)
    orders = [
        PriceOrder(sku, ONE_STORE, low, high, "price", 0, TICKS)
        for sku, (low, high) in zip(SHELF.skus, ranges.T.tolist(), strict=True)
    ]
    return storefront_that_learns(SHELF, morning, Orders(tuple(orders), SHELF.skus, TICKS))


def every_throw(store: LearningStorefront) -> np.ndarray:
    """Return dice with which each candidate is tried once, and with which none is, shape (n_throws, n_products)."""
    assert store.exploration is not None
    slots = np.arange(store.exploration.ladder.shape[1])[:, None] % store.exploration.counts
    return np.concatenate([(slots + 1e-9) / store.exploration.counts, (slots + 1 - 1e-9) / store.exploration.counts])


@settings(deadline=None, max_examples=30)
@given(day=days)
def test_each_price_that_is_tried_passes_by_rule_and_the_chances_of_all_that_may_be_shown_sum_to_one(day: Day) -> None:
    ranges = ranges_of(day)
    store = store_on(day, ranges)
    dice = every_throw(store)
    same = np.full(dice.shape, day.stock)
    answer = store.decide(
        Shelf(same, np.full(dice.shape, np.nan), TICKS - day.tick, dice, stores=(ONE_STORE,) * len(dice))
    )
    lowest, highest = ranges
    assert ((lowest <= answer.prices) & (answer.prices <= highest)).all()
    for own in range(len(SHELF.skus)):
        _, first = np.unique(answer.prices[:, own], return_index=True)
        assert answer.propensity[first, own].sum() == pytest.approx(1)
    moved = answer.explored & (answer.unconstrained != answer.prices)
    assert not moved.any()  # what is tried is what stands


def test_a_day_tries_prices_within_the_band_and_the_night_learns_from_all_that_was_shown(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "{within_of_base: 0.1}", changed=open_in_the_morning)
    shop.publish(visits=1.0)
    shop.sell(SHORT_DAY).close()
    rows, decided = (
        shop.lake.read(Partition(name, DATE, "live-S01")).to_pandas() for name in ("interactions", "repricings")
    )
    tried = decided[decided["explored"]]
    base = tried["sku"].astype(str).map(dict(zip(shop.catalog.skus, shop.catalog.base_prices.tolist(), strict=True)))
    assert len(tried)
    assert 0 < rows["propensity"].min() < 1
    assert ((tried["new_price"] / base - 1).abs() < 0.11).all()
    with feature_workbench(shop.settings) as connection:
        sales = sales_of_all(connection, shop.catalog, Knots.of(shop.catalog), DATE)
    assert sales.met.sum() == pytest.approx((rows["inventory_level"] > 0).sum())
