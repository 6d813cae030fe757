"""What needs a person first: prices that wait, orders that another one has to approve, and kill switches."""

from collections.abc import Sequence

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from dashboard.components import card
from dashboard.data.desk.people import StandingOrder, by_action
from dashboard.data.desk.rows import Row
from dashboard.data.desk.table import Rows, Totals, waiting_first
from dashboard.desk.changes import order_acts, what_of_all
from dashboard.desk.prices import act_button
from dashboard.formats import UNKNOWN, change, count, euros, store_name

NEEDS = "desk-needs"
ON_DESK, ON_OVERVIEW = 4, 3
"""Prices that are shown, each with what can be done about it."""


def needs_card(rows: Rows, orders: Sequence[StandingOrder]) -> Component:
    """Show the prices that wait and move most euros, each with its buttons; one line where nothing waits."""
    waiting = waiting_first(rows)
    to_decide = [order for order in orders if needs_somebody(order)]
    items = [*map(_order, by_action(to_decide).values()), *(_price(row, _acts(row)) for row in waiting[:ON_DESK])]
    if not items:
        return html.Div([html.Span("✓", className="light light-green"), "Nothing needs you."], className="desk-nothing")
    more = len(waiting) - ON_DESK
    rest = [act_button(f"Show all {count(len(waiting))} that wait", "waiting", look="subtle")] if more > 0 else []
    return card(f"Needs you ({count(len(waiting) + len(to_decide))})", html.Ul(items, className="desk-needs"), *rest)


def first_needs(rows: Rows) -> list[Component]:
    """Show the first prices that wait, with a link to the desk; nothing where none waits."""
    waiting = waiting_first(rows)
    if not len(waiting):
        return []
    sentence = "1 price waits" if len(waiting) == 1 else f"{count(len(waiting))} prices wait"
    link = dmc.Anchor(f"{sentence}: decide at the desk", href="/desk?state=waits", size="sm", fw=600)
    items = [_price(row, []) for row in waiting[:ON_OVERVIEW]]
    return [html.Div(card("Needs you", html.Ul(items, className="desk-needs"), right=link), className="grid")]


def needs_somebody(order: StandingOrder) -> bool:
    """Tell whether what a person asked for waits for another one, or stops prices."""
    return order.state == "proposed" or (order.kind == "kill_switch" and order.state == "in_force")


def price_line(row: Row) -> Component:
    """Show a price now and the proposed one, how far it moves, and what that is expected to bring a day."""
    now = UNKNOWN if row.now is None else euros(row.now)
    moved = (change(row.proposed, row.now) if row.now else None) or ""
    gain = [] if row.gain is None else [html.Span(gain_of(row.gain), className="desk-gain")]
    was = [html.Span("stays at ")] if row.now == row.proposed else [html.Span(f"{now} → ")]
    by = [] if row.now == row.proposed else [html.Span(f" {moved}", className="desk-dim")]
    return html.Span([*was, html.Strong(euros(row.proposed)), *by, *gain], className="desk-prices")


def gain_of(gain: float) -> str:
    """Write what a price brings a day: `+€3.10 a day`."""
    return f"{'' if gain < 0 else '+'}{euros(gain)} a day"


def reason_of(row: Row) -> str:
    """Say why a price is proposed, as a sentence of its own."""
    return f"{row.why[:1].upper()}{row.why[1:]}."


def _price(row: Row, acts: Sequence[Component]) -> Component:
    place = html.Span(f"{row.sku} · {store_name(row.store)}", className="desk-dim")
    head = html.Div([html.Strong(row.name), place, price_line(row)])
    return html.Li([html.Div([head, html.Div(reason_of(row), className="desk-reason")]), *_side(acts)])


def _acts(row: Row) -> list[Component]:
    return [
        act_button("Approve", "approve", look="light", row=row),
        act_button("Reject…", "reject", row=row),
        act_button("Edit…", "edit", row=row),
    ]


def _order(orders: Sequence[StandingOrder]) -> Component:
    order = orders[0]
    when = "it waits for somebody else" if order.state == "proposed" else order.when
    said = html.Div(f"{order.by}: {order.reason}; {when}.", className="desk-reason")
    return html.Li([html.Div([html.Strong(what_of_all(orders)), said]), *_side(order_acts(orders))])


def _side(acts: Sequence[Component]) -> list[Component]:
    return [html.Div(list(acts), className="desk-change-acts")] if acts else []


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
    parts = [f"{category.category} {_more(category.gain)}" for category in categories] if len(categories) > 1 else []
    return [
        html.Strong(gain_of(whole.gain)),
        *map(html.Span, sums),
        html.Span(" · ".join(parts), className="desk-dim"),
    ]


def _more(amount: float) -> str:
    return f"{'' if amount < 0 else '+'}{euros(amount)}"
