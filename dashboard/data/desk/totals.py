"""What chosen prices are expected to bring in all, by plan and with the old prices kept: read before approving them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

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
    known = [own for own in rows.compared if own is not None]
    labels = int((~np.isnan(rows.now) & (rows.proposed != rows.now)).sum())
    plan, kept = _sum([own.plan for own in known]), _sum([own.kept for own in known])
    return Totals(category, labels, plan, kept, len(rows) - len(known))


def _sum(amounts: Sequence[Proceeds]) -> Proceeds:
    return Proceeds(
        units=sum(own.units for own in amounts),
        revenue=sum(own.revenue for own in amounts),
        profit=sum(own.profit for own in amounts),
        worth=sum(own.worth for own in amounts),
    )
