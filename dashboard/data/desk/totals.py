"""What chosen prices are expected to bring in all, by plan and with the old prices kept: read before approving them."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.data.desk.rows import Row
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


def totals_of(rows: Sequence[Row]) -> list[Totals]:
    """Return the totals of rows: of all first, then of each category, by name."""
    categories = sorted({row.category for row in rows})
    return [
        _total(None, rows),
        *(_total(name, [row for row in rows if row.category == name]) for name in categories),
    ]


def _total(category: str | None, rows: Sequence[Row]) -> Totals:
    known = [(row.plan, row.kept) for row in rows if row.plan is not None and row.kept is not None]
    labels = sum(row.now is not None and row.proposed != row.now for row in rows)
    plan, kept = _sum([own for own, _ in known]), _sum([own for _, own in known])
    return Totals(category, labels, plan, kept, len(rows) - len(known))


def _sum(amounts: Sequence[Proceeds]) -> Proceeds:
    return Proceeds(
        units=sum(own.units for own in amounts),
        revenue=sum(own.revenue for own in amounts),
        profit=sum(own.profit for own in amounts),
        worth=sum(own.worth for own in amounts),
    )
