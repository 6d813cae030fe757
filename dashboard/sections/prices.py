"""Parts of the Prices page: the quote in words and the decision trail."""

from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
import pandas as pd
from dash import html
from dash.development.base_component import Component

from dashboard.data.price_book import Quote
from dashboard.theme import euros, share

TRAIL = "prices-trail"

_EUROS = {"function": "params.value == null ? '' : '€' + d3.format(',.2f')(params.value)"}
_PER_VISIT = {"function": "params.value == null ? '' : '€' + d3.format(',.3f')(params.value)"}
_PERCENT = {"function": "params.value == null ? '' : d3.format('.1f')(100 * params.value) + ' %'"}
_COLUMNS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("decided_at", "when, UTC", {"width": 165, "pinned": "left"}),
    ("reason", "why", {"width": 520, "wrapText": True, "autoHeight": True, "cellClass": "wrapped"}),
    ("old_price", "from", {"valueFormatter": _EUROS}),
    ("new_price", "to", {"valueFormatter": _EUROS}),
    ("unconstrained_price", "asked for", {"valueFormatter": _EUROS}),
    ("limits", "limits that moved it", {"width": 180}),
    ("clamp_cost", "cost of limits, a visit", {"valueFormatter": _PER_VISIT, "width": 160}),
    ("inventory_level", "stock", {"width": 100}),
    ("p_sale", "chance of sale", {"valueFormatter": _PERCENT, "width": 140}),
    ("unit_value", "a unit kept", {"valueFormatter": _EUROS}),
    ("binding_rule", "rule", {"width": 150}),
    ("explored", "tried", {"width": 90}),
    ("policy", "policy", {"width": 130}),
    ("model_version", "model", {"width": 100}),
)
_NUMBERS = {"old_price", "new_price", "unconstrained_price", "clamp_cost", "inventory_level", "p_sale", "unit_value"}


def quote_in_words(name: str, now: Quote, minutes_left: int) -> Component:
    """Say one line of the price book as people would."""
    moved = "" if now.price == now.unconstrained_price else f"; the policy asked for {euros(now.unconstrained_price)}"
    return html.Div(
        [
            html.Span(euros(now.price), className="quote-price"),
            html.Span(
                f"{name}, {now.stock:,} left with {_duration(minutes_left)} to go: chance of sale {share(now.p_sale)}, "
                f"a unit kept is worth {euros(now.unit_value)}. Rule: {now.binding_rule.replace('_', ' ')}{moved}."
            ),
        ],
        className="quote",
    )


def trail_grid() -> Component:
    """Place the grid that a callback fills with price decisions."""
    columns = [
        {
            "field": field,
            "headerName": name,
            "filter": "agNumberColumnFilter" if field in _NUMBERS else "agTextColumnFilter",
            "type": "rightAligned" if field in _NUMBERS else None,
            "width": 120,
        }
        | more
        for field, name, more in _COLUMNS
    ]
    return dag.AgGrid(
        id=TRAIL,
        columnDefs=columns,
        rowData=[],
        defaultColDef={"sortable": True, "resizable": True, "floatingFilter": True},
        dashGridOptions={"pagination": True, "paginationPageSize": 20, "enableCellTextSelection": True},
        csvExportParams={"fileName": "price_decisions.csv"},
        style={"height": 520},
        className="trail",
    )


def trail_rows(decisions: pd.DataFrame) -> list[dict[Any, Any]]:
    """Return the rows of `decision_trail` as the grid takes them."""
    told = decisions.assign(
        decided_at=decisions["decided_at"].dt.strftime("%Y-%m-%d %H:%M"),
        explored=decisions["explored"].map({True: "yes", False: "no"}),
    )
    return [dict(row) for row in told.astype(object).where(told.notna(), None).to_dict("records")]


def save_button(identifier: str) -> Component:
    """Offer what the grid shows as a file."""
    return dmc.Button("Save as CSV", id=identifier, variant="default", size="xs")


def _duration(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    return " ".join(part for part in (f"{hours} h" if hours else "", f"{rest} min" if rest else "") if part)
