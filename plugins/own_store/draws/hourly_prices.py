"""Prices of an outside store that change within the day: the twin's belief and recursion, around the owner's price.

What must hold: the store says who looked at each product, so that a sale has its chances. Its shelf is the catalog's
with a floor and a ceiling as near to the owner's price as the band allows, and a step as long as the owner allows. A
product that is not released, or whose own price is not known, has no room at all.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.arrays import Flags, Floats
from catalog.bounds import not_above, not_below
from catalog.decisions.pricing import Policy, PriceDecision, Shelf
from catalog.decisions.store_day import DayPrices, ShelfState, StoreDay, Told
from catalog.load import Catalog
from catalog.names import INTAKE_GROUP
from catalog.tables.contracts import TABLES
from etl.extract import repricings_of
from etl.open_days import LiveDay
from plugins.own_store.draws.drawn_prices import TABLE, draw_on, own_prices_on
from serving.belief.belief import Belief, believed_before_anybody_came, opened
from serving.belief.table import belief_from_table
from serving.book.store import BookInForce, believed_in
from serving.learning.outlook import DayStart
from serving.limits.limits import limits_of
from serving.limits.orders import Orders
from serving.optimise.policies import ShelfPrices
from serving.store.storefront import LearningStorefront, Storefront, storefront_that_learns
from warehouse.lake import Lake, Partition
from warehouse.workspace import Workspace

_LATELY = 7  # days
DESIGN = "hourly"
"""Design of a row of `price_draws` that holds the owner's price while prices change hourly; nothing was drawn by it."""


@dataclass(frozen=True)
class HourlyStorefront(LearningStorefront):
    """A storefront that learns, of an outside store: a product whose own price is not known has none."""

    is_known: Flags | None = None

    def decide(self, shelf: Shelf) -> PriceDecision:
        """Price every product for one tick; NaN where the owner's price is not known and nobody set another."""
        decision = super().decide(shelf)
        if self.is_known is None or self.is_known.all():
            return decision
        unknown = np.full(decision.prices.shape, np.nan)
        return replace(decision, prices=np.where(self.is_known, decision.prices, unknown))


def visited_lately(lake: Lake, store: str, date: dt.date) -> set[str]:
    """Return the products of a store of which visits were said on a date or in the week before."""
    found = set[str]()
    for day in range(_LATELY + 1):
        part = Partition("product_visits", date - dt.timedelta(days=day), INTAKE_GROUP)
        if lake.holds(part):
            rows = lake.read(part).select(["store_id", "sku"])
            found |= set(rows.filter(pc.equal(rows["store_id"].cast(pa.string()), store))["sku"].to_pylist())
    return found


def released_in(lake: Lake, catalog: Catalog, store: str, date: dt.date) -> Flags:
    """Tell which products a store prices hourly on a date, shape (n_products,)."""
    draw, nothing = draw_on(lake, catalog, date), np.zeros(len(catalog.skus), dtype=bool)
    if draw is None or store not in draw.stores:
        return nothing
    wanted = np.array([catalog.store.drawn_prices.includes(sku) for sku in catalog.skus])
    return np.asarray(wanted & np.isfinite(draw.shelf_prices[draw.stores.index(store)]))


def hourly_storefront(
    catalog: Catalog,
    store: str,
    found: BookInForce | None,
    own: tuple[ShelfPrices, Flags],
    orders: Orders | None = None,
) -> HourlyStorefront:
    """Return what one outside store sells from.

    Parameters
    ----------
    found
        The book in force, whose belief it begins with; without one, what is believed before anybody came.
    own
        The owner's prices, and which products are released, shape (n_products,).
    """
    standing, is_released = own
    belief: Belief = believed_before_anybody_came(catalog)
    learners = None
    if found is not None and found.belief is not None:
        belief, learners = believed_in(catalog, belief_from_table(found.belief, catalog), store)
    centers = standing.of((store,), 1)[0]
    shelf = _shelf_around(catalog, centers, is_released)
    # what was sold is described on the ladder of the whole shelf: the band bounds what may be shown, not what is known
    owners = np.where(np.isnan(centers), catalog.base_prices, centers)
    start = DayStart(shelf, opened(catalog, belief), belief.footfall, belief.model_version, owners, learners)
    front = storefront_that_learns(shelf, start, orders)
    of_people = limits_of(catalog, orders, standing)  # whose orders the band does not bind
    limits = replace(limits_of(shelf, orders, standing), whole_bounds=of_people.whole_bounds)
    return HourlyStorefront(**vars(replace(front, limits=limits)), is_known=np.isfinite(centers))


def _shelf_around(catalog: Catalog, own: Floats, is_released: Flags) -> Catalog:
    """Return the catalog with floors and ceilings within the band, and the step of the owner."""
    rules, rails, money = catalog.store.drawn_prices, catalog.store.guardrails, catalog.store.money
    products = []
    for product, price, moves in zip(catalog.products, own.tolist(), is_released.tolist(), strict=True):
        center = product.base_price if np.isnan(price) else price
        low = high = center
        if moves and not np.isnan(price):
            low = float(not_below(np.array(center * (1 - rules.band)), rails.price_ending, money))
            high = float(not_above(np.array(center * (1 + rules.band)), rails.price_ending, money))
            low, high = max(product.floor, low), min(product.ceiling, high)
        if low > high:
            low = high = center
        products.append(product.model_copy(update={"floor_price": low, "ceiling_price": high}))
    limited = rails.model_copy(update={"largest_step": catalog.store.drawn_step})
    return Catalog(tuple(products), catalog.store.model_copy(update={"guardrails": limited}))


