"""Stores of several kinds are batches of their own, each sold from a belief of its own."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from believing import believed_after
from price_shop import DATE, Shop

from catalog.decisions.pricing import Shelf
from catalog.load import Catalog
from etl.calendar import stores_now
from etl.twin.store_day import play
from plugins.desk.price_changes.consequence import outlook_of
from plugins.desk.price_changes.request import PriceRequest, examined
from plugins.desk.standing import standings
from plugins.evaluation.truth import chance_of_sale
from plugins.evaluation.worlds import asked_worlds
from serving.belief.belief import Belief, StoreKind, believed_before_anybody_came
from serving.belief.gaussian import Counts, Knots
from serving.belief.table import belief_from_table, belief_to_table
from serving.book.make import publish_book
from serving.book.store import book_in_force, kinds_in_words, opened_once
from serving.learning.outlook import start_of_day
from serving.quote import PriceQuestion, QuoteDesk, StoresDifferError
from serving.store.in_force import kinds_in, pricing_on
from serving.store.play import priced_batches
from serving.store.storefront import Storefront

(WORLD,) = asked_worlds(["rich and poor stores"])
STORES = WORLD.catalog.store.stores
RICH, POOR = STORES[:3], STORES[3:]
ALIKE = ("S01", "S02", "S03")


def of_kinds(catalog: Catalog, *kinds: tuple[tuple[str, ...], float]) -> Belief:
    """What is believed where budgets of some stores are shifted, as a share of base prices."""

    def known(shift: float) -> Belief:
        knots = Knots.of(catalog)
        met = np.full(knots.shape, 200.0)
        return believed_after(catalog, Counts(met, met * chance_of_sale(catalog, knots.ratios, shift)))

    found = [StoreKind(stores, own.states, own.hours) for stores, shift in kinds for own in [known(shift)]]
    return replace(known(0.0), kinds=tuple(found))


def test_kinds_come_back_from_the_table_to_the_last_bit() -> None:
    belief = of_kinds(WORLD.catalog, (RICH, 0.25), (POOR, -0.25))
    back = belief_from_table(belief_to_table(WORLD.catalog, belief), WORLD.catalog)
    for own, other in zip(back.kinds, belief.kinds, strict=True):
        assert own.stores == other.stores
        assert np.array_equal(own.hours, other.hours)
        for state, known in zip(own.states, other.states, strict=True):
            assert np.array_equal(state.demand.mean, known.demand.mean)
            assert np.array_equal(state.demand.shared, known.demand.shared)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop in whose first store budgets are higher, and in whose other two they are lower."""
    return two_kinds(Shop(tmp_path))


def two_kinds(shop: Shop) -> Shop:
    belief = of_kinds(shop.catalog, (ALIKE[:1], 0.25), (ALIKE[1:], -0.25))
    curves = start_of_day(shop.catalog, belief).outlook().curves
    table = belief_to_table(shop.catalog, belief)
    publish_book(shop.lake, shop.catalog, curves, belief.footfall.by_tick, DATE, table)
    shop.sell(1)
    return shop


def test_each_kind_is_a_batch_of_its_own_that_is_played_as_its_stores_open(shop: Shop) -> None:
    date, books = DATE + dt.timedelta(days=1), opened_once(shop.lake)
    whole = [(batch.stores, by.policy) for batch, by in priced_batches(shop.workspace, [date], None)]
    assert [stores for stores, _ in whole] == [ALIKE[:1], ALIKE[1:]]
    assert [batch.stores for batch, _ in priced_batches(shop.workspace, [date], None, "static")] == [ALIKE]
    stores = stores_now(shop.lake, shop.catalog, ALIKE)
    next_opening = {store: replace(now, date=date, day=None, tick=0) for store, now in stores.items()}
    found = standings(shop.lake, shop.catalog, next_opening, books)
    for own, policy in whole:
        assert isinstance(policy, Storefront)
        opened = play(shop.catalog, replace(policy, exploration=None), own, date, 3).decisions.prices[0]
        for row, store in enumerate(own):
            assert np.array_equal(opened[row], found[store].prices)


def quoted(shop: Shop, store: str) -> float:
    return QuoteDesk(shop.lake, shop.catalog).answer(PriceQuestion("MILK", int(shop.catalog.par_stock[0])), store).price


def test_a_quote_says_what_stands_in_a_store_of_each_kind(shop: Shop) -> None:
    found = standings(shop.lake, shop.catalog, stores_now(shop.lake, shop.catalog, ALIKE))
    for store in ALIKE[1:]:  # the first is sold to its second tick, and tries prices
        own = found[store].of("MILK")
        assert own is not None
        assert quoted(shop, store) == own.price
    assert quoted(shop, "S01") > quoted(shop, "S02") == quoted(shop, "S03")


def opening_of(shop: Shop, store: str) -> float:
    found = book_in_force(shop.lake, DATE)
    assert found is not None
    return outlook_of(shop.lake, shop.catalog, found).in_store(store).opening_price("MILK")


def test_without_a_store_a_quote_names_the_prices_of_both_kinds(shop: Shop) -> None:
    with pytest.raises(StoresDifferError, match=r"in S01; .* in S02, S03"):
        QuoteDesk(shop.lake, shop.catalog).answer(PriceQuestion("MILK", 40))


def test_a_store_alone_is_priced_by_its_kind(shop: Shop) -> None:
    opened = {}
    for store in ALIKE:
        front = pricing_on(shop.lake, shop.catalog, DATE, stores=(store,)).policy
        shape = (1, len(shop.catalog.skus))
        full, nothing = np.broadcast_to(shop.catalog.par_stock, shape), np.full(shape, np.nan)
        shelf = Shelf(full, nothing, shop.catalog.store.opening.ticks, np.full(shape, 0.5), None, (store,))
        opened[store] = front.decide(shelf).prices[0]
    assert (opened["S01"] > 1.1 * opened["S02"]).all()
    assert np.array_equal(opened["S02"], opened["S03"])


def test_where_prices_wait_for_a_person_all_stores_sell_from_the_one_book(tmp_path: Path) -> None:
    shop = two_kinds(Shop(tmp_path, "{within_of_base: 0.0}"))
    found = book_in_force(shop.lake, DATE)
    assert found is not None
    assert found.belief is not None
    assert kinds_in(shop.catalog, found) == ()
    assert len({quoted(shop, store) for store in ALIKE}) == 1
    assert "one price book holds in all of them" in str(kinds_in_words(shop.catalog, found.belief))


def test_it_is_said_which_stores_are_of_which_kind() -> None:
    belief = belief_to_table(WORLD.catalog, of_kinds(WORLD.catalog, (RICH, 0.25), (POOR, -0.25)))
    said = str(kinds_in_words(WORLD.catalog, belief))
    assert "stores are of 2 kinds (S01, S02, S03; S04, S05, S06): each kind sells from a belief of its own" in said
    alike = belief_to_table(WORLD.catalog, believed_before_anybody_came(WORLD.catalog))
    assert kinds_in_words(WORLD.catalog, alike) is None


def test_what_an_override_costs_is_weighed_against_the_price_of_the_stores_own_kind(shop: Shop) -> None:
    for store in ("S01", "S02"):
        request = PriceRequest("override", "a competitor is cheaper", sku="MILK", store=store, price=1.29)
        found = examined(shop.workspace, request).consequence
        assert found is not None
        assert found.policy_price == pytest.approx(opening_of(shop, store))
