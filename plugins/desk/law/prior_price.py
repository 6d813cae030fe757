"""The prior price of an announced reduction: Article 6a of Directive 98/6/EC, as Directive (EU) 2019/2161 added it.

An announced reduction has to name the lowest price of the period before it, of 30 days where a country says nothing
else; and the reduction itself, such as a percentage, is worked out from that price (Court of Justice, C-330/23, Aldi
Süd). Countries may make exceptions for goods that spoil, for goods on sale for less than the period, and for reductions
that grow without a break: those name the price before the first of them. All of that is `PriceLaw`.

Everything here is pure. Moments are of any ordered type with a difference, such as `datetime`.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from plugins.desk.records import PriceLaw


@dataclass(frozen=True)
class PriceSpell:
    """A price that was shown without a break: from a moment to the first one after it."""

    start: dt.datetime
    end: dt.datetime
    price: float


@dataclass(frozen=True)
class Reduction:
    """A reduction that was announced: its price, and from when to the first moment after it."""

    start: dt.datetime
    end: dt.datetime
    price: float


@dataclass(frozen=True)
class PriorPrice:
    """The price that an announced reduction has to name.

    Attributes
    ----------
    price
        EUR; None where nothing was shown before, so that there is nothing to reduce.
    since, before
        The period whose lowest price it is.
    rule
        Which rule gave it: `lowest`, `new_arrival`, `progressive` or `perishable` (the price just before).
    """

    price: float | None
    since: dt.datetime
    before: dt.datetime
    rule: str

    def share(self, price: float) -> float | None:
        """Return the reduction that may be announced for a price, as a share; None where it is no reduction."""
        if self.price is None or price >= self.price:
            return None
        return 1 - price / self.price


def prior_price(
    shown: Sequence[PriceSpell],
    announced: Sequence[Reduction],
    start: dt.datetime,
    price: float,
    law: PriceLaw,
    *,
    spoils: bool = False,
) -> PriorPrice:
    """Return the prior price of a reduction that begins at a moment.

    Parameters
    ----------
    shown
        What was shown of the product in the store, ascending, without overlaps.
    announced
        Reductions that were announced of it earlier.
    price
        The reduced price, EUR.
    spoils
        Whether the product may deteriorate or expire rapidly.
    """
    if spoils and law.perishables_name_the_last_price:
        last = [stretch for stretch in shown if stretch.start < start]
        since = last[-1].start if last else start
        return PriorPrice(last[-1].price if last else None, since, start, "perishable")
    first = _first_of_chain(announced, shown, start, price) if law.growing_reductions_keep_the_first else None
    before = start if first is None else first.start
    since = before - dt.timedelta(days=law.days)
    stretches = [stretch for stretch in shown if stretch.start < before]
    is_new = bool(stretches) and stretches[0].start > since
    if is_new and law.new_arrival_days is not None:
        since = before - dt.timedelta(days=law.new_arrival_days)
    within = [stretch.price for stretch in stretches if stretch.end > since]
    rule = "progressive" if first is not None else "new_arrival" if is_new else "lowest"
    return PriorPrice(min(within, default=None), since, before, rule)


def _first_of_chain(
    announced: Sequence[Reduction], shown: Sequence[PriceSpell], start: dt.datetime, price: float
) -> Reduction | None:
    """Return the first of the reductions that grew, one after the other, up to this one.

    Hours in which nothing is shown, such as a night, are no break.
    """
    first, begins, lowest = None, start, price
    for earlier in sorted(announced, key=lambda reduction: reduction.start, reverse=True):
        if earlier.start >= begins:
            continue
        is_broken = any(stretch.start < begins and stretch.end > earlier.end for stretch in shown)
        if is_broken or earlier.price <= lowest:
            break
        first, begins, lowest = earlier, earlier.start, earlier.price
    return first