def decided_so_far(lake: Lake, day: LiveDay) -> tuple[pa.Table, pa.Table]:
    """Return what was decided of a day so far: rows of `repricings` and of `hourly_draws`."""
    found = []
    for name, schema in (
        ("live_repricings", TABLES["repricings"].schema),
        ("hourly_draws", TABLES["hourly_draws"].schema),
    ):
        part = day.part(name)
        found.append(lake.read(part) if lake.holds(part) else schema.empty_table())
    return found[0], found[1]


def with_decision(
    workspace: Workspace, day: LiveDay, tick: int, policy: Policy, shelf: Shelf, before: tuple[pa.Table, pa.Table]
) -> tuple[pa.Table, pa.Table]:
    """Return what was decided so far with the decision for a tick."""
    catalog = workspace.catalog
    assert isinstance(policy, Storefront)  # noqa: S101 - every policy in force is one
    answer = policy.decide(shelf)
    played = _as_played(day, policy, shelf, answer, tick)
    rows = repricings_of(played, catalog)
    rows = rows.filter(pc.is_finite(rows["new_price"]))
    draw = draw_on(workspace.lake, catalog, day.business_date)
    own = own_prices_on(workspace.lake, catalog, day.business_date, draw).of((day.store,), 1)[0]
    drawn = [
        {
            "store_id": day.store,
            "tick": tick,
            "sku": sku,
            "price": float(answer.prices[0, place]),
            "shelf_price": float(own[place]) if np.isfinite(own[place]) else float(answer.prices[0, place]),
            "propensity": float(min(1.0, max(answer.propensity[0, place], 1e-9))),
            "policy": policy.name,
            "model_version": policy.model_version,
        }
        for place, sku in enumerate(catalog.skus)
        if np.isfinite(answer.prices[0, place])
    ]
    table = pa.Table.from_pylist(drawn, schema=TABLES["hourly_draws"].schema)
    return _stacked(before[0], rows, TABLES["repricings"].schema), _stacked(
        before[1], table, TABLES["hourly_draws"].schema
    )


def _as_played(day: LiveDay, front: Storefront, shelf: Shelf, answer: PriceDecision, tick: int) -> StoreDay:
    """Return a decision as a store day of one tick in which nobody came."""
    arrays = {name: getattr(answer, name)[None] for name in ("prices", "propensity", "explored", "rule")}
    opened = shelf.shown_prices if shelf.opening_prices is None else shelf.opening_prices
    nobody: Any = np.empty(0, dtype=np.int64)
    return StoreDay(
        business_date=day.business_date,
        stores=(day.store,),
        policy=front.name,
        model_version=front.model_version,
        rules=front.rules,
        store=nobody,
        product=nobody,
        shopper=nobody,
        tick=nobody,
        since_opening_us=nobody,
        price=nobody,
        propensity=nobody,
        inventory=nobody,
        multiplier=nobody,
        outcome=nobody,
        decisions=DayPrices(**arrays, clamps=answer.clamps, told=Told.of(answer, shelf.shown_prices)),
        stock=shelf.stock[None],
        began=ShelfState(tick, shelf.stock, shelf.shown_prices, opened, np.broadcast_to(shelf.changes, opened.shape)),
    )


def _stacked(first: pa.Table, second: pa.Table, schema: pa.Schema) -> pa.Table:
    """Stack rows; text is coded anew in order of appearance."""
    rows: Sequence[dict[str, Any]] = [*first.to_pylist(), *second.to_pylist()]
    return pa.Table.from_pylist(rows, schema=schema)


def begin_hourly(lake: Lake, catalog: Catalog, date: dt.date) -> bool:
    """Write the owner's prices down from a date on, unless they are for every product that is released; tell whether.

    A product is left out until a sale has told its price in the store, and somebody who looked at it.
    """
    before = draw_on(lake, catalog, date)
    own = own_prices_on(lake, catalog, date, before).prices
    known = np.zeros(own.shape, dtype=bool) if before is None else np.isfinite(before.shelf_prices)
    for row, store in enumerate(catalog.store.stores):
        visited = visited_lately(lake, store, date)
        known[row] |= np.array([sku in visited for sku in catalog.skus])
    includes = np.array([catalog.store.drawn_prices.includes(sku) for sku in catalog.skus])
    wanted = np.isfinite(own) & includes & known
    if not wanted.any() or (before is not None and (np.isfinite(before.shelf_prices) >= wanted).all()):
        return False
    rows = [
        {
            "store_id": catalog.store.stores[store],
            "sku": catalog.skus[product],
            "through": date,
            "price": float(own[store, product]),
            "shelf_price": float(own[store, product]),
            "step_from": float(own[store, product]),
            "propensity": 1.0,
            "low_price": None,
            "high_price": None,
            "is_held": False,
            "design": DESIGN,
            "block": f"{catalog.store.stores[store]}/{date}",
            "seed": 0,
        }
        for store, product in zip(*np.nonzero(wanted), strict=True)
    ]
    table = pa.Table.from_pylist(rows, schema=TABLES[TABLE].schema)
    lake.publish(Partition(TABLE, date, "all"), table, inputs=f"{DESIGN}:{date}")
    return True
