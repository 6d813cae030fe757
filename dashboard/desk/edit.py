"""The panel in which a person types a price for one row or for many, and what that would bring."""

from collections.abc import Sequence
from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from dashboard.components import TOOLTIPS, aria, drawer, table
from dashboard.data.desk.drafts import price_by
from dashboard.data.desk.rows import Row
from dashboard.data.desk.table import rivals_in_words
from dashboard.formats import UNKNOWN, count, euros, share, shown_currency
from plugins.desk.price_changes.consequence import Consequence
from plugins.desk.price_changes.request import Examined

PANEL, PRICE, START, END, REASON, ANYWAY, BELOW_COST, SAVE, FACTS, PREVIEW, REFUSED = (
    "desk-panel", "desk-price", "desk-start", "desk-end", "desk-why", "desk-anyway", "desk-below-cost",
    "desk-save", "desk-facts", "desk-preview", "desk-refused",
)  # fmt: skip
FIRST, LAST, HOURS, ANNOUNCED, LIST = "desk-first", "desk-last", "desk-hours", "desk-announced", "desk-list"

_HEAD, _ROW, _MOST_SEEN = 50, 34, 8  # pixels, pixels, rows
_WIDTHS = {"now": 72, "then": 72, "cost": 108, "prior": 124}  # pixels
_MOST_SAID = 20


def edit_panel() -> Component:
    """Place the panel; callbacks open it for rows and fill it."""
    label, forms = f"Price, {shown_currency().code}, or how it changes", "1.29, +5 %, -0.10 or margin 30 %"
    price: Any = dmc.TextInput(id=PRICE, label=label, description=forms, **{"data-autofocus": True})
    pair: dict[str, Any] = {"className": "grid grid-2 desk-times"}
    times = [dmc.TimeInput(id=START, label="From"), dmc.TimeInput(id=END, label="Until")]
    text = dmc.Text("Hours of the store's day, instead of days.", size="xs", c="dimmed")
    parts = [
        html.Div(id=FACTS),
        price,
        html.Div([_date(FIRST, "First day"), _date(LAST, "Last day")], **pair),
        dmc.Text("Empty: from the next tick until closing.", size="xs", c="dimmed"),
        html.Div([html.Div(times, **pair), text], id=HOURS),
        dmc.Checkbox(id=ANNOUNCED, label="Promotion: announce it as a reduction", checked=False),
        html.Div(id=PREVIEW, **aria(live="polite")),
        dmc.TextInput(id=REASON, label="Reason", placeholder="a competitor is cheaper", required=True),
        dmc.Checkbox(id=ANYWAY, label="Save it despite what speaks against it", checked=False),
        dmc.Checkbox(id=BELOW_COST, label="Accept a price below floor and cost", checked=False),
        html.Div(id=REFUSED, role="alert"),
        dmc.Button("Save", id=SAVE),
    ]
    return drawer(PANEL, "Set prices", parts, size="md")


def _date(identifier: str, label: str) -> Component:
    return dmc.DateInput(id=identifier, label=label, valueFormat="D MMM YYYY", clearable=True)


def typed_change(text: str | None) -> str:
    """Return what was typed as `price_by` reads it: a number alone is the price itself."""
    change = (text or "").strip()
    return f"to {change}" if change[:1].isdigit() else change


def facts_of_all(rows: Sequence[Row]) -> Component:
    """Say which prices are edited."""
    if len(rows) == 1:
        return facts_of(rows[0])
    return dmc.Title(f"{count(len(rows))} prices", order=3, className="card-title")


def preview_of_all(rows: Sequence[Row], change: str, outcomes: Sequence[Examined]) -> list[Component]:
    """List what a typed change makes of prices, what that is expected to bring in all, and what speaks against it.

    Parameters
    ----------
    told
        What would become of each.

    Raises
    ------
    DataError
        When the change makes no price.
    """
    lines = [_line(row, price_by(change, row), examined) for row, examined in zip(rows, outcomes, strict=True)]
    against = [
        f"{row.title}: {conflict}"
        for row, examined in zip(rows, outcomes, strict=True)
        for conflict in (examined.problem, *examined.conflicts)
        if conflict is not None
    ]
    total = dmc.Text(brought_by(outcomes), size="sm", fw=600)
    return [total, _list_of(lines), *speaks_against(against)]


def brought_by(outcomes: Sequence[Examined]) -> str:
    """Say what prices are expected to bring in all on their first day, and of how many that is not known."""
    costs = [cost for examined in outcomes if (cost := _cost_of(examined)) is not None]
    unknown = len(outcomes) - len(costs)
    if not costs:
        return f"{_prices(len(outcomes))} without a forecast: no model or belief knows them."
    rest = f" {_prices(unknown)} without a forecast." if unknown else ""
    return f"{_prices(len(costs))} expected to earn {_against_plan(sum(costs))} until the first day closes.{rest}"


