"""What people set: overrides, freezes and kill switches, each with who, why, until when, and Undo."""

from collections.abc import Mapping, Sequence
from typing import Any

import dash_mantine_components as dmc
import pandas as pd
from dash import html
from dash.development.base_component import Component

from dashboard.components import card, prose, scrolls, table
from dashboard.data.desk.people import StandingOrder, by_action
from dashboard.desk.edit import cost_in_words
from dashboard.desk.prices import act_button
from dashboard.formats import UNKNOWN, count, day, euros, store_name
from dashboard.monitor import Monitor

PEOPLE = "desk-people"
EVERY_STORE = "every store"

_LOOKS = {"in_force": ("in force", "teal"), "scheduled": ("scheduled", "ocean"), "proposed": ("waits", "yellow"),
          "superseded": ("covered by another", "gray")}  # fmt: skip
_MOST = 100
LOG = "desk-log"
MOST = 50
_VERBS = {"proposed": "asked for", "approved": "approved", "rejected": "rejected", "withdrawn": "took back"}
_KINDS = {"price": "price", "override": "override", "freeze": "freeze", "kill_switch": "kill switch"}
EFFECTS = "desk-effects"
_TABLES = ("price_changes", "interactions", "experiments", "price_draws", "exposures", "stock_movements", "products")
_MOST_EFFECTS = 12


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


def log_card() -> Component:
    """Place the list that a callback fills."""
    return card(
        "Who did what",
        html.Div(id=LOG, className="scrolled", **scrolls("Who did what")),
        caption="Times are UTC: the clock's, or for a proposal its book's date. What was done at once is one line.",
    )


def log_list(monitor: Monitor) -> Component:
    """List the newest acts on price changes."""
    changes = monitor.reader.ask("newest_price_changes", ("price_changes",), most=MOST)
    if not len(changes):
        return dmc.Text("Nobody has decided about a price yet.", c="dimmed", size="sm")
    return html.Ul([_line(act) for act in changes.itertuples()], className="feed desk-log")


def _line(act: Any) -> Component:
    time = html.Span(f"{act.recorded_at:%d %b %H:%M}", className="event-time")
    return html.Li([time, html.Span(in_words(act), className="event-text")], className="event desk-event")


def in_words(act: object) -> str:
    """Say one row of `newest_price_changes` in a sentence."""
    record: dict[str, Any] = act._asdict()  # type: ignore[attr-defined]
    row: dict[str, Any] = {name: None if pd.isna(value) else value for name, value in record.items()}
    verb, kind = _VERBS[row["event"]], _KINDS[row["kind"]]
    if row["event"] == "proposed" and row["kind"] == "price":
        verb = "proposed"
    if row["count_changes"] > 1:
        opening = f" for {row['business_date']:%d %b}" if row["event"] == "proposed" else ""
        return f"{row['decided_by']} {verb} {count(row['count_changes'])} {kind}s{opening}"
    where = " ".join(part for part in (row["sku"], f"in {store_name(row['store_id'] or 'every store')}") if part)
    price = f" at {euros(row['new_price'])}" if row["new_price"] is not None else ""
    return f"{row['decided_by']} {verb} the {kind} {row['change']}, {where}{price}: {row['reason']}"


def effects_card(monitor: Monitor) -> Component | None:
    """Show the newest prices that shoppers met, with a total; None where there are none."""
    if not monitor.reader.has_warehouse():
        return None
    effects = monitor.reader.ask("newest_effects", _TABLES, most=_MOST_EFFECTS)
    if not len(effects):
        return None
    objective = monitor.catalog.current().store.policies.objective
    worth = "Revenue" if objective == "revenue" else "Profit"
    names = ("Price", "By", "Instead of", "Store days", "Units", "instead", "Waste", "instead", worth, "instead",
             "Difference", "Promised")  # fmt: skip
    rows = [_row(row, objective) for row in effects.to_dict(orient="records")]
    total = _total(effects.iloc[0].to_dict(), objective)
    return card(
        "What came of it",
        table(names, [*total, *rows], numbers=range(2, len(names)), width=1060),
        caption="Prices that people set or approved, while they stood: what their visits brought, what was thrown away "
        "on their store days, and what was predicted of as many visits at the price instead. The difference, ± two "
        "standard errors, is no proof, for no draw decided the price. *Promised* is the gain that was predicted when "
        "the price was asked for. Between the two prices of an experiment a coin decided: their difference is proof.",
    )


def _total(row: Mapping[Any, Any], objective: str) -> list[list[Component | str]]:
    """Return the row of all prices that people set or approved; none where all rows are of experiments."""
    if not row["prices_in_all"]:
        return []
    wastes = (_known(row[name], euros) for name in ("waste_in_all", "otherwise_waste_in_all"))
    brought, instead = _worth(row, objective, "_in_all")
    worths = (_known(amount, euros) for amount in (brought, instead, brought - instead, row["promised_in_all"]))
    return [[f"In all ({count(row['prices_in_all'])})", "", "", "", "", "", *wastes, *worths]]


def _row(row: Mapping[Any, Any], objective: str) -> list[Component | str]:
    kind = "approved" if row["kind"] == "price" else row["kind"]
    name = row["sku"] if pd.isna(row["product_name"]) else row["product_name"]
    place = f"{name} in {store_name(row['store_id']) if row['store_id'] else 'every store'}"
    brought, instead = _worth(row, objective, "_eur")
    return [
        f"{place} at {euros(row['price_eur'])}, {kind}",
        f"{row['approved_by']}, {day(row['holds_from'].date())}",
        euros(row["otherwise_price_eur"]),
        *(_known(row[name], count) for name in ("count_store_days", "count_units", "otherwise_units")),
        *(_known(row[name], euros) for name in ("waste_eur", "otherwise_waste_eur")),
        *(_known(amount, euros) for amount in (brought, instead)),
        _with_error(brought - instead, row["standard_error_eur"]),
        _known(row["promised_eur"], euros),
    ]


def _worth(row: Mapping[Any, Any], objective: str, end: str) -> tuple[float, float]:
    """Return what a price brought and what the one instead would have, EUR, in what the catalog maximises."""
    if objective == "revenue":
        return row[f"revenue{end}"], row[f"otherwise_revenue{end}"]
    sides = ("", "otherwise_")
    is_margin = objective == "margin"  # which forgets what is thrown away
    brought, instead = (row[f"{side}profit{end}"] + is_margin * row[f"{side}waste{end}"] for side in sides)
    return brought, instead


def _known(value: Any, written: Any) -> str:
    return UNKNOWN if pd.isna(value) else str(written(value))


def _with_error(gained: Any, error: Any) -> str:
    """Write a difference with two standard errors, between which it lies 19 times in 20."""
    if pd.isna(gained):
        return UNKNOWN
    return euros(gained) if pd.isna(error) else f"{euros(gained)} ± {euros(2 * error)}"
