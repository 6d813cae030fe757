import datetime as dt
from collections.abc import Callable

import numpy as np
from faker import Faker
from faker.providers.person.en_GB import Provider
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.decisions.pricing import Policy
from catalog.decisions.store_day import StoreDay
from catalog.ladder import price_ladder
from catalog.load import Catalog
from etl.twin.draws import shopper_names
from etl.twin.store_day import play
from serving.learning.exploration import ExplorationPlan
from serving.optimise.policies import StaticPolicy, policy_without_model
from serving.store.storefront import Storefront

DRAWN = ("product", "shopper", "tick", "since_opening_us", "multiplier")
BY_VISIT = (*DRAWN, "price", "propensity", "inventory", "outcome")


def exploring(catalog: Catalog) -> Storefront:
    ladder = price_ladder(catalog)
    return Storefront(policy_without_model(catalog, "rule"), exploration=ExplorationPlan(0.5, ladder))


def bytes_of(day: StoreDay) -> dict[str, bytes]:
    arrays = {name: getattr(day, name) for name in (*BY_VISIT, "store", "stock")}
    decided = vars(day.decisions) | day.decisions.told._asdict()
    del decided["told"]
    return {name: b"" if array is None else array.tobytes() for name, array in (arrays | decided).items()}


def visits_of(day: StoreDay, store: str) -> dict[str, list[float]]:
    rows = day.store == day.stores.index(store)
    return {name: getattr(day, name)[rows].tolist() for name in BY_VISIT}


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**40), later=st.integers(0, 4_000))
def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(
    shelf: Catalog, day: dt.date, seed: int, later: int
) -> None:
    date = day + dt.timedelta(days=later)
    first = play(shelf, exploring(shelf), ("S01", "S02"), date, seed)
    assert bytes_of(play(shelf, exploring(shelf), ("S01", "S02"), date, seed)) == bytes_of(first)
    assert bytes_of(play(shelf, exploring(shelf), ("S01", "S02"), date, seed + 1)) != bytes_of(first)
    next_day = play(shelf, exploring(shelf), ("S01", "S02"), date + dt.timedelta(days=1), seed)
    assert bytes_of(next_day) != bytes_of(first)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**40), order=st.permutations(["S01", "S02", "S03"]))
def test_a_stores_day_does_not_depend_on_the_company_it_is_played_in(
    shelf: Catalog, day: dt.date, seed: int, order: list[str]
) -> None:
    together = play(shelf, exploring(shelf), order, day, seed)
    for position, store in enumerate(order):
        alone = play(shelf, exploring(shelf), [store], day, seed)
        assert visits_of(alone, store) == visits_of(together, store)
        assert np.array_equal(alone.decisions.prices[:, 0], together.decisions.prices[:, position])
        assert np.array_equal(alone.stock[:, 0], together.stock[:, position])


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**40), factor=st.floats(0.1, 3))
def test_any_two_policies_meet_the_same_shoppers(shelf: Catalog, day: dt.date, seed: int, factor: float) -> None:
    policies: list[Policy] = [
        Storefront(policy_without_model(shelf, "static")),
        Storefront(policy_without_model(shelf, "rule")),
        exploring(shelf),
        Storefront(StaticPolicy(shelf.base_prices * factor)),
    ]
    first, *others = [play(shelf, policy, ("S01", "S02"), day, seed) for policy in policies]
    for other in others:
        for name in DRAWN:
            assert np.array_equal(getattr(first, name), getattr(other, name)), name


def test_visits_stand_in_order_of_store_and_time_within_their_tick(shelf: Catalog, day: dt.date) -> None:
    played = play(shelf, exploring(shelf), shelf.store.stores, day, 7)
    assert (np.diff(played.store) >= 0).all()
    for store in range(3):
        assert (np.diff(played.since_opening_us[played.store == store]) >= 0).all()
    assert np.array_equal(played.tick, played.since_opening_us // (15 * 60_000_000))
    assert played.tick.min() >= 0
    assert played.tick.max() < 48


def test_a_day_nobody_comes_is_a_day_with_no_visits(with_store: Callable[..., Catalog], day: dt.date) -> None:
    catalog = with_store(visits_per_day=1e-9)
    played = play(catalog, exploring(catalog), ("S01", "S02"), day, 7)
    assert len(played.product) == 0
    assert played.stock.shape == (48, 2, 5)
    assert (played.stock == 100).all()


def test_shoppers_have_names_that_faker_invents_and_equal_seeds_give_equal_names() -> None:
    names = shopper_names(2_000, 5)
    assert len(names) == 2_000
    assert names == shopper_names(2_000, 5)
    assert names != shopper_names(2_000, 6)
    firsts, lasts = set(Provider.first_names), set(Provider.last_names)
    assert all(first in firsts and last in lasts for first, last in (name.split(" ", 1) for name in names))
    assert shopper_names(1, 5)[0].split(" ")[0] == seeded_first_name(5)


def seeded_first_name(seed: int) -> str:
    invent = Faker("en_GB")
    invent.seed_instance(seed)
    return str(invent.first_name())


def test_behaviour_depends_neither_on_names_nor_on_the_size_of_the_pool(
    shelf: Catalog, with_store: Callable[..., Catalog], day: dt.date
) -> None:
    before = play(shelf, exploring(shelf), ("S01",), day, 7)
    shopper_names(100, 1)
    shopper_names(100, 2)
    assert bytes_of(play(shelf, exploring(shelf), ("S01",), day, 7)) == bytes_of(before)
    small = with_store(shopper_pool=3)
    few = play(small, exploring(small), ("S01",), day, 7)
    assert set(few.shopper.tolist()) == {0, 1, 2}
    for name in set(BY_VISIT) - {"shopper"}:
        assert np.array_equal(getattr(few, name), getattr(before, name)), name
