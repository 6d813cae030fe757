"""What chosen prices are expected to bring in all, by plan and with the old prices kept: read before approving them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dashboard.data.desk.comparisons import Positions
from dashboard.data.desk.listed import Rows
from desk.price_changes.planned_day import Proceeds


@dataclass(frozen=True)
class Totals:
    """Rows of one category, or of all.

    Attributes
    ----------
    category
        None for all of them.
    labels
        Prices that change from the one now.
    plan, kept
        What the plans bring until closing, and what the old prices would, of the rows that a model knows.
    unknown
        Rows of which nobody knows what they bring.
    """

    category: str | None
    labels: int
    plan: Proceeds
    kept: Proceeds
    unknown: int

    @property
    def gain(self) -> float:
        """What the plans bring more, EUR, in revenue or in profit, whichever the catalog maximises."""
        return self.plan.worth - self.kept.worth


def totals_of(rows: Rows) -> list[Totals]:
    """Return the totals of rows: of all first, then of each category, by name."""
    categories, which = rows.by_product(lambda product: product.category)
    each = [_total(str(categories[own]), rows.take(which == own)) for own in np.unique(which)]
    return [_total(None, rows), *each]


def _total(category: str | None, rows: Rows) -> Totals:
    found, which = rows.compared
    known = which[np.array([own is not None for own in found])[which]]
    labels = int((~np.isnan(rows.now) & (rows.proposed != rows.now)).sum())
    plan = _sum([None if own is None else own.plan for own in found], known)
    kept = _sum([None if own is None else own.kept for own in found], known)
    return Totals(category, labels, plan, kept, len(rows) - len(known))


def _sum(amounts: Sequence[Proceeds | None], which: Positions) -> Proceeds:
    """Return the sum of amounts, of which each row has one; they are added row after row."""

    def total(name: str) -> float:
        each = np.array([0.0 if own is None else getattr(own, name) for own in amounts])
        return float(np.cumsum(each[which])[-1]) if len(which) else 0.0

    return Proceeds(*map(total, ("units", "revenue", "profit", "worth")))