def _prices(number: int) -> str:
    return f"{count(number)} price{'' if number == 1 else 's'}"


def _cost_of(outcome: Examined) -> float | None:
    return None if outcome.consequence is None else outcome.consequence.cost


def _line(row: Row, price: float, outcome: Examined) -> dict[str, str]:
    cost = _cost_of(outcome)
    line = {
        "name": row.title,
        "now": UNKNOWN if row.now is None else euros(row.now),
        "then": euros(price),
        "cost": UNKNOWN if cost is None else _less_or_more(cost) or "the same",
    }
    if prior := outcome.terms[0].prior_price if outcome.terms else None:
        line["prior"] = f"{euros(prior)} ({price / prior - 1:+.0%})"
    return line


def _list_of(lines: Sequence[dict[str, str]]) -> Component:
    """Place a list of every line: it scrolls, and draws only the lines that are seen."""
    names = {"name": "Price", "now": "Now", "then": "Then", "cost": "Against the plan", "prior": "Prior price"}
    shown = [name for name in names if name != "prior" or any(name in line for line in lines)]
    columns = [
        {"field": name, "headerName": names[name]}
        | ({"flex": 1, "minWidth": 96} if name == "name" else {"width": _WIDTHS[name], "type": "rightAligned"})
        for name in shown
    ]
    return dag.AgGrid(
        id=LIST,
        rowData=list(lines),
        columnDefs=columns,
        defaultColDef=TOOLTIPS | {"sortable": False, "wrapHeaderText": True, "autoHeaderHeight": True},
        dashGridOptions={"rowHeight": _ROW, "ensureDomOrder": True},
        style={"height": _HEAD + _ROW * min(len(lines), _MOST_SEEN)},
        className="desk-list",
    )


def speaks_against(sentences: Sequence[str]) -> list[Component]:
    """List what speaks against prices, the first sentences of many; nothing where nothing does."""
    more = [f"and {count(len(sentences) - _MOST_SAID)} more"] if len(sentences) > _MOST_SAID else []
    listed = html.Ul([html.Li(sentence) for sentence in [*sentences[:_MOST_SAID], *more]], className="desk-conflicts")
    alert = dmc.Alert(listed, title="Speaks against it", color="yellow", className="notice")
    return [alert] if sentences else []


def facts_of(row: Row) -> Component:
    """Say which price is edited, and what is known of it."""
    now = UNKNOWN if row.now is None else euros(row.now)
    lines = [
        f"Now {now}, proposed {euros(row.proposed)}: {row.why}.",
        *([f"Limit that binds: {row.limit}."] if row.limit else []),
        *([f"Rivals: {rivals_in_words(row)}."] if row.rivals else []),
        f"State: {row.told}.",
    ]
    title = dmc.Title(row.title, order=3, className="card-title")
    return html.Div([title, *map(html.Div, lines)], className="desk-facts")


def preview_of(outcome: Examined) -> list[Component]:
    """Show what a typed price would bring, and what speaks against it."""
    if outcome.problem is not None:
        return [dmc.Alert(outcome.problem, color="yellow", variant="light", className="notice")]
    return [*_numbers(outcome.consequence), *speaks_against(outcome.conflicts)]


def _numbers(brings: Consequence | None) -> list[Component]:
    if brings is not None and brings.known_from is not None and brings.known_to is not None:
        span = f"from {euros(brings.known_from)} to {euros(brings.known_to)}"
        return [dmc.Text(f"Demand is known {span}. What a price beyond brings is not known.", size="sm", c="dimmed")]
    if brings is None or brings.cost is None:
        return [dmc.Text("What it brings is not known: no model or belief knows this product.", size="sm", c="dimmed")]
    rows = [
        ["Chance of sale", UNKNOWN if brings.p_sale is None else share(brings.p_sale, 0)],
        ["Units", UNKNOWN if brings.units is None else f"{brings.units:,.1f}"],
        ["Revenue", UNKNOWN if brings.revenue is None else euros(brings.revenue)],
        ["Profit", UNKNOWN if brings.profit is None else euros(brings.profit)],
        [f"Until closing (the plan goes on at {euros(brings.policy_price)})", cost_in_words(brings.cost)],
    ]
    return [table(["Expected in that time", ""], rows, numbers=(1,), width=200)]


def cost_in_words(cost: float) -> str:
    """Say whether a price earns less or more than the plan."""
    return f"earns {_against_plan(cost)}"


def _against_plan(cost: float) -> str:
    return f"{lost} than the plan" if (lost := _less_or_more(cost)) else "the same as the plan"


def _less_or_more(cost: float) -> str:
    """Write what is lost against the plan, EUR: `€3.10 less`; empty where it is less than can be paid."""
    is_none = abs(cost) < shown_currency().smallest / 2
    return "" if is_none else f"{euros(abs(cost))} {'less' if cost > 0 else 'more'}"
