"""The books of one product in one outside store over a business date: what was told of its units, followed to the unit.

The twin follows each unit. Of an outside store some things are told and others are not, so the books estimate them, and
each row says whether the ages of its units are told or estimated:

- A delivery whose last date of sale is not told keeps as long as the catalog says.
- What is sold or thrown away is the oldest unit, but for the share of shoppers who take the freshest one.
- A count is the truth of its moment. What it misses is taken from the oldest units, what it finds is new.
- What leaves the shelf beyond the books was there: it counts as found.

What must hold: carried + delivered - sold - spoiled + adjusted = kept, for each last date of sale, and nothing is kept
beyond it.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import floor
from typing import Literal, NamedTuple

Expiry = dt.date | None
"""Last date on which a unit may be sold; None keeps for ever."""

Kind = Literal["delivery", "spoiled", "sold", "count", "closing"]
_ORDER: Sequence[Kind] = ("delivery", "spoiled", "sold", "count", "closing")  # at one moment: a count knows all of it


class StockChange(NamedTuple):
    """Something that changed the units of a product, or told them: when, UTC, what, how many, and how long they keep.

    At `closing` what no longer keeps is thrown away. `expires_on` is None where nobody told it.
    """

    at: dt.datetime
    kind: Kind
    units: float = 0.0
    expires_on: Expiry = None


@dataclass
class Lot:
    """The units of a product that keep until the same date, over one business date: a row of `stock_movements`."""

    carried: int = 0
    delivered: int = 0
    sold: int = 0
    spoiled: int = 0
    adjusted: int = 0
    is_estimated: bool = False

    @property
    def left(self) -> int:
        """Units on the shelf."""
        return self.carried + self.delivered - self.sold - self.spoiled + self.adjusted


class StockBooks:
    """The lots of one product in one store on a date.

    Parameters
    ----------
    date
        The business date.
    newest
        Last date on which a unit that comes on it may be sold, by the catalog.
    freshest_share
        Share of shoppers who take the unit that keeps longest.
    carried
        Lots that the day before kept, by their last date of sale.
    """

    def __init__(self, date: dt.date, newest: Expiry, freshest_share: float, carried: Mapping[Expiry, Lot]) -> None:
        self.newest = newest
        self._date, self._freshest_share = date, freshest_share
        self._lots = dict(carried)
        self._rung_up, self._sold, self._thrown_away = 0.0, 0, 0
        self.is_told = False
        """Whether a count or a delivery was written."""

    @property
    def lots(self) -> dict[Expiry, Lot]:
        """The lots by their last date of sale, the oldest first; those of new units are always there."""
        self._lot(self.newest)
        return dict(sorted(self._lots.items(), key=lambda item: item[0] or dt.date.max))

    def write(self, changes: Iterable[StockChange]) -> "StockBooks":
        """Write changes down, in any order; return the books."""
        ordered = sorted(changes, key=lambda change: (change.at, _ORDER.index(change.kind)))
        for (_, kind), group in groupby(ordered, key=lambda event: event[:2]):
            together = list(group)
            self.is_told |= kind in {"count", "delivery"}
            if kind == "count":
                self._count({event.expires_on: round(event.units) for event in together})
            for one in together:
                if kind == "delivery":
                    self._come(one.expires_on, round(one.units))
                elif kind == "sold":
                    self._sell(one.units)
                elif kind == "spoiled":
                    self._throw_away(round(one.units))
                elif kind == "closing":
                    self.close()
        return self

    def close(self) -> None:
        """Throw away what may not be sold on another date."""
        for expires_on, lot in self._lots.items():
            if expires_on is not None and expires_on <= self._date and lot.left > 0:
                self._thrown_away += lot.left
                lot.spoiled += lot.left

    def _come(self, expires_on: Expiry, units: int) -> None:
        lot = self._lot(expires_on or self.newest)
        lot.delivered += units
        lot.is_estimated |= expires_on is None and self.newest is not None

    def _sell(self, units: float) -> None:
        """Sell units; parts of a unit are put together over the day."""
        self._rung_up += units
        before, self._sold = self._sold, floor(self._rung_up + 0.5)
        fresh = floor(self._freshest_share * self._sold + 0.5) - floor(self._freshest_share * before + 0.5)
        for number, is_fresh in ((fresh, True), (self._sold - before - fresh, False)):
            for lot, taken in self._taken(number, is_fresh=is_fresh):
                lot.sold += taken

    def _throw_away(self, units: int) -> None:
        """Throw units away; what the closing threw away is told now, and known."""
        thrown = min(units, self._thrown_away)
        self._thrown_away -= thrown
        for lot, taken in self._taken(units - thrown):
            lot.spoiled += taken

    def _count(self, counted: Mapping[Expiry, int]) -> None:
        """Take what was counted at one moment for all there is; without a date it is of lots that were not counted."""
        for expires_on in counted:
            if expires_on is not None:
                lot = self._lot(expires_on)
                lot.adjusted += counted[expires_on] - lot.left
                lot.is_estimated = False
        others = [lot for expires_on, lot in self.lots.items() if expires_on is None or expires_on not in counted]
        difference = counted.get(None, 0) - sum(lot.left for lot in others)
        self._find(difference)
        for lot, taken in _from(others, -difference):
            lot.adjusted -= taken

    def _taken(self, units: int, *, is_fresh: bool = False) -> Iterable[tuple[Lot, int]]:
        """Yield from which lots units are taken; what is not on the books is found first."""
        lots = list(self.lots.values())
        self._find(units - sum(lot.left for lot in lots))
        return _from(lots[::-1] if is_fresh else lots, units)

    def _find(self, units: int) -> None:
        """Put units on the books that nobody told of; without any, nothing changes."""
        if units > 0:
            newest = self._lot(self.newest)
            newest.adjusted += units
            newest.is_estimated |= self.newest is not None

    def _lot(self, expires_on: Expiry) -> Lot:
        return self._lots.setdefault(expires_on, Lot())


def _from(lots: Sequence[Lot], units: int) -> Iterable[tuple[Lot, int]]:
    """Yield how many of some units each lot gives, in their order; where several could, it is an estimate."""
    some = [lot for lot in lots if lot.left > 0]
    if units > 0 and len(some) > 1:
        for lot in some:
            lot.is_estimated = True
    for lot in some:
        taken = max(0, min(units, lot.left))
        units -= taken
        yield lot, taken
