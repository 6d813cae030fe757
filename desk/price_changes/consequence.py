"""What a price is expected to bring on a store day, and what it costs against the policy's price.

Units are the visits expected times the chance of sale, as far as the shelf reaches. Both prices are taken to stand for
the ticks that are asked about; what the policy would change during them is left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from catalog.arrays import Floats, Ints
from catalog.load import Catalog
from serving.belief.table import belief_from_table, stores_of_kinds
from serving.book_store import BookInForce
from serving.curves import DemandCurves
from serving.in_force import PresentBook, present_book, stores_apart
from serving.policies import costs_that_count
from serving.price_book import PriceBook
from warehouse.lake import Lake


@dataclass(frozen=True)
class Consequence:
    """What a price brings a store in the ticks that were asked about. None where no model knows.

    Attributes
    ----------
    price, policy_price
        EUR; the second is what the policy opens a full shelf with.
    p_sale
        Chance that a shopper who considers the product buys it.
    units, revenue, profit
        Expected units, and EUR; profit is revenue less the cost of the units.
    cost
        What is lost against the policy's price, EUR, in revenue or in profit, whichever the catalog maximises; negative
        where more is expected.
    """

    price: float
    policy_price: float
    p_sale: float | None
    units: float | None
    revenue: float | None
    profit: float | None
    cost: float | None


class DayForecast:
    """The price book in force, ready to say what prices bring; it is read once for many questions.

    Parameters
    ----------
    present
        The book on the shelf of the catalog.
    belief
        What it was made from, in the columns of `beliefs`; None without one.
    apart
        What stands for the book in stores of kinds of their own.
    """

    def __init__(
        self,
        catalog: Catalog,
        present: PresentBook,
        belief: pa.Table | None,
        apart: Mapping[str, "DayForecast"] | None = None,
    ) -> None:
        self._catalog, self._book, self._curves, self._apart = catalog, present.book, present.curves, apart or {}
        visits = None if belief is None else belief_from_table(belief, catalog)[0].footfall.by_tick
        self._visits: Floats | None = visits if visits is not None and len(visits) == len(catalog.skus) else None

    def in_store(self, store: str | None) -> "DayForecast":
        """Return what holds in a store; without one, what all stores share."""
        return self if store is None else self._apart.get(store, self)

    @property
    def book(self) -> PriceBook:
        """The book, for the shelf of the catalog."""
        return self._book

    @property
    def curves(self) -> DemandCurves:
        """The demand curves behind it, for the shelf of the catalog."""
        return self._curves

    def opening_price(self, sku: str) -> float:
        """Return what the policy opens a full shelf with, EUR."""
        return float(self._book.prices[self._catalog.skus.index(sku)][-1, -1])

    def binding_rule(self, sku: str) -> str:
        """Return the rule that binds the price that the policy opens a full shelf with."""
        return self._book.rules[self._book.rule[self._catalog.skus.index(sku)][-1, -1]]

    @property
    def skus(self) -> tuple[str, ...]:
        """The products that it knows."""
        return self._book.skus

    def gains(self, product: Ints, proposed: Floats, prices: Floats) -> Floats:
        """Return what proposed prices are expected to bring a store day more than other prices, EUR.

        Parameters
        ----------
        product
            Positions on the shelf, shape (n,).
        proposed, prices
            The prices that are compared, EUR, shape (n,).

        Returns
        -------
        Floats
            Shape (n,), in revenue or in profit, whichever the catalog maximises; NaN where no model knows.
        """
        if self._visits is None:
            return np.full(len(product), np.nan)
        earned, before = (self._earned(self._visits, product, own) for own in (proposed, prices))
        return np.asarray(earned - before)

    def _earned(self, visits_by_tick: Floats, product: Ints, prices: Floats) -> Floats:
        visits, cost = visits_by_tick.sum(axis=1)[product], costs_that_count(self._catalog)[product]
        units = np.minimum(visits * self._curves.p_sale_at(product, prices), self._catalog.par_stock[product])
        return np.asarray(units * (prices - cost))

    def of(self, sku: str, price: float, first_tick: int = 0, end_tick: int | None = None) -> Consequence:
        """Return what a price, EUR, brings in the ticks from a first one to an end."""
        own = self._catalog.skus.index(sku)
        policy_price = self.opening_price(sku)
        chances = np.array([self._curves.p_sale_at(np.array([own]), np.array([at]))[0] for at in (price, policy_price)])
        if self._visits is None or np.isnan(chances).any():
            p_sale = None if np.isnan(chances[0]) else float(chances[0])
            return Consequence(price, policy_price, p_sale, None, None, None, None)
        product = self._catalog.products[own]
        visits = float(self._visits[own, first_tick:end_tick].sum())
        units = np.minimum(visits * chances, product.par_stock)
        revenue = units * np.array([price, policy_price])
        profit = revenue - units * product.unit_cost
        counted = revenue - units * costs_that_count(self._catalog)[own]
        lost = float(counted[1] - counted[0])
        return Consequence(
            price, policy_price, float(chances[0]), float(units[0]), float(revenue[0]), float(profit[0]), lost
        )


def outlook_of(lake: Lake, catalog: Catalog, found: BookInForce) -> DayForecast:
    """Return the book in force on the catalog of now, ready to say what prices bring."""
    alone, apart = stores_apart(catalog, found), dict[str, DayForecast]()
    for stores in stores_of_kinds(found.belief) if found.belief is not None and alone else ():
        of_kind = DayForecast(catalog, present_book(lake, catalog, found, stores[0]), found.belief)
        apart |= dict.fromkeys(stores, of_kind)
    return DayForecast(catalog, present_book(lake, catalog, found), found.belief, apart)
