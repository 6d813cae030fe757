"""Work a price book out block by block: a policy, what it asks in every state, and the steps that are left of it.

What must hold: products know nothing of each other once it is said what their sales bring, and substitutes are counted
there. A block is as large as its states, the same wherever it is done, so the bytes of a book are the same, too; and
what a process holds of all states is a block.
"""

import datetime as dt
from dataclasses import dataclass

from catalog.arrays import Floats
from catalog.load import Catalog
from catalog.price_ladder import price_ladder
from catalog.spread import HERE, Spread
from serving.curves import DemandCurves
from serving.policies import policy_with_model, sales_of
from serving.price_book import PriceBook, joined
from serving.tabulate import tabulate

_STATES = 2_000_000  # of a block, at least one product
_PER_SECOND = 5e7  # prices x stock levels x ticks that one core works out
_WORTH_A_CLUSTER = 5.0  # seconds of one core


@dataclass(frozen=True)
class ProductBlock:
    """Products of a shelf, with what is known of them.

    Attributes
    ----------
    first
        Position of the first of them on the shelf.
    visits
        Visits expected per store day, shape (n_products, n_ticks).
    sales
        What their sales bring, as `serving.policies.sales_of` gives it for the whole shelf.
    """

    first: int
    catalog: Catalog
    curves: DemandCurves
    visits: Floats
    sales: tuple[Floats, Floats]
    published_at: dt.datetime

    @property
    def name(self) -> str:
        """Positions of the first and the last of them, from 1."""
        return f"prices of products {self.first + 1} to {self.first + len(self.catalog.products)}"


def unpublished_book(
    catalog: Catalog, curves: DemandCurves, visits: Floats, for_date: dt.date, spread: Spread = HERE
) -> PriceBook:
    """Return the price book of a business date without publishing it; a large one is spread where workers are.

    Parameters
    ----------
    visits
        Visits expected per store day, shape (n_products, n_ticks).
    """
    gains, chances = sales_of(catalog, curves, visits)
    published_at = dt.datetime.combine(for_date, dt.time(), dt.UTC)
    levels = int(catalog.most_stock.max()) + 1
    size = max(1, _STATES // (levels * catalog.store.opening.ticks))
    blocks = [
        ProductBlock(
            first,
            Catalog(catalog.products[own], catalog.store),
            curves.among(own),
            visits[own],
            (gains[own], chances[..., own, :]),
            published_at,
        )
        for first in range(0, len(catalog.products), size)
        for own in (slice(first, first + size),)
    ]
    is_sent = spread.is_elsewhere and is_worth_a_cluster(catalog)
    if not is_sent:
        return joined(map(_worked_out, blocks))
    made = spread(_worked_out, blocks)
    return joined(made.pop(0) for _ in blocks)


def is_worth_a_cluster(catalog: Catalog) -> bool:
    """Tell whether the price book of a catalog is large enough to be worked out on other machines."""
    states = (int(catalog.most_stock.max()) + 1) * catalog.store.opening.ticks
    return price_ladder(catalog).size * states / _PER_SECOND >= _WORTH_A_CLUSTER


def _worked_out(block: ProductBlock) -> PriceBook:
    policy = policy_with_model(block.catalog, block.curves, block.visits, sales=block.sales)
    return tabulate(policy, block.catalog, block.published_at, block.curves)
