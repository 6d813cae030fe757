"""What the chosen prices are expected to bring in all, to be read before they are approved."""

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from dashboard.cards.desk_needs import gain_of
from dashboard.data.desk.totals import Totals
from dashboard.formats import count, euros


def totals_line(totals: Sequence[Totals]) -> list[Component]:
    """Show labels, gain, revenue, profit and units of all that is chosen, then the gain of each category."""
    whole, *categories = totals
    plan, kept = whole.plan, whole.kept
    sums = [
        f"{count(whole.labels)} label{'' if whole.labels == 1 else 's'} change{'s' if whole.labels == 1 else ''}",
        f"revenue {euros(plan.revenue)} ({_more(plan.revenue - kept.revenue)})",
        f"profit {euros(plan.profit)} ({_more(plan.profit - kept.profit)})",
        f"{count(plan.units)} units ({plan.units - kept.units:+,.0f})".replace("-", "−"),
        *([f"{count(whole.unknown)} not known"] if whole.unknown else []),
    ]
    parts = [f"{one.category} {_more(one.gain)}" for one in categories] if len(categories) > 1 else []
    return [
        html.Strong(gain_of(whole.gain)),
        *map(html.Span, sums),
        html.Span(" · ".join(parts), className="desk-dim"),
    ]


def _more(amount: float) -> str:
    return f"{'' if amount < 0 else '+'}{euros(amount)}"
