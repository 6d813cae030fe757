"""Prices that were drawn for the stores of an outside chain: read from the lake, and sold from like any other policy.

A draw stands until another one takes its place, so a night that fails leaves yesterday's prices. A product that is not
drawn shows its store's own price. While a product is drawn, its own price is the one that its first draw was around,
for what its shelf showed since was ours, or the one that the owner said since.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from catalog.arrays import Flags, Floats
from catalog.bounds import not_above, not_below, price_bounds
from catalog.decisions.pricing import Shelf
from catalog.load import Catalog
from plugins.own_store.draws.numbered_records import numbered_records
from plugins.own_store.learning.price_room import PriceRoom
from plugins.own_store.shelf_price import regular_prices
from serving.optimise.policies import Asked, ShelfPrices, asked_without_model
from warehouse.lake import Lake, Partition

SAID = "shelf_price_changes"


def said_prices(lake: Lake, catalog: Catalog, date: dt.date, drawn_through: dt.date) -> Floats:
    """Return the newest price that was said for a date, EUR, shape (n_stores, n_products), NaN where none.

    Parameters
    ----------
    drawn_through
        Last date of the draw that stands: what it has taken up already is left out.
    """
    found = np.full((len(catalog.store.stores), len(catalog.skus)), np.nan)
    for row in numbered_records(lake, SAID):
        if row["sku"] in catalog.skus and row["from_date"] <= date and row["drawn_through"] >= drawn_through:
            stores = [own for own, name in enumerate(catalog.store.stores) if row["only_store"] in (None, name)]
            found[stores, catalog.skus.index(row["sku"])] = row["price"]
    return found


TABLE = "price_draws"
BACK = "back to the shelf price"
"""Design of a row that ends a product's draws: it is no draw, and tells nothing of what draws bring."""


@dataclass(frozen=True)
class PriceDraw:
    """The newest draw up to a date. Arrays have shape (n_stores, n_products), NaN where nothing was drawn; EUR.

    Attributes
    ----------
    first, through
        Business dates that it was drawn for; it stands on after them.
    prices, shelf_prices, step_from
        What is shown; what it was drawn around; and the middle of the next coin, or what a held product would show.
    is_held, is_on_the_way
        Where a product is held at the store's own price, and where a price goes back to it in steps.
    sha256
        Fingerprint of the draw.
    """

    first: dt.date
    through: dt.date
    stores: tuple[str, ...]
    prices: Floats
    shelf_prices: Floats
    step_from: Floats
    is_held: Flags
    is_on_the_way: Flags
    sha256: str

    @property
    def left_at(self) -> Floats:
        """Prices that the next step is measured from, EUR: those shown, or that a held product would have shown."""
        return np.where(self.is_held, self.step_from, self.prices)

    @property
    def is_elsewhere(self) -> Flags:
        """Where a price was drawn that is not the store's own, shape (n_stores, n_products)."""
        return np.isfinite(self.prices) & (self.prices != self.shelf_prices)

    def around(self, standing: ShelfPrices) -> ShelfPrices:
        """Return the stores' own prices: those that were drawn around, and elsewhere what stands."""
        return replace(standing, prices=np.where(np.isfinite(self.shelf_prices), self.shelf_prices, standing.prices))


@dataclass(frozen=True)
class ShelfPolicy:
    """The last regular prices of a retailer's own shelves; NaN where one is not known, so that nothing is asked for."""

    standing: ShelfPrices
    name: str = "shelf_prices"
    model_version: str | None = None
    rules: tuple[str, ...] = ("shelf_price",)

    def ask(self, shelf: Shelf) -> Asked:
        """Ask for what stands in each store."""
        prices = self.standing.of(shelf.stores, len(shelf.stock))
        return asked_without_model(prices, np.zeros(prices.shape, dtype=np.int64))


@dataclass(frozen=True)
class DrawnPolicy:
    """Asks for the prices of a draw, and elsewhere for what stands in each store."""

    draw: PriceDraw
    standing: ShelfPrices
    name: str = "drawn_prices"
    model_version: str | None = None
    rules: tuple[str, ...] = ("shelf_price", "drawn_price", "held_price", "homeward_price")

    def ask(self, shelf: Shelf) -> Asked:
        """Ask for each store's price, whatever its stock."""
        own = self.standing.of(shelf.stores, len(shelf.stock))
        drawn = replace(self.standing, prices=self.draw.prices).of(shelf.stores, len(shelf.stock))
        rules = np.where(self.draw.is_on_the_way, 3, np.where(self.draw.is_held, 2, 1)).astype(float)
        rule = replace(self.standing, prices=rules).of(shelf.stores, len(shelf.stock))
        is_drawn = np.isfinite(drawn)
        return asked_without_model(np.where(is_drawn, drawn, own), np.where(is_drawn, rule, 0).astype(np.int64))


