"""Stock over days closes to the unit, and is what a ledger of single units kept by hand says."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.arrays import Ints
from catalog.decisions.pricing import Policy
from catalog.decisions.store_day import BOUGHT, OUT_OF_STOCK, KeptStock, StockMoves, StoreDay
from catalog.ladder import price_ladder
from catalog.load import Catalog
from catalog.records.deliveries import Deliveries
from catalog.records.product import Product
from catalog.records.shoppers import WEEKDAYS, Shock, Weekday
from catalog.records.store import Store
from catalog.stock_rules import StockRules, delivery_conflicts
from etl.twin.store_day import meet, play
from etl.twin.visits import Visits, draw_visits
from plugins.evaluation.over_days import OverDays
from serving.learning.exploration import ExplorationPlan
from serving.optimise.policies import StaticPolicy, policy_without_model
from serving.store.storefront import Storefront

MONDAY = dt.date(2026, 1, 5)
STORES = ("S01", "S02", "S03")
FOR_EVER = None
Units = Counter[dt.date | None]
"""Units by the last date on which they may be sold."""


@st.composite
def products(draw: st.DrawFn, number: int, closed: tuple[Weekday, ...]) -> Product:
    opened = [day for day in WEEKDAYS if day not in closed]
    life = draw(st.none() | st.integers(1, 9))
    deliveries = None
    if draw(st.booleans()):
        weekdays = draw(st.lists(st.sampled_from(opened), unique=True, max_size=3))
        lead = draw(st.integers(1, Deliveries(weekdays=tuple(weekdays)).shortest_gap(closed)))
        quantity = None if life is None else draw(st.none() | st.integers(1, 40))
        deliveries = Deliveries(weekdays=tuple(weekdays), lead_time_days=lead, quantity=quantity)
    return Product(
        sku=f"P{number}",
        name=f"Product {number}",
        category="any",
        base_price=1.0,
        unit_cost=0.3,
        par_stock=draw(st.integers(1, 50)),
        shelf_life_days=life,
        deliveries=deliveries,
    )


@dataclass(frozen=True)
class Weeks:
    """A chain and what happens to it: when it begins, at which prices it sells, and who comes."""

    products: tuple[Product, ...]
    changes: dict[str, object]
    first: dt.date
    price: float
    seed: int
    explores: bool

    def catalog(self, store: Store) -> Catalog:
        return Catalog(self.products, Store.model_validate(store.model_dump() | self.changes))

    def policy(self, catalog: Catalog) -> Policy:
        if self.explores:
            plan = ExplorationPlan(0.4, price_ladder(catalog))
            return Storefront(policy_without_model(catalog, "rule"), exploration=plan)
        return Storefront(StaticPolicy(catalog.base_prices * self.price))


@st.composite
def weeks(draw: st.DrawFn) -> Weeks:
    closed = tuple(draw(st.lists(st.sampled_from(WEEKDAYS), unique=True, max_size=3)))
    shelf = tuple(draw(products(number, closed)) for number in range(draw(st.integers(1, 4))))
    changes = {
        "popularity": {},
        "visits_per_day": draw(st.floats(2, 150)),
        "closed_days": closed,
        "freshest_share": draw(st.sampled_from([0.0, 1.0]) | st.floats(0.05, 0.95)),
        "waiting_share": draw(st.sampled_from([0.0, 0.0, 0.4])),
    }
    first = MONDAY + dt.timedelta(days=draw(st.integers(0, 6)))
    seed = draw(st.integers(0, 2**32))
    return Weeks(shelf, changes, first, draw(st.floats(0.4, 2.0)), seed, draw(st.booleans()))


@dataclass(frozen=True)
class Played:
    """A date, its visits, and what was kept before it."""

    date: dt.date
    visits: Visits
    before: KeptStock | None
    day: StoreDay

    @property
    def moves(self) -> StockMoves:
        assert self.day.moves is not None
        return self.day.moves


def played_days(
    catalog: Catalog, policy: Policy, stores: Sequence[str], first: dt.date, number: int, seed: int
) -> Iterator[Played]:
    over = OverDays()
    for date in (first + dt.timedelta(days=day) for day in range(number)):
        visits, before = draw_visits(catalog, stores, date, seed), over.before(catalog, stores, date)
        yield Played(date, visits, before, over.meet(catalog, policy, stores, date, visits))


def by_expiry(units: Ints, today: dt.date) -> Units:
    """Return units of one product in one store, told by life, by the last date on which they may be sold."""
    dates = [*(today + dt.timedelta(days=days) for days in range(len(units) - 1)), FOR_EVER]
    return Counter({date: int(own) for date, own in zip(dates, units, strict=True) if own})


def expiry_of_a_delivery(product: Product, date: dt.date) -> dt.date | None:
    life = product.shelf_life_days
    return FOR_EVER if life is None else date + dt.timedelta(days=life - 1)


def one_by_one(shelf: Units, sold: int, picks: Sequence[bool]) -> Units:
    """Take units off a shelf: each shopper the oldest, or the one that keeps longest."""
    left = sorted(shelf.elements(), key=lambda date: date or dt.date.max)
    return Counter(left.pop(-1 if picks[shopper] else 0) for shopper in range(sold))


@settings(deadline=None, max_examples=60)
@given(of=weeks())
def test_each_store_day_closes_to_the_unit_and_is_what_a_ledger_kept_by_hand_says(shelf: Catalog, of: Weeks) -> None:
    catalog = of.catalog(shelf.store)
    assert list(delivery_conflicts(catalog.products, catalog.store.closed_days)) == []
    kept, orders = dict[tuple[int, int], Units](), dict[tuple[int, int, dt.date], int]()
    for number, played in enumerate(played_days(catalog, of.policy(catalog), STORES, of.first, 10, of.seed)):
        day, date = played.day, played.date
        is_open = WEEKDAYS[date.weekday()] not in catalog.store.closed_days
        assert (day.inventory >= 0).all()
        assert np.array_equal(day.outcome == OUT_OF_STOCK, day.inventory == 0)
        assert is_open or len(day.product) == 0
        if catalog.stock_rules is None:
            assert day.moves is None
            assert (day.stock[0] == catalog.par_stock).all()
            continue
        assert min(part.min() for part in _parts(played.moves)) >= 0
        for store in range(len(STORES)):
            for position, product in enumerate(catalog.products):
                where, moves = (store, position), played.moves
                carried, delivered, sold, spoiled = (
                    by_expiry(part[where], date) for part in (moves.carried, moves.delivered, moves.sold, moves.spoiled)
                )
                left = by_expiry(moves.kept.units[where], date + dt.timedelta(days=1))
                bought = (day.store == store) & (day.product == position) & (day.outcome == BOUGHT)
                _stock_falls_by_one_with_each_purchase(day, where)
                if not product.lives_on:
                    assert not carried + delivered + sold + spoiled + left
                    assert day.stock[0][where] == product.par_stock
                    continue
                assert carried + delivered == sold + spoiled + left
                assert day.stock[0][where] == (carried + delivered).total()
                assert carried == kept.get(where, Counter())
                assert sold.total() == bought.sum()
                assert all(expiry is FOR_EVER or expiry >= date for expiry in sold)
                assert set(spoiled) <= {date}
                assert all(expiry is FOR_EVER or expiry > date for expiry in left)
                due = _due(product, date, number, is_open, orders.pop((*where, date), 0), catalog)
                assert delivered == +Counter({expiry_of_a_delivery(product, date): due})
                if product.delivered.quantity is None:
                    assert (carried + delivered).total() <= product.par_stock
                if (taken := _picks(played, where)) is not None:
                    assert sold == one_by_one(carried + delivered, int(bought.sum()), taken)
                kept[where] = left
                arrives = date + dt.timedelta(days=product.delivered.lead_time_days)
                orders[(*where, arrives)] = max(product.par_stock - left.total(), 0)


def _parts(moves: StockMoves) -> list[Ints]:
    return [moves.carried, moves.delivered, moves.sold, moves.spoiled, moves.kept.units, moves.kept.on_order]


def _stock_falls_by_one_with_each_purchase(day: StoreDay, where: tuple[int, int]) -> None:
    rows = (day.store == where[0]) & (day.product == where[1])
    bought = (day.outcome[rows] == BOUGHT).astype(int)
    assert np.array_equal(day.inventory[rows], day.stock[0][where] - (np.cumsum(bought) - bought))


def _due(product: Product, date: dt.date, number: int, is_open: bool, ordered: int, catalog: Catalog) -> int:
    """Return what comes on a date; a store of which nobody knows what it had opens full."""
    if number == 0:
        return product.par_stock
    weekdays = product.delivered.weekdays or [day for day in WEEKDAYS if day not in catalog.store.closed_days]
    if not is_open or WEEKDAYS[date.weekday()] not in weekdays:
        return 0
    return product.delivered.quantity or ordered


def _picks(played: Played, where: tuple[int, int]) -> list[bool] | None:
    """Return of each buyer, in order of time, whether it takes the freshest; None where returns hide who bought."""
    if played.visits.first_visit is not None:
        return None
    day, picks = played.day, played.visits.picks_freshest
    bought = (day.store == where[0]) & (day.product == where[1]) & (day.outcome == BOUGHT)
    return [False] * int(bought.sum()) if picks is None else picks[bought].tolist()


def living(catalog: Catalog, changes: Sequence[dict[str, object]], **store: object) -> Catalog:
    """Return the default shelf with how the stock of its products lives."""
    shelf = [own.model_copy(update=new) for own, new in zip(catalog.products, changes, strict=True)]
    return Catalog(tuple(shelf), catalog.store.model_copy(update=store))


KINDS: tuple[dict[str, object], ...] = (
    {"shelf_life_days": 5},
    {"shelf_life_days": 1},
    {"shelf_life_days": 9, "deliveries": Deliveries(weekdays=("mon", "thu"), lead_time_days=2)},
    {"deliveries": Deliveries(weekdays=("tue",), lead_time_days=7)},
    {"shelf_life_days": 3, "deliveries": Deliveries(weekdays=("mon", "wed", "fri"), quantity=70)},
)


@pytest.fixture(scope="module")
def chain(shelf: Catalog) -> Catalog:
    """A chain with a product of every kind, closed on Sundays."""
    return living(shelf, KINDS, freshest_share=0.4, closed_days=("sun",))


def at_base_prices(catalog: Catalog) -> Policy:
    return Storefront(StaticPolicy(catalog.base_prices))


def test_of_two_stores_the_one_that_did_not_play_the_day_before_opens_full(chain: Catalog) -> None:
    over, policy, tuesday = OverDays(), at_base_prices(chain), MONDAY + dt.timedelta(days=1)
    over.meet(chain, policy, ("S01",), MONDAY, draw_visits(chain, ("S01",), MONDAY, 7))
    day = over.meet(chain, policy, STORES[:2], tuesday, draw_visits(chain, STORES[:2], tuesday, 7))
    assert (day.stock[0][1] == chain.par_stock).all()
    assert day.stock[0][0, 2] < chain.par_stock[2]  # sold on Monday, and it is delivered on Thursday
    assert over.before(chain, STORES, tuesday + dt.timedelta(days=2)) is not None
    assert not over.before(chain, STORES, tuesday + dt.timedelta(days=2)).known.any()  # a gap of a day


def test_where_half_is_delivered_half_of_what_is_due_comes(chain: Catalog) -> None:
    shock = Shock(business_date=MONDAY + dt.timedelta(days=2), delivered_share=0.5)
    short = Catalog(chain.products, chain.store.model_copy(update={"shocks": (shock,)}))
    policy = at_base_prices(chain)
    *_, tuesday, as_ever = played_days(chain, policy, STORES, MONDAY, 3, 7)
    *_, halved = played_days(short, policy, STORES, MONDAY, 3, 7)
    assert as_ever.moves.delivered.sum() > 0
    np.testing.assert_array_equal(halved.moves.delivered, as_ever.moves.delivered // 2)
    np.testing.assert_array_equal(halved.moves.carried, tuesday.moves.kept.units)


def bytes_of(record: object) -> list[bytes]:
    """Return every array of a record, and of the records in it, as bytes."""
    found = list[bytes]()
    for name in (field.name for field in fields(record)):  # type: ignore[arg-type]
        value = getattr(record, name)
        if isinstance(value, np.ndarray):
            found.append(value.tobytes())
        elif hasattr(value, "__dataclass_fields__"):
            found += bytes_of(value)
    return found


def test_a_shelf_on_which_nothing_lives_on_is_played_as_ever_whatever_is_said_of_yesterday(shelf: Catalog) -> None:
    policy, visits = at_base_prices(shelf), draw_visits(shelf, STORES, MONDAY, 7)
    over = OverDays()
    over.meet(shelf, policy, STORES, MONDAY - dt.timedelta(days=1), visits)
    assert over.before(shelf, STORES, MONDAY) is None
    assert visits.picks_freshest is None
    again = over.meet(shelf, policy, STORES, MONDAY, visits)
    plain = meet(shelf, policy, STORES, MONDAY, visits)
    assert plain.moves is None
    assert plain.began.by_life is plain.began.opened_with is None
    assert bytes_of(again) == bytes_of(plain)


def test_what_keeps_for_a_day_and_is_delivered_each_morning_is_sold_as_from_a_shelf_that_is_simply_full(
    shelf: Catalog,
) -> None:
    daily = living(shelf, [{"shelf_life_days": 1}] * 5)
    policy = at_base_prices(shelf)
    *_, full = (play(shelf, policy, STORES, MONDAY + dt.timedelta(days=day), 7) for day in range(2))
    *_, lived = played_days(daily, policy, STORES, MONDAY, 2, 7)
    as_full = replace(lived.day, moves=None, began=replace(lived.day.began, by_life=None, opened_with=None))
    assert bytes_of(as_full) == bytes_of(full)


def test_a_product_that_lives_on_changes_nothing_of_its_neighbours(shelf: Catalog) -> None:
    policy = at_base_prices(shelf)
    one_lives = living(shelf, [{"shelf_life_days": 3}, {}, {}, {}, {}])
    *_, full = (play(shelf, policy, STORES, MONDAY + dt.timedelta(days=day), 7) for day in range(3))
    *_, lived = played_days(one_lives, policy, STORES, MONDAY, 3, 7)
    others = full.product > 0
    for name in ("shopper", "price", "inventory", "outcome"):
        assert getattr(full, name)[others].tobytes() == getattr(lived.day, name)[others].tobytes()
    rules: StockRules | None = one_lives.stock_rules
    assert rules is not None
    assert not any(part[:, 1:].any() for part in _parts(lived.moves))
