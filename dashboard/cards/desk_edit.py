"""The panel in which a person types a price, and what that price would bring, in words and numbers."""

from typing import Any

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from dashboard.components import aria, table
from dashboard.data.desk.drafts import Preview
from dashboard.data.desk.rows import Row
from dashboard.formats import UNKNOWN, euros, share, shown_currency

PANEL, PRICE, START, END, REASON, ANYWAY, BELOW_COST, SAVE, FACTS, PREVIEW, REFUSED = (
    "desk-panel", "desk-price", "desk-start", "desk-end", "desk-why", "desk-anyway", "desk-below-cost",
    "desk-save", "desk-facts", "desk-preview", "desk-refused",
)  # fmt: skip


def edit_panel() -> Component:
    """Place the panel; callbacks open it for a row and fill it."""
    money = shown_currency()
    price: Any = dmc.NumberInput(
        id=PRICE, label=f"Price, {money.code}", decimalScale=money.digits, fixedDecimalScale=True,
        step=money.smallest, min=money.smallest,
        **{"data-autofocus": True},
    )  # fmt: skip
    times = html.Div(
        [dmc.TimeInput(id=START, label="From"), dmc.TimeInput(id=END, label="Until")],
        className="grid grid-2 desk-times",
    )
    return dmc.Drawer(
        html.Div(
            [
                html.Div(id=FACTS),
                price,
                times,
                dmc.Text("Times are the store's. Empty: from the next tick until closing.", size="xs", c="dimmed"),
                html.Div(id=PREVIEW, **aria(live="polite")),
                dmc.TextInput(id=REASON, label="Reason", placeholder="a competitor is cheaper", required=True),
                dmc.Checkbox(id=ANYWAY, label="Save it despite what speaks against it", checked=False),
                dmc.Checkbox(id=BELOW_COST, label="Accept a price below floor and cost", checked=False),
                html.Div(id=REFUSED, role="alert"),
                dmc.Button("Save", id=SAVE),
            ],
            className="desk-edit",
        ),
        id=PANEL,
        title="Set a price",
        position="right",
        size="md",
    )


def facts_of(row: Row) -> Component:
    """Say which price is edited, and what is known of it."""
    now = UNKNOWN if row.now is None else euros(row.now)
    limit = [html.Div(f"Limit that binds: {row.limit}.")] if row.limit else []
    return html.Div(
        [
            dmc.Title(f"{row.name} in {row.store}", order=3, className="card-title"),
            html.Div(f"Now {now}, proposed {euros(row.proposed)}: {row.why}."),
            *limit,
            html.Div(f"State: {row.told}."),
        ],
        className="desk-facts",
    )


def preview_of(found: Preview) -> list[Component]:
    """Show what a typed price would bring, and what speaks against it."""
    if found.problem is not None:
        return [dmc.Alert(found.problem, color="yellow", variant="light", className="notice")]
    against = [html.Li(conflict) for conflict in found.conflicts]
    told = [
        dmc.Alert(
            html.Ul(against, className="desk-conflicts"), title="Speaks against it", color="yellow", className="notice"
        )
    ]
    return [*_numbers(found), *(told if against else [])]


def _numbers(brings: Preview) -> list[Component]:
    if brings.known_from is not None and brings.known_to is not None:
        known = f"from {euros(brings.known_from)} to {euros(brings.known_to)}"
        return [dmc.Text(f"Demand is known {known}. What a price beyond brings is not known.", size="sm", c="dimmed")]
    if brings.cost is None or brings.policy_price is None:
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
    if abs(cost) < shown_currency().smallest / 2:
        return "earns the same as the plan"
    return f"earns {euros(abs(cost))} {'less' if cost > 0 else 'more'} than the plan"
