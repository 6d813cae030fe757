"""Shoppers who look again later in the day: who they are knows no price, and what they do follows from prices."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.arrays import Floats
from catalog.decisions.pricing import Policy, PriceDecision, Shelf, Sold
from catalog.decisions.store_day import BOUGHT, OUT_OF_STOCK, TOO_EXPENSIVE, StoreDay
from catalog.errors import CatalogError
from catalog.load import Catalog
from etl.twin.store_day import Stretch, meet, play, standing_at_opening
from etl.twin.visits import Visits, draw_visits
from serving.optimise.policies import StaticPolicy
from serving.store.storefront import Storefront

STORES = ("S01", "S02")
BY_VISIT = ("product", "shopper", "tick", "since_opening_us", "multiplier", "price", "inventory", "outcome")


@dataclass(frozen=True)
class PricesOverTheDay:
    """A double that asks for base price x a factor of the tick, shape (n_ticks,)."""

    base: Policy
    factors: Floats
    name: str = "scripted"
    model_version: str | None = None
    rules: tuple[str, ...] = ()

    def decide(self, shelf: Shelf) -> PriceDecision:
        answer = self.base.decide(shelf)
        return replace(answer, prices=answer.prices * self.factors[-shelf.ticks_left])


@dataclass(frozen=True)
class Counting:
    """A double that keeps what it was told of each tick."""

    base: Policy
    told: list[Sold]
    name: str = "counting"
    model_version: str | None = None
    rules: tuple[str, ...] = ()

    def decide(self, shelf: Shelf) -> PriceDecision:
        return self.base.decide(shelf)

    def learned(self, sold: Sold) -> "Counting":
        self.told.append(sold)
        return self


def at_base(catalog: Catalog) -> Storefront:
    return Storefront(StaticPolicy(catalog.base_prices))


def over_the_day(catalog: Catalog, factors: Floats) -> PricesOverTheDay:
    return PricesOverTheDay(at_base(catalog), factors)


def takings(day: StoreDay) -> float:
    return float(day.price[day.outcome == BOUGHT].sum())


def first_visits(visits: Visits) -> dict[str, list[float]]:
    own = slice(None) if visits.first_visit is None else visits.first_visit < 0
    names = ("product", "shopper", "since_opening_us", "multiplier")
    return {name: getattr(visits, name)[own].tolist() for name in names}


@pytest.fixture(scope="session")
def waiting(with_store: Callable[..., Catalog]) -> Catalog:
    return with_store(waiting_share=0.1, visits_per_day=2_000.0)


def test_those_who_come_first_are_the_same_with_and_without_waiting(waiting: Catalog, day: dt.date) -> None:
    nobody = Catalog(waiting.products, waiting.store.model_copy(update={"waiting_share": 0.0}))
    with_some, without = draw_visits(waiting, STORES, day, 7), draw_visits(nobody, STORES, day, 7)
    assert without.first_visit is None
    assert first_visits(with_some) == first_visits(without)
    assert np.array_equal(with_some.dice, without.dice)


def test_a_tenth_would_look_again_in_a_later_tick_at_the_same_product_with_the_same_budget(
    waiting: Catalog, day: dt.date
) -> None:
    visits = draw_visits(waiting, STORES, day, 7)
    assert visits.first_visit is not None
    again = np.flatnonzero(visits.first_visit >= 0)
    first = visits.first_visit[again]
    before_last = (visits.since_opening_us[visits.first_visit < 0] // 900_000_000 < 47).sum()
    assert len(again) == pytest.approx(0.1 * before_last, abs=4 * np.sqrt(0.09 * before_last))
    assert len(set(first.tolist())) == len(first)
    for name in ("product", "shopper", "multiplier"):
        assert np.array_equal(getattr(visits, name)[again], getattr(visits, name)[first])
    assert (visits.since_opening_us[again] // 900_000_000 > visits.since_opening_us[first] // 900_000_000).all()


def test_visits_and_returns_stand_in_order_of_store_and_time_within_their_tick(waiting: Catalog, day: dt.date) -> None:
    visits = draw_visits(waiting, STORES, day, 7)
    assert visits.starts[0, 0] == 0
    assert visits.starts[-1, -1] == visits.count
    assert visits.starts[0, -1] == visits.starts[1, 0]
    for ends in visits.starts:
        own = visits.since_opening_us[ends[0] : ends[-1]]
        assert (np.diff(own) >= 0).all()
        assert np.array_equal(np.repeat(np.arange(48), np.diff(ends)), own // 900_000_000)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**40), share=st.floats(0.01, 1), ratio=st.floats(0.7, 1.6))
def test_at_prices_that_stand_all_day_waiting_brings_no_sale_and_costs_none(
    shelf: Catalog, day: dt.date, seed: int, share: float, ratio: float
) -> None:
    some = Catalog(shelf.products, shelf.store.model_copy(update={"waiting_share": share}))
    policy = Storefront(StaticPolicy(shelf.base_prices * ratio))
    usual, played = play(shelf, policy, STORES, day, seed), play(some, policy, STORES, day, seed)
    assert takings(played) == takings(usual)
    assert (played.outcome == BOUGHT).sum() == (usual.outcome == BOUGHT).sum()
    assert len(played.product) >= len(usual.product)


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 2**32), moves=st.lists(st.floats(0.5, 1.7), min_size=48, max_size=48))
def test_only_those_come_again_who_found_it_too_dear_and_they_buy_only_once_it_has_fallen_to_their_budget(
    waiting: Catalog, day: dt.date, seed: int, moves: list[float]
) -> None:
    visits, factors = draw_visits(waiting, STORES, day, seed), np.array(moves)
    assert visits.first_visit is not None
    played = meet(waiting, over_the_day(waiting, factors), STORES, day, visits)
    willing = (waiting.base_prices.astype(np.float32)[visits.product] * visits.multiplier).tolist()
    prices = (waiting.base_prices * factors[:, None]).tolist()
    store = np.repeat([0, 1], visits.starts[:, -1] - visits.starts[:, 0])
    tick, first_of = (visits.since_opening_us // 900_000_000).tolist(), visits.first_visit.tolist()
    rows = zip(visits.product.tolist(), store.tolist(), tick, first_of, willing, strict=True)
    left = [waiting.par_stock.tolist(), waiting.par_stock.tolist()]
    outcome: list[int | None] = []
    for item, shop, now, first, most in rows:  # the same in plain words
        if first >= 0 and outcome[first] != TOO_EXPENSIVE:
            outcome.append(None)
        elif left[shop][item] == 0:
            outcome.append(OUT_OF_STOCK)
        elif prices[now][item] <= most:
            outcome.append(BOUGHT)
            left[shop][item] -= 1
        else:
            outcome.append(TOO_EXPENSIVE)
    came = [row for row, one in enumerate(outcome) if one is not None]
    assert played.outcome.tolist() == [outcome[row] for row in came]
    assert np.array_equal(played.shopper, visits.shopper[came])
    assert np.array_equal(played.store, store[came])
    bought_late = [row for row in came if first_of[row] >= 0 and outcome[row] == BOUGHT]
    assert all(factors[tick[row]] < factors[tick[first_of[row]]] for row in bought_late)


def test_a_price_that_falls_at_noon_sells_to_some_who_waited(waiting: Catalog, day: dt.date) -> None:
    plenty = tuple(product.model_copy(update={"par_stock": 30_000}) for product in waiting.products)
    some = Catalog(plenty, waiting.store)
    nobody = Catalog(plenty, waiting.store.model_copy(update={"waiting_share": 0.0}))
    policy = over_the_day(some, np.repeat([1.2, 0.9], 24))
    sold, usual = ((play(one, policy, STORES, day, 7).outcome == BOUGHT).sum() for one in (some, nobody))
    assert sold > usual + 40


def test_the_same_seed_gives_the_same_day_and_a_store_does_not_depend_on_its_company(
    waiting: Catalog, day: dt.date
) -> None:
    policy = over_the_day(waiting, np.linspace(1.4, 0.8, 48))
    together, again, alone = (play(waiting, policy, stores, day, 7) for stores in (STORES, STORES, ("S02",)))
    for name in BY_VISIT:
        assert getattr(together, name).tobytes() == getattr(again, name).tobytes()
        assert np.array_equal(getattr(together, name)[together.store == 1], getattr(alone, name))


def test_a_policy_that_learns_is_told_of_returns_and_not_of_those_who_stayed_away(
    waiting: Catalog, day: dt.date
) -> None:
    told: list[Sold] = []
    played = play(waiting, Counting(at_base(waiting), told), STORES, day, 7)
    counts = np.zeros((48, 2, 5), dtype=int)
    np.add.at(counts, (played.tick, played.store, played.product), 1)
    assert np.array_equal(np.stack([one.visits for one in told]), counts)
    assert len(told) == 48


def test_a_part_of_a_day_has_the_returns_that_were_sold(waiting: Catalog, day: dt.date) -> None:
    visits = draw_visits(waiting, STORES, day, 7)
    policy = over_the_day(waiting, np.linspace(1.4, 0.8, 48))
    whole, stretch = meet(waiting, policy, STORES, day, visits), Stretch(waiting, policy, STORES, day, visits)
    for _ in range(30):
        stretch.sell_tick()
    part = stretch.played()
    for name in BY_VISIT:
        assert np.array_equal(getattr(part, name), getattr(whole, name)[whole.tick < 30])


def test_a_day_with_shoppers_who_wait_cannot_be_taken_up_in_the_middle(waiting: Catalog, day: dt.date) -> None:
    began = replace(standing_at_opening(waiting, 2, day), tick=4)
    visits = draw_visits(waiting, STORES, day, 7)
    with pytest.raises(CatalogError, match=r"waiting_share: expected 0 .* tick 4.* play the day from its opening"):
        Stretch(waiting, at_base(waiting), STORES, day, visits, began)
