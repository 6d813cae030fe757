"""From the units of a day to the lines of its receipts, as a till would send them."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from evaluation.outside_store.stores.outside_world import Floats, Ints

OPENS, CLOSES = 8, 20  # o'clock, UTC
_UNITS_OF_A_RECEIPT = 3.0
_RECEIPTS = 2_000  # the random stream of receipts, which no world has


@dataclass(frozen=True)
class TillLine:
    """A line of a receipt.

    Attributes
    ----------
    event_id
        Unique; the same line sent twice has the same.
    receipt, line
        Where it stands.
    store_id, sku
        Where it was sold, and what.
    sold_at
        When, UTC.
    units, price
        Units, negative for a return and 0 for a void, and what was charged for one, EUR.
    voids
        The event that this line takes back.
    """

    event_id: str
    receipt: str
    line: int
    store_id: str
    sku: str
    sold_at: dt.datetime
    units: int
    price: float
    voids: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what is sent; a line that takes another one back says no units and no price."""
        sent = vars(self) | {"sold_at": self.sold_at.isoformat()}
        silent = ("voids",) if self.voids is None else ("units", "price")
        return {name: value for name, value in sent.items() if name not in silent}

    def voided(self) -> "TillLine":
        """Return the line that takes this one back, a minute later."""
        later = self.sold_at + dt.timedelta(minutes=1)
        event = f"{self.event_id}-void"
        return replace(self, event_id=event, line=self.line + 1, sold_at=later, units=0, voids=self.event_id)

    def returned(self, days: int) -> "TillLine":
        """Return the receipt by which a shopper brings this line back some days later."""
        later = self.sold_at + dt.timedelta(days=days)
        receipt = f"{self.receipt}-back"
        return replace(
            self, event_id=f"{self.event_id}-back", receipt=receipt, line=1, sold_at=later, units=-self.units
        )


def lines_of(
    units: Ints, prices: Floats, stores: Sequence[str], skus: Sequence[str], date: dt.date, seed: int
) -> list[TillLine]:
    """Return the lines of a day's receipts, store by store in order of time.

    Parameters
    ----------
    units, prices
        What was sold and for how much, EUR, shape (n_stores, n_products).
    seed
        Decides which units share a receipt, and when they are sold.
    """
    lines = list[TillLine]()
    opening = dt.datetime.combine(date, dt.time(OPENS), dt.UTC)
    for number, (store, sold) in enumerate(zip(stores, units, strict=True)):
        dice = np.random.default_rng(np.random.SeedSequence((seed, _RECEIPTS, number, date.toordinal())))
        product = np.repeat(np.arange(len(skus)), sold)
        n_receipts = int(np.ceil(len(product) / _UNITS_OF_A_RECEIPT))
        seconds = np.sort(dice.integers(0, (CLOSES - OPENS) * 3600, n_receipts))
        basket = dice.integers(0, max(n_receipts, 1), len(product))
        together, counts = np.unique(np.stack([basket, product]), axis=1, return_counts=True)
        line, last = 0, -1
        for receipt, sku, count in zip(*together.tolist(), counts.tolist(), strict=True):
            line, last = (line + 1 if receipt == last else 1), receipt
            name = f"{store}-{date:%Y%m%d}-{receipt:05d}"
            at = opening + dt.timedelta(seconds=int(seconds[receipt]))
            lines.append(
                TillLine(
                    f"{name}-{line}", name, line, store, skus[sku], at, count, round(float(prices[number, sku]), 4)
                )
            )
    return lines


@dataclass(frozen=True)
class DaySold:
    """A day at the till.

    Attributes
    ----------
    date
        The day.
    units, revenue_eur
        What was sold, shape (n_stores, n_products).
    lines
        Its receipts.
    visitors, stock
        Who came, by store and hour, and counts of the shelf, as they are sent; empty where a store tells sales alone.
    """

    date: dt.date
    units: Ints
    revenue_eur: Floats
    lines: list[TillLine]
    visitors: list[dict[str, Any]] = field(default_factory=list)
    stock: list[dict[str, Any]] = field(default_factory=list)
