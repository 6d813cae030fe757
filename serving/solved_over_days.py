"""The recursion of a day whose evening counts: solved for what keeps of a shelf, when somebody asks for it."""

import datetime as dt
from collections.abc import Iterator

import numpy as np

from catalog.arrays import Floats, Ints
from catalog.pricing import Shelf
from serving.recursion import price_stock, rates_of
from serving.solve import ProductsToSolve
from serving.stickers import MixedShelf
from serving.stock_ahead import Keeps, StockAhead

_ANY_DAY = dt.date(2024, 1, 1)
_DIGITS = 6  # after the point: a price is a sum of decimals kept as binary


class SolvedOverDays:
    """Best candidates and unit values of a day, by product, by what keeps of its units, stock and ticks left."""

    def __init__(self, problem: ProductsToSolve, ahead: StockAhead) -> None:
        """Solve nothing yet."""
        self._problem, self._ahead = problem, ahead
        self._solved: dict[tuple[int, int, Keeps], tuple[Ints, Floats]] = {}
        self._beside: dict[tuple[int, int, Keeps, float], tuple[Ints, Floats]] = {}
        self._chosen: dict[tuple[int, int, Keeps], tuple[float, float]] = {}

    def on(self, shelf: Shelf) -> tuple[Ints, Floats, Floats | None, Floats | None]:
        """Return the best candidate, the value of one unit more in the ticks after, stickers, and what they save.

        Each has shape (n_stores, n_products); stickers and savings are EUR, NaN for none, and None where nobody sticks
        any, or none is chosen now. A shelf that does not say what it opened with had new units, and one without a date
        is of a day like any other.
        """
        opened_with, date = shelf.opened_with, shelf.business_date or _ANY_DAY
        if opened_with is None:
            opened_with = self._ahead.new_units(self._ahead.most_stock)[None]
        keeps, far, left = self._ahead.keeps_of(opened_with), self._ahead.far(date), shelf.ticks_left
        stock = np.clip(shelf.stock, 1, self._ahead.most_stock)
        candidate, unit_value = np.empty(stock.shape, dtype=np.int64), np.empty(stock.shape)
        for product in range(stock.shape[1]):
            for told, own in _kinds(keeps[:, product, : far[product]]):
                best, value = self.solution(product, date, told)
                units = stock[own, product]
                candidate[own, product] = best[units, left - 1]
                unit_value[own, product] = value[units, left - 1] - value[units - 1, left - 1]
        if self._ahead.stickers is None:
            return candidate, unit_value, None, None
        sticker, saving = np.full((2, *stock.shape), np.nan)
        if shelf.sticker is not None:
            sticker[:] = shelf.sticker
        held = np.broadcast_to(opened_with, (*stock.shape, opened_with.shape[-1]))
        is_mixed = (held[..., 0] > 0) & (held[..., 1:] > 0).any(axis=-1)
        for at in zip(*np.nonzero(is_mixed), strict=True):
            product = int(at[1])
            keep = np.minimum(np.cumsum(held[at][::-1])[::-1], self._ahead.most_stock[product])
            kind = tuple(keep[: far[product]].tolist())
            if kind[0] == kind[1]:
                continue  # more units than are ever on the shelf
            if shelf.sticker is None:
                sticker[at], saving[at] = self._choice(product, date, kind)
            if np.isfinite(sticker[at]):
                labels, worth = self._beside_sticker(product, date, kind, float(sticker[at]))
                on_last_day = stock[at] - kind[1] if shelf.on_last_day is None else shelf.on_last_day[at]
                old = min(max(int(on_last_day), 0), kind[0] - kind[1])
                young = min(int(stock[at]) - old, kind[1])
                candidate[at] = labels[left - 1, old, young]
                unit_value[at] = worth[left - 1, old, young] - worth[left - 1, old, max(young - 1, 0)]
        return candidate, unit_value, sticker, saving if shelf.sticker is None else None

    def _choice(self, product: int, date: dt.date, keeps: Keeps) -> tuple[float, float]:
        """Return the price of the best sticker and what it saves, EUR; NaN where none does."""
        key = (product, date.weekday(), keeps)
        if key not in self._chosen:
            assert self._ahead.stickers is not None  # noqa: S101 - asked before
            prices = self._ahead.stickers[product]
            gains = prices[np.isfinite(prices)] - self._cost(product)
            best, saving = self._mixed(product, date, keeps).best_sticker(gains)
            self._chosen[key] = round(best + self._cost(product), _DIGITS), saving
        return self._chosen[key]

    def _beside_sticker(self, product: int, date: dt.date, keeps: Keeps, sticker: float) -> tuple[Ints, Floats]:
        key = (product, date.weekday(), keeps, sticker)
        if key not in self._beside:
            among = np.flatnonzero(self._problem.choosable[product])
            labels, worth = self._mixed(product, date, keeps).with_sticker(sticker - self._cost(product))
            self._beside[key] = among[labels], worth
        return self._beside[key]

    def _mixed(self, product: int, date: dt.date, keeps: Keeps) -> MixedShelf:
        problem, rules = self._problem, self._ahead.rules
        among = np.flatnonzero(problem.choosable[product])
        return MixedShelf(
            gains=problem.gains[product, among],
            rates=rates_of(problem.chances[..., product, among], problem.visits[product]),
            at_closing=self._ahead.at_closing(product, date, keeps),
            old=keeps[0] - keeps[1],
            young=keeps[1],
            freshest_share=self._ahead.freshest_share,
            lost_with_a_unit=float(rules.lost_with_a_unit[product]),
        )

    def _cost(self, product: int) -> float:
        return self._ahead.rules.products[product].unit_cost

    def solution(self, product: int, date: dt.date, keeps: Keeps) -> tuple[Ints, Floats]:
        """Return best candidates and values of a product on a date, as `price_stock` does, by what keeps of it."""
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
