"""What people set: overrides, freezes and kill switches, each with who, why, until when, and Undo."""

from collections.abc import Sequence

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from dashboard.cards.desk_edit import cost_in_words
from dashboard.cards.desk_prices import act_button
from dashboard.components import card, prose, scrolls
from dashboard.data.desk.people import StandingOrder, by_action
from dashboard.formats import count, euros, store_name

PEOPLE = "desk-people"
EVERY_STORE = "every store"

_LOOKS = {"in_force": ("in force", "teal"), "scheduled": ("scheduled", "ocean"), "proposed": ("waits", "yellow"),
          "superseded": ("covered by another", "gray")}  # fmt: skip
_MOST = 100


def people_card() -> Component:
    """Place the list of what people set."""
    return card(
        "Overrides, freezes and the kill switch",
        html.Div(id=PEOPLE, className="scrolled", **scrolls("Overrides, freezes and the kill switch")),
        caption="What a price earns is against the plan, as expected when it was set.",
    )


def people_list(changes: Sequence[StandingOrder]) -> Component:
    """List what people asked for and what is not over, the newest first: what was asked for at once is one item."""
    if not changes:
        return dmc.Text("Nobody has set, frozen or stopped a price.", c="dimmed", size="sm")
    actions = by_action(changes)
    items: list[Component] = [_item(name, actions[name]) for name in list(actions)[:_MOST]]
    if len(actions) > _MOST:
        items.append(html.Li(prose(f"and {len(actions) - _MOST} more: `shelfprice changes` lists them")))
    return html.Ul(items, className="desk-changes")


def _item(action: str, changes: Sequence[StandingOrder]) -> Component:
    first, costs = changes[0], [change.cost for change in changes if change.cost is not None]
    time = "in that time" if first.is_for_hours else "a day"
    who = "It" if len(changes) == 1 else "The whole action"
    cost = [html.Span(f"{who} {cost_in_words(sum(costs))} {time}.")] if costs else []
    looks = [_LOOKS[state] for state in dict.fromkeys(change.state for change in changes)]
    badges = [dmc.Badge(words, color=colour, variant="light", className="desk-badge") for words, colour in looks]
    head = html.Div([html.Strong(what_of_all(changes)), *badges], className="desk-change-head")
    name = first.change if len(changes) == 1 else action
    rest = [html.Span(f"{name}, {first.when}."), html.Span(f"{first.by}: {first.reason}."), *cost]
    words_of = html.Div([head, html.Div(rest, className="desk-change-rest"), *_each(changes)])
    return html.Li([words_of, html.Div(order_acts(changes), className="desk-change-acts")])


def _each(changes: Sequence[StandingOrder]) -> list[Component]:
    """Fold the prices of an action, each with an Undo of its own."""
    if len(changes) == 1:
        return []
    lines = [
        html.Li([what_of(change), act_button("Undo…", "undo", change=change.change)]) for change in changes[:_MOST]
    ]
    more = len(changes) - len(lines)
    rest = [html.Li(prose(f"and {more} more: `shelfprice changes` lists them"))] if more > 0 else []
    return [html.Details([html.Summary("Each price"), html.Ul([*lines, *rest], className="desk-each")])]


def order_acts(changes: Sequence[StandingOrder]) -> list[Component]:
    """Return what can be done about what a person set in one action."""
    name = changes[0].change if len(changes) == 1 else changes[0].change.partition(".")[0]
    waits = any(change.state == "proposed" for change in changes)
    allow = [act_button("Approve", "allow", look="light", change=name)] if waits else []
    return [*allow, act_button("Undo…", "undo", change=name)]


def what_of_all(changes: Sequence[StandingOrder]) -> str:
    """Say what a person set in one action, and where."""
    if len(changes) == 1:
        return what_of(changes[0])
    stores = {change.store or EVERY_STORE for change in changes}
    where = store_name(stores.pop()) if len(stores) == 1 else f"{count(len(stores))} stores"
    return f"{count(len(changes))} prices in {where} {'frozen' if changes[0].kind == 'freeze' else 'set'}"


def what_of(change: StandingOrder) -> str:
    """Say what a person set, and where."""
    where = store_name(change.store or EVERY_STORE)
    if change.kind == "kill_switch":
        return f"Kill switch, {where}"
    verb = "frozen at" if change.kind == "freeze" else "set to"
    return f"{change.product} in {where} {verb} {euros(change.price or 0)}"
