"""Parts of the Policies page: the headline, the table and what each policy does."""

import datetime as dt
import math
from typing import Any

import dash_ag_grid as dag
import pandas as pd
from dash import html
from dash.development.base_component import Component

from dashboard.components import TOOLTIPS, stat
from dashboard.data.comparison import CLAIRVOYANT, SAYS, StoredComparison, label
from dashboard.formats import count, euros, in_currency_of, share

DEFAULT_POLICY = "stock_aware"


def headline(found: StoredComparison) -> Component:
    """Show what the default policy earns, where it is weakest, and what another would leave on the table."""
    own = found.played[found.played["policy"] == DEFAULT_POLICY]
    others = found.played[~found.played["policy"].isin([DEFAULT_POLICY, CLAIRVOYANT])]
    parts: list[Component] = []
    if not own.empty:
        weakest = own.sort_values("share").iloc[0]
        parts += [
            stat(
                f"{label(DEFAULT_POLICY).capitalize()} earns",
                share(own["share"].mean()),
                None,
                "of what perfect knowledge earns, mean of scenarios",
            ),
            stat("Its lowest share", share(weakest["share"]), None, str(weakest["scenario"])),
            stat("Left on the table", euros(own["left_eur"].mean()), None, "a store day, mean of scenarios"),
        ]
    if not others.empty:
        left = others.groupby("policy")["left_eur"].mean()
        best = str(left.idxmin())
        parts.append(stat("Left by the next best", euros(left.min()), None, f"{label(best)}, a store day"))
    return html.Div(parts, className="grid grid-4")


def provenance(found: StoredComparison) -> str:
    """Say when and on what the policies were compared."""
    first = found.played.iloc[0]
    at: dt.datetime = pd.Timestamp(first["compared_at"]).to_pydatetime()
    seeds, scenarios = int(found.played["count_seeds"].max()), len(found.scenarios)
    return (
        f"Compared on {at:%d %b %Y at %H:%M} UTC: {scenarios} scenario{'' if scenarios == 1 else 's'}, "
        f"{seeds} seed{'' if seeds == 1 else 's'} of {int(first['store_days'])} store days, after learning from "
        f"{count(first['decisions'])} decisions. Every policy met the same shoppers."
    )


def legend(found: StoredComparison) -> Component:
    """Say what each policy does, in one line."""
    lines = [html.Li([html.Strong(label(policy)), f" {SAYS.get(policy, '')}"]) for policy in found.policies]
    return html.Ul(
        [*lines, html.Li([html.Strong(CLAIRVOYANT), " knows the true demand: the limit"])], className="policies"
    )


def table(found: StoredComparison) -> Component:
    """List every policy in every scenario with what a store day brings; it sorts, filters and can be copied out."""
    order = {scenario: position for position, scenario in enumerate(found.scenarios)}
    rows = sorted(found.played.to_dict(orient="records"), key=lambda row: (order[row["scenario"]], -row["share"]))
    columns: list[dict[str, Any]] = [
        {"field": "scenario", "pinned": "left", "width": 150, "flex": 0},
        {"field": "policy", "minWidth": 120},
        _number("share_percent", "Share, %", "d3.format('.2f')(params.value)"),
        _number("plus_minus", "± 95 %", "params.value == null ? '–' : d3.format('.2f')(params.value)"),
        _number("left_eur", "Left on the table, EUR", "d3.format(',.2f')(params.value)"),
        _number("revenue_eur", "Revenue, EUR", "d3.format(',.2f')(params.value)"),
        _number("units_per_day", "Units", "d3.format(',.1f')(params.value)"),
        _number("sell_outs_per_day", "Products sold out", "d3.format('.1f')(params.value)"),
        _number("lost_sales_per_day", "Lost sales, visits", "d3.format(',.1f')(params.value)"),
        _number("mean_price_eur", "Mean price, EUR", "d3.format('.2f')(params.value)"),
        _number("repricings_per_day", "Price changes", "d3.format(',.1f')(params.value)"),
    ]
    return dag.AgGrid(
        id="policies-table",
        rowData=[_row(row) for row in rows],
        columnDefs=in_currency_of(columns),
        defaultColDef=TOOLTIPS
        | {
            "sortable": True,
            "filter": True,
            "resizable": True,
            "wrapHeaderText": True,
            "autoHeaderHeight": True,
            "minWidth": 124,
            "flex": 1,
        },
        dashGridOptions={"domLayout": "normal", "enableCellTextSelection": True, "suppressMovableColumns": True},
        csvExportParams={"fileName": "shelfprice-policies.csv"},
        style={"height": 460},
    )


def _row(row: dict[Any, Any]) -> dict[str, Any]:
    half = 100 * (row["high"] - row["share"])
    return {
        **{name: row[name] for name in ("scenario", "left_eur", "revenue_eur", "mean_price_eur")},
        **{f"{name}_per_day": row[f"{name}_per_day"] for name in ("units", "sell_outs", "lost_sales", "repricings")},
        "policy": label(row["policy"]),
        "share_percent": 100 * row["share"],
        "plus_minus": half if math.isfinite(half) else None,
    }


def _number(field: str, title: str, shown: str) -> dict[str, Any]:
    return {
        "field": field,
        "headerName": title,
        "type": "rightAligned",
        "filter": "agNumberColumnFilter",
        "valueFormatter": {"function": shown},
    }
