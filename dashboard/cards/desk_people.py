"""What people set: overrides, freezes and kill switches, each with who, why, until when, and Undo."""

from collections.abc import Sequence

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from dashboard.cards.desk_edit import cost_in_words
from dashboard.cards.desk_prices import act_button
from dashboard.components import card, prose
from dashboard.data.desk.people import StandingOrder
from dashboard.formats import euros

PEOPLE = "desk-people"
EVERY_STORE = "every store"

_LOOKS = {"in_force": ("in force", "teal"), "scheduled": ("scheduled", "ocean"), "proposed": ("waits", "yellow"),
          "superseded": ("covered by another", "gray")}  # fmt: skip
_MOST = 100


def people_card() -> Component:
    """Place the list of what people set."""
    return card(
        "Overrides, freezes and the kill switch",
        html.Div(id=PEOPLE),
        caption="What a price earns is against the plan, as expected when it was set.",
    )


def people_list(changes: Sequence[StandingOrder]) -> Component:
    """List what people asked for and what is not over, the newest first."""
    if not changes:
        return dmc.Text("Nobody has set, frozen or stopped a price.", c="dimmed", size="sm")
    items: list[Component] = [_item(change) for change in changes[:_MOST]]
    if len(changes) > _MOST:
        items.append(html.Li(prose(f"and {len(changes) - _MOST} more: `shelfprice changes` lists them")))
    return html.Ul(items, className="desk-changes")


def _item(change: StandingOrder) -> Component:
    words, colour = _LOOKS[change.state]
    time = "in that time" if change.is_for_hours else "a day"
    cost = [html.Span(f"It {cost_in_words(change.cost)} {time}.")] if change.cost is not None else []
    head = html.Div(
        [html.Strong(what_of(change)), dmc.Badge(words, color=colour, variant="light", className="desk-badge")],
        className="desk-change-head",
    )
    rest = [html.Span(f"{change.change}, {change.when}."), html.Span(f"{change.by}: {change.reason}."), *cost]
    words_of = html.Div([head, html.Div(rest, className="desk-change-rest")])
    return html.Li([words_of, html.Div(order_acts(change), className="desk-change-acts")])


def order_acts(change: StandingOrder) -> list[Component]:
    """Return what can be done about what a person set."""
    allow = [act_button("Approve", "allow", look="light", change=change.change)] if change.state == "proposed" else []
    return [*allow, act_button("Undo…", "undo", change=change.change)]


def what_of(change: StandingOrder) -> str:
    """Say what a person set, and where."""
    where = change.store or EVERY_STORE
    if change.kind == "kill_switch":
        return f"Kill switch, {where}"
    verb = "frozen at" if change.kind == "freeze" else "set to"
    return f"{change.product} in {where} {verb} {euros(change.price or 0)}"