def draw_on(lake: Lake, catalog: Catalog, date: dt.date) -> PriceDraw | None:
    """Return the newest draw that began on a date or before it, on the shelf of a catalog; None without one.

    A draw of nothing ends the one before it: the stores' own prices stand, whatever they are by then.

    A draw whose bytes are damaged is not passed over: another one would change prices that nobody drew.

    Raises
    ------
    LakeError
        When it cannot be read.
    """
    partition = newest_draw(lake, date)
    if partition is None or partition.business_date is None:
        return None
    rows = lake.read(partition)
    return _placed(catalog, partition.business_date, rows, lake.sha256(partition)) if len(rows) else None


def newest_draw(lake: Lake, date: dt.date) -> Partition | None:
    """Return where the newest draw is kept that began on a date or before it; None without one."""
    first = next((day for day in lake.newest_dates(TABLE) if day <= date), None)
    return None if first is None else Partition(TABLE, first, "all")


def own_prices_on(lake: Lake, catalog: Catalog, date: dt.date, draw: PriceDraw | None) -> ShelfPrices:
    """Return what the owner's shelves show by themselves on a date; NaN where no sale has told it yet.

    Parameters
    ----------
    draw
        The draw of that date, see `draw_on`.
    """
    stores, n_products = catalog.store.stores, len(catalog.skus)
    is_all_drawn = draw is not None and bool(np.isfinite(draw.shelf_prices).all())
    standing = None if is_all_drawn else regular_prices(lake, catalog, date)  # else nothing is left to ask for
    if standing is None:
        standing = ShelfPrices(stores, np.full((len(stores), n_products), np.nan))
    if draw is None:
        return standing
    around, said = draw.around(standing), said_prices(lake, catalog, date, draw.through)
    return replace(around, prices=np.where(np.isfinite(said) & np.isfinite(draw.shelf_prices), said, around.prices))


def _placed(catalog: Catalog, first: dt.date, rows: pa.Table, sha256: str) -> PriceDraw:
    """Place the rows of a draw on the shelf; stores and products that the catalog dropped are left out."""
    row_of = {store: place for place, store in enumerate(catalog.store.stores)}
    column_of = catalog.positions
    shape = (len(row_of), len(column_of))
    found: Mapping[str, Floats] = {
        name: np.full(shape, np.nan) for name in ("price", "shelf_price", "step_from", "is_held", "is_on_the_way")
    }
    columns = rows.to_pydict()
    for at, (store, sku) in enumerate(zip(columns["store_id"], columns["sku"], strict=True)):
        if store in row_of and sku in column_of:
            for name, values in found.items():
                values[row_of[store], column_of[sku]] = columns[name][at] or 0.0
    return PriceDraw(
        first,
        columns["through"][0],
        catalog.store.stores,
        found["price"],
        found["shelf_price"],
        found["step_from"],
        found["is_held"] == 1,
        found["is_on_the_way"] == 1,
        hashlib.sha256(f"{first}:{sha256}".encode()).hexdigest(),
    )


LADDER_PRICES = 25
"""Steps of the ladder that a draw chooses among: two percent apart at the usual band."""


def room_of(catalog: Catalog, own: Floats, wanted: Flags, before: PriceDraw | None) -> PriceRoom:
    """Return what may be drawn: within band, step, guardrails and endings, around each store's own price.

    Parameters
    ----------
    own
        The owner's prices, EUR, shape (n_stores, n_products), NaN where none is known.
    wanted
        What is drawn or goes back, shape as `own`; the rest is filled with base prices, and its draw is thrown away.
    """
    owner = np.where(wanted, own, catalog.base_prices)
    shown = middle = owner
    if before is not None:
        shown, middle = (
            np.where(wanted & np.isfinite(prices), prices, owner) for prices in (before.left_at, before.step_from)
        )
    store = catalog.store
    ways = (store.drawn_prices.band, store.drawn_step, middle.T, store.money.smallest)
    return PriceRoom(_ladder(catalog, owner), owner.T, shown.T, catalog.unit_costs, *ways)


def _ladder(catalog: Catalog, owner: Floats) -> Floats:
    """Return allowed prices of each product, ascending, EUR, shape (n_products, n_prices), filled up with NaN."""
    rails, money, band = catalog.store.guardrails, catalog.store.money, catalog.store.drawn_prices.band
    bounds = price_bounds(catalog.products, rails, money)
    low = np.maximum(owner.min(axis=0) * (1 - band), bounds.lowest)
    high = np.minimum(owner.max(axis=0) * (1 + band), bounds.ceilings)
    found = np.full((len(catalog.skus), 2 * LADDER_PRICES), np.nan)
    for place in range(len(catalog.skus)):
        even = np.linspace(low[place], max(low[place], high[place]), LADDER_PRICES)
        near = np.concatenate([not_above(even, rails.price_ending, money), not_below(even, rails.price_ending, money)])
        inside = near[(near >= bounds.lowest[place] - 1e-9) & (near <= bounds.ceilings[place] + 1e-9)]
        prices = np.unique(np.round(inside, money.digits))
        found[place, : len(prices)] = prices
    return found
