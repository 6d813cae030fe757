"""The recursion of a day whose evening counts: solved for what keeps of a shelf, when somebody asks for it."""

import datetime as dt
from collections.abc import Iterator

import numpy as np

from catalog.arrays import Flags, Floats, Ints
from catalog.decisions.pricing import Shelf
from serving.optimise.recursion import ProductsToSolve, price_stock, rates_of, worth_of_each
from serving.optimise.stickers import MixedShelf, batches
from serving.optimise.stock_ahead import Keeps, StockAhead

_ANY_DAY = dt.date(2024, 1, 1)
_MOST_KINDS = 64  # shelves of a product that are solved apart
_DIGITS = 6  # after the point: a price is a sum of decimals kept as binary


class SolvedOverDays:
    """Best candidates and unit values of a day, by product, by what keeps of its units, stock and ticks left."""

    def __init__(self, problem: ProductsToSolve, ahead: StockAhead) -> None:
        """Solve nothing yet."""
        self._problem, self._ahead = problem, ahead
        self._solved: dict[tuple[int, int, Keeps], tuple[Ints, Floats]] = {}
        self._beside: dict[tuple[int, int, Keeps, int, float], tuple[Ints, Floats]] = {}
        self._chosen: dict[tuple[int, int, Keeps, int], tuple[float, float]] = {}

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
            for told, own, _ in _kinds(keeps[:, product, : far[product]]):
                best, value = self.solution(product, date, told)
                units = stock[own, product]
                candidate[own, product] = best[units, left - 1]
                unit_value[own, product] = value[units, left - 1] - value[units - 1, left - 1]
        if self._ahead.stickers is None:
            return candidate, unit_value, None, None
        sticker, saving = self._with_stickers(shelf, opened_with, date, (candidate, unit_value))
        return candidate, unit_value, sticker, saving if shelf.sticker is None else None

    def worths(self, shelf: Shelf, product: int) -> Floats:
        """Return what each candidate brings one store in this tick and after it, more than all its units kept, EUR.

        Shape (n_prices,), NaN for one that is not chosen among. `shelf` is as in `on`.
        """
        date, left = shelf.business_date or _ANY_DAY, shelf.ticks_left
        opened_with = (
            self._ahead.new_units(self._ahead.most_stock)[None] if shelf.opened_with is None else shelf.opened_with
        )
        far, most = self._ahead.far(date)[product], int(self._ahead.most_stock[product])
        units, held, sticker = (
            min(max(int(shelf.stock[0, product]), 1), most),
            opened_with[0, product],
            self.on(shelf)[2],
        )
        among = np.flatnonzero(self._problem.choosable[product])
        worths = np.full(self._problem.gains.shape[1], np.nan)
        kind = np.minimum(np.cumsum(held[::-1])[::-1][:far], most)
        if sticker is not None and np.isfinite(sticker[0, product]) and 0 < kind[1] < kind[0] and held[0] > 0:
            on_last_day = units - kind[1] if shelf.on_last_day is None else shelf.on_last_day[0, product]
            old = min(max(int(on_last_day), 0), int(kind[0] - kind[1]))
            mixed = self._mixed(product, date, tuple(kind.tolist()), 1)
            at = left, old, min(units - old, int(kind[1]))
            worths[among], kept = mixed.worth_of_labels(sticker[0, product] - self._cost(product), *at)
            return worths - kept
        keeps = self._ahead.keeps_of(opened_with)[0, product, :far]
        later = self.solution(product, date, tuple(keeps.tolist()))[1][:, left - 1]
        worths[among] = worth_of_each(self._problem.gains[product, among], self._rates(product)[:, -left], later, units)
        return worths - later[units]

    def _rates(self, product: int) -> Floats:
        """Return the units that would sell at each candidate among which is chosen, shape (n_candidates, n_ticks)."""
        problem = self._problem
        return rates_of(
            problem.chances[..., product, np.flatnonzero(problem.choosable[product])], problem.visits[product]
        )

    def _with_stickers(
        self, shelf: Shelf, opened_with: Ints, date: dt.date, found: tuple[Ints, Floats]
    ) -> tuple[Floats, Floats]:
        """Return stickers and what they save, and write candidates and unit values beside them into those found."""
        candidate, unit_value = found
        sticker, saving = np.full((2, *shelf.stock.shape), np.nan)
        if shelf.sticker is not None:
            sticker[:] = shelf.sticker
        stock, far = np.clip(shelf.stock, 1, self._ahead.most_stock), self._ahead.far(date)
        held = np.broadcast_to(opened_with, (*stock.shape, opened_with.shape[-1]))
        is_mixed = (held[..., 0] > 0) & (held[..., 1:] > 0).any(axis=-1)
        for product in np.flatnonzero(is_mixed.any(axis=0)).tolist():
            mixed = np.flatnonzero(is_mixed[:, product])
            keep = np.cumsum(held[mixed, product, ::-1], axis=-1)[:, ::-1][:, : far[product]]
            for kind, own, size in _kinds(np.minimum(keep, self._ahead.most_stock[product])):
                if kind[0] == kind[1]:
                    continue  # more units than are ever on the shelf
                rows, kept = mixed[own], (product, date, kind, size)
                if shelf.sticker is None:
                    sticker[rows, product], saving[rows, product] = self._choice(*kept)
                units, shown = stock[rows, product], sticker[rows, product]
                on_last_day = units - kind[1] if shelf.on_last_day is None else shelf.on_last_day[rows, product]
                old = np.clip(on_last_day.astype(np.int64), 0, kind[0] - kind[1])
                at = shelf.ticks_left, old, np.minimum(units - old, kind[1])
                for beside, best, value in self._beside_stickers(kept, shown, *at):
                    candidate[rows[beside], product], unit_value[rows[beside], product] = best, value
        return sticker, saving

    def _beside_stickers(
        self, shelf: tuple[int, dt.date, Keeps, int], shown: Floats, left: int, old: Ints, young: Ints
    ) -> Iterator[tuple[Flags, Ints, Floats]]:
        """Yield, for each sticker that is shown, in which stores it is, and what `_beside_sticker` says of them."""
        for price in np.unique(shown[np.isfinite(shown)]).tolist():
            beside = shown == price
            yield beside, *self._beside_sticker(shelf, price, left, old[beside], young[beside])

    def _choice(self, product: int, date: dt.date, keeps: Keeps, size: int) -> tuple[float, float]:
        """Return the price of the best sticker and what it saves, EUR; NaN where none does."""
        key = (product, date.weekday(), keeps, size)
        if key not in self._chosen:
            assert self._ahead.stickers is not None  # noqa: S101 - asked before
            prices = self._ahead.stickers[product]
            gains = prices[np.isfinite(prices)] - self._cost(product)
            best, saving = self._mixed(product, date, keeps, size).best_sticker(gains * size)
            self._chosen[key] = round(best / size + self._cost(product), _DIGITS), saving
        return self._chosen[key]

    def _beside_sticker(
        self, shelf: tuple[int, dt.date, Keeps, int], sticker: float, left: int, old: Ints, young: Ints
    ) -> tuple[Ints, Floats]:
        """Return the best candidates beside a sticker, and unit values, of stores with so many old and young units.

        What is asked first tells how far the recursion goes: later on the day fewer units and ticks are left. Who asks
        for more gets all of it.
        """
        product, date, keeps, size = shelf
        old, young = batches(old, size), batches(young, size)
        key = (product, date.weekday(), keeps, size, sticker)
        reach, found = (left, int(old.max()), int(young.max())), self._beside.get(key)
        if found is None or any(has <= asked for has, asked in zip(found[1].shape, reach, strict=True)):
            mixed, among = self._mixed(product, date, keeps, size), np.flatnonzero(self._problem.choosable[product])
            gain = (sticker - self._cost(product)) * size
            labels, worth = mixed.with_sticker(gain, reach if found is None else None)
            found = self._beside[key] = among[labels], worth
        best, worth = found[0][left - 1], found[1][left - 1]
        old, young = np.minimum(old, len(worth) - 1), np.minimum(young, worth.shape[1] - 1)
        return best[old, young], (worth[old, young] - worth[old, np.maximum(young - 1, 0)]) / size

    def _mixed(self, product: int, date: dt.date, keeps: Keeps, size: int) -> MixedShelf:
        problem, rules = self._problem, self._ahead.rules
        among = np.flatnonzero(problem.choosable[product])
        return MixedShelf(
            gains=problem.gains[product, among],
            rates=self._rates(product),
            at_closing=self._ahead.at_closing(product, date, keeps),
            old=keeps[0] - keeps[1],
            young=keeps[1],
            freshest_share=self._ahead.freshest_share,
            lost_with_a_unit=float(rules.lost_with_a_unit[product]),
        ).in_batches(size)

    def _cost(self, product: int) -> float:
        return self._ahead.rules.products[product].unit_cost

    def solution(self, product: int, date: dt.date, keeps: Keeps) -> tuple[Ints, Floats]:
        """Return best candidates and values of a product on a date, as `price_stock` does, by what keeps of it."""
        key = (product, date.weekday(), keeps)
        if key not in self._solved:
            problem = self._problem
            among = np.flatnonzero(problem.choosable[product])
            worth = self._ahead.at_closing(product, date, keeps)
            positions, value = price_stock(problem.gains[product, among], self._rates(product), len(worth), worth)
            self._solved[key] = among[positions], value
        return self._solved[key]


def _kinds(keeps: Ints) -> Iterator[tuple[Keeps, slice | Ints, int]]:
    """Yield what keeps of some shelves, shape (n_shelves, n_days), and which shelves are so; one stands for all.

    Of many shelves, what keeps is told in steps of 2, 4 ... units, until there are few kinds; the step comes last.
    """
    if (keeps == keeps[:1]).all():
        yield tuple(keeps[0].tolist()), slice(None), 1
        return
    step, told, most = 1, keeps, keeps.max(axis=0)
    while len(kinds := np.unique(told, axis=0)) > _MOST_KINDS:
        step *= 2
        told = np.minimum(np.maximum((keeps + step // 2) // step, keeps > 0) * step, most)
    of_shelf = np.unique(told, axis=0, return_inverse=True)[1].ravel()
    for number, kind in enumerate(kinds.tolist()):
        yield tuple(kind), np.flatnonzero(of_shelf == number), step
