"""The recursion of a day whose evening counts: solved for what keeps of a shelf, when somebody asks for it."""

import datetime as dt
from collections.abc import Iterator

import numpy as np

from catalog.arrays import Floats, Ints
from catalog.pricing import Shelf
from serving.recursion import price_stock, rates_of
from serving.solve import ProductsToSolve
from serving.stock_ahead import Keeps, StockAhead

_ANY_DAY = dt.date(2024, 1, 1)


class SolvedOverDays:
    """Best candidates and unit values of a day, by product, by what keeps of its units, stock and ticks left."""

    def __init__(self, problem: ProductsToSolve, ahead: StockAhead) -> None:
        """Solve nothing yet."""
        self._problem, self._ahead = problem, ahead
        self._solved: dict[tuple[int, int, Keeps], tuple[Ints, Floats]] = {}

    def on(self, shelf: Shelf) -> tuple[Ints, Floats]:
        """Return the best candidate and the value of one unit more in the ticks after, shape (n_stores, n_products).

        A shelf that does not say what it opened with had new units, and one without a date is of a day like any other.
        """
        opened_with, date = shelf.opened_with, shelf.business_date or _ANY_DAY
        if opened_with is None:
            opened_with = self._ahead.new_units(self._ahead.most_stock)[None]
        keeps, far, left = self._ahead.keeps_of(opened_with), self._ahead.far(date), shelf.ticks_left
        stock = np.clip(shelf.stock, 1, self._ahead.most_stock)
        candidate, unit_value = np.empty(stock.shape, dtype=np.int64), np.empty(stock.shape)
        for product in range(stock.shape[1]):
            for told, own in _kinds(keeps[:, product, : far[product]]):
                best, value = self._solution(product, date, told)
                units = stock[own, product]
                candidate[own, product] = best[units, left - 1]
                unit_value[own, product] = value[units, left - 1] - value[units - 1, left - 1]
        return candidate, unit_value

    def _solution(self, product: int, date: dt.date, keeps: Keeps) -> tuple[Ints, Floats]:
        key = (product, date.weekday(), keeps)
        if key not in self._solved:
            problem = self._problem
            among = np.flatnonzero(problem.choosable[product])
            rates = rates_of(problem.chances[..., product, among], problem.visits[product])
            worth = self._ahead.at_closing(product, date, keeps)
            positions, value = price_stock(problem.gains[product, among], rates, len(worth), worth)
            self._solved[key] = among[positions], value
        return self._solved[key]


def _kinds(keeps: Ints) -> Iterator[tuple[Keeps, slice | Ints]]:
    """Yield what keeps of some shelves, shape (n_shelves, n_days), and which shelves are so; one stands for all."""
    if (keeps == keeps[:1]).all():
        yield tuple(keeps[0].tolist()), slice(None)
        return
    kinds, of_shelf = np.unique(keeps, axis=0, return_inverse=True)
    for kind, told in enumerate(kinds.tolist()):
        yield tuple(told), np.flatnonzero(of_shelf.ravel() == kind)
