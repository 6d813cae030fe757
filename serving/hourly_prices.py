"""Prices of an outside store that change within the day: the twin's belief and recursion, around the owner's price.

What must hold: the store says who looked at each product, so that a sale has its chances. Its shelf is the catalog's
with a floor and a ceiling as near to the owner's price as the band allows, and a step as long as the owner allows. A
product that is not released, or whose own price is not known, has no room at all.
"""

import datetime as dt
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.arrays import Flags, Floats
from catalog.limits import not_above, not_below
from catalog.load import Catalog
from catalog.names import INTAKE_GROUP
from catalog.pricing import PriceDecision, Shelf
from catalog.tables.intake import PRODUCT_VISITS
from serving.belief.belief import Belief, believed_before_anybody_came, opened
from serving.belief.policy import Morning
from serving.belief.table import belief_from_table
from serving.book_store import BookInForce
from serving.drawn_prices import draw_on
from serving.evidence import ShelfPrices
from serving.limits import limits_of
from serving.open_book import believed_in
from serving.orders import Orders
from serving.storefront import LearningStorefront, storefront_that_learns
from warehouse.lake import Lake, Partition

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
        part = Partition(PRODUCT_VISITS.name, date - dt.timedelta(days=day), INTAKE_GROUP)
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
    version = learners = None
    if found is not None and found.belief is not None:
        belief, version = belief_from_table(found.belief, catalog)
        belief, learners = believed_in(catalog, belief, store)
    centers = standing.of((store,), 1)[0]
    shelf = _shelf_around(catalog, centers, is_released)
    # what was sold is described on the ladder of the whole shelf: the band bounds what may be shown, not what is known
    owners = np.where(np.isnan(centers), catalog.base_prices, centers)
    morning = Morning(shelf, opened(catalog, belief), belief.footfall, version, owners, learners)
    front = storefront_that_learns(shelf, morning, orders)
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
