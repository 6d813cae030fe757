"""Shoppers who take a substitute: what holds on every shelf, and that nobody else notices."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.arrays import Floats
from catalog.decisions.store_day import BOUGHT, OUT_OF_STOCK, StoreDay
from catalog.load import CLASSIC, DEFAULT_DIR, Catalog, load
from catalog.records.shoppers import Substitution
from etl.twin.store_day import play
from etl.twin.visits import draw_visits
from serving.optimise.policies import StaticPolicy
from serving.store.storefront import Storefront

WORLD = load(DEFAULT_DIR / "worlds" / "substitutes")
MONDAY = dt.date(2026, 1, 5)
STORES = tuple(f"X{number:02d}" for number in range(20))


def world(catalog: Catalog = WORLD, **changes: object) -> Catalog:
    return Catalog(catalog.products, catalog.store.model_copy(update=changes))


def sold_at(catalog: Catalog, prices: Floats, seed: int = 7) -> StoreDay:
    return play(catalog, Storefront(StaticPolicy(prices)), STORES, MONDAY, seed)


@settings(deadline=None, max_examples=25)
@given(
    ratios=st.lists(st.floats(0.7, 1.6), min_size=4, max_size=4),
    strength=st.floats(0.1, 50),
    noise=st.floats(0.05, 2),
    waiting=st.sampled_from([0.0, 0.4]),
    seed=st.integers(0, 2**32),
)
def test_a_unit_is_taken_instead_only_by_one_who_did_not_buy_of_what_is_on_the_shelf(
    ratios: list[float], strength: float, noise: float, waiting: float, seed: int
) -> None:
    catalog = world(substitution=Substitution(strength=strength, noise=noise), waiting_share=waiting)
    day = sold_at(catalog, np.round(catalog.base_prices * ratios, 2), seed)
    taken = day.taken
    assert taken is not None
    assert (day.outcome[taken.visit] != BOUGHT).all()
    assert catalog.substitutes[day.product[taken.visit], taken.product].all()
    assert (taken.inventory > 0).all()
    assert np.array_equal(
        taken.price, day.decisions.prices[day.tick[taken.visit], day.store[taken.visit], taken.product]
    )
    assert len(np.unique(taken.visit)) == len(taken.visit)
    units = np.zeros((len(STORES), 4), dtype=int)
    np.add.at(units, (day.bought().store, day.bought().product), 1)
    assert (units <= catalog.par_stock).all()
    empty = np.zeros((len(STORES), 4), dtype=bool)
    empty[day.store[day.outcome == OUT_OF_STOCK], day.product[day.outcome == OUT_OF_STOCK]] = True
    assert (units == catalog.par_stock)[empty].all()


def test_the_stock_that_a_visit_meets_is_what_buyers_and_takers_before_it_left() -> None:
    day = sold_at(WORLD, WORLD.base_prices)
    assert day.taken is not None
    left = {(store, product): int(par) for store in range(len(STORES)) for product, par in enumerate(WORLD.par_stock)}
    taken = dict(zip(day.taken.visit.tolist(), zip(day.taken.product, day.taken.inventory, strict=True), strict=True))
    for row, (store, product) in enumerate(zip(day.store.tolist(), day.product.tolist(), strict=True)):
        assert day.inventory[row] == left[store, product]
        left[store, product] -= day.outcome[row] == BOUGHT
        if row in taken:
            other, before = taken[row]
            assert before == left[store, int(other)]
            left[store, int(other)] -= 1


def test_the_share_that_takes_a_substitute_is_that_of_the_logit() -> None:
    products = tuple(own.model_copy(update={"par_stock": 30_000}) for own in WORLD.products)
    day = sold_at(Catalog(products, WORLD.store), WORLD.base_prices)
    rules, failed = WORLD.store.substitution, np.flatnonzero((day.outcome != BOUGHT) & (day.product < 3))
    weights = 2 * rules.strength * np.exp((day.multiplier[failed] - 1) / rules.noise)
    assert day.taken is not None
    expected = weights / (1 + weights)
    off = (len(day.taken.visit) - expected.sum()) / np.sqrt((expected * (1 - expected)).sum())
    assert abs(off) < 4
    assert 0.4 < expected.mean() < 0.5


def test_who_comes_is_drawn_as_if_nobody_took_a_substitute() -> None:
    alone = draw_visits(world(substitution=Substitution()), STORES, MONDAY, 7)
    visits = draw_visits(WORLD, STORES, MONDAY, 7)
    for name in ("starts", "since_opening_us", "product", "multiplier", "shopper", "dice"):
        assert np.array_equal(getattr(alone, name), getattr(visits, name))
    assert alone.switches is None
    assert visits.switches is not None


@pytest.mark.parametrize("catalog", [load(CLASSIC), world(substitution=Substitution())], ids=["classic", "strength 0"])
def test_where_nobody_takes_a_substitute_nothing_is_taken(catalog: Catalog) -> None:
    assert sold_at(catalog, catalog.base_prices).taken is None


def test_who_took_a_substitute_does_not_come_back() -> None:
    catalog = world(substitution=Substitution(strength=1000.0, noise=1.0), waiting_share=1.0)
    products = tuple(own.model_copy(update={"par_stock": 30_000}) for own in catalog.products)
    catalog = Catalog(products, catalog.store)
    waiting = sold_at(catalog, catalog.base_prices)
    assert waiting.taken is not None
    milks = (waiting.product < 3).sum()
    plain = (sold_at(world(catalog, waiting_share=0.0), catalog.base_prices).product < 3).sum()
    assert plain <= milks < 1.01 * plain
