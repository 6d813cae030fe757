"""The decision trail: every price decision about one product in one store, as a grid that filters and sorts."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
import pandas as pd
from dash.development.base_component import Component

from catalog.price_rules import RULES
from catalog.wall_clock import WallClock
from dashboard.components import TOOLTIPS, card
from dashboard.formats import in_currency_of
from dashboard.monitor import Monitor
from dashboard.pickers import SOLD

TRAIL, SAVE = "prices-trail", "prices-save"

DAYS = 14
"""Days that are looked back."""
_MOST_DECISIONS = 1_000
_BARS, _ROW, _MOST_SHOWN = 150, 55, 7  # pixels, pixels, rows

_EUROS = {"function": "params.value == null ? '' : '€' + d3.format(',.2f')(params.value)"}
_PER_VISIT = {"function": "params.value == null ? '' : ('€' + d3.format(',.3f')(params.value)).replace('€−', '−€')"}
_PERCENT = {"function": "params.value == null ? '' : d3.format('.1f')(100 * params.value) + ' %'"}
_COLUMNS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("decided_at", "Local time", {"width": 155, "pinned": "left"}),
    ("reason", "Reason", {"width": 520, "wrapText": True, "autoHeight": True, "cellClass": "wrapped"}),
    ("old_price", "From", {"valueFormatter": _EUROS}),
    ("new_price", "To", {"valueFormatter": _EUROS}),
    ("unconstrained_price", "Policy wanted", {"valueFormatter": _EUROS}),
    ("limits", "Limits", {"width": 150}),
    ("clamp_cost", "Limits cost, a visit", {"valueFormatter": _PER_VISIT, "width": 130}),
    ("inventory_level", "Stock", {"width": 100}),
    ("p_sale", "Chance of sale", {"valueFormatter": _PERCENT, "width": 140}),
    ("unit_value", "A unit kept is worth", {"valueFormatter": _EUROS}),
    ("binding_rule", "Because", {"width": 240}),
    ("explored", "A try", {"width": 90}),
    ("policy", "Policy", {"width": 130}),
    ("model_version", "Model", {"width": 100}),
)
_NUMBERS = {"old_price", "new_price", "unconstrained_price", "clamp_cost", "inventory_level", "p_sale", "unit_value"}


def trail_card() -> Component:
    """Place the grid that a callback fills with price decisions, and a button that saves them."""
    return card(
        "Every decision",
        _grid(),
        caption=f"The price decisions of the {DAYS} days up to the day chosen above, the newest first. Type below a "
        "column's name to filter; click the name to sort.",
        right=dmc.Button("Save as CSV", id=SAVE, variant="default", size="xs"),
    )


def trail(monitor: Monitor, sku: str, store: str, date: dt.date) -> pd.DataFrame:
    """Return the decisions of the days up to a date, the newest first."""
    first = date - dt.timedelta(days=DAYS - 1)
    return monitor.reader.ask(
        "decision_trail", SOLD, first=first, last=date, store=store, sku=sku, most=_MOST_DECISIONS
    )


def trail_height(rows: Sequence[object]) -> dict[str, int]:
    """Return the height of the grid: that of its rows, of some of them where there are many."""
    return {"height": _BARS + _ROW * min(max(len(rows), 1), _MOST_SHOWN)}


def _grid() -> Component:
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
        columnDefs=in_currency_of(columns),
        rowData=[],
        defaultColDef=TOOLTIPS
        | {
            "sortable": True,
            "resizable": True,
            "floatingFilter": True,
            "suppressFloatingFilterButton": True,
            "wrapHeaderText": True,
            "autoHeaderHeight": True,
        },
        dashGridOptions={"pagination": True, "paginationPageSize": 20, "enableCellTextSelection": True},
        csvExportParams={"fileName": "price_decisions.csv"},
        style=trail_height([]),
        className="trail",
    )


def trail_rows(decisions: pd.DataFrame, clock: WallClock) -> list[dict[Any, Any]]:
    """Return the rows of the grid, in the store's time."""
    told = decisions.assign(
        decided_at=[f"{clock.local(moment):%Y-%m-%d %H:%M}" for moment in decisions["decided_at"]],
        explored=decisions["explored"].map({True: "yes", False: "no"}),
        binding_rule=decisions["binding_rule"].map(RULES),
    )
    return [dict(row) for row in told.astype(object).where(told.notna(), None).to_dict("records")]
