"""The card on what drawn prices earned: euros more than the owner's own prices, with the interval as a bar."""

from collections.abc import Iterator
from typing import Any

import dash_mantine_components as dmc
import pandas as pd
from dash import html
from dash.development.base_component import Component

from dashboard.components import aria, card, table
from dashboard.formats import UNKNOWN, count, day, euros, share
from dashboard.monitor import Monitor
from plugins.own_store.draws.drawn_prices import BACK

TABLE, DRAWS = "earned", "price_draws"
_NAMES = ("", "Earned more", "", "95 % interval", "In %")
_NUMBERS = (1, 3, 4)
_SCOPES = ("chain", "lately", "category", "store")
_MOST_MOVED = 3
_LEAST_MOVED = 0.005  # share of the owner's price that is worth a sentence


def earned_card(monitor: Monitor) -> list[Component]:
    """Show what the chain earned since the start and lately, and each category and store; nothing without a draw."""
    if not monitor.reader.dates(TABLE):
        return []
    found = monitor.reader.ask("newest_earned", (TABLE,))
    rows = [row for scope in _SCOPES for row in found[found["scope"] == scope].to_dict(orient="records")]
    if not rows:
        return []
    first, through = (pd.Timestamp(found[name].iloc[0]).date() for name in ("first", "through"))
    ends = [float(row[name]) for row in rows for name in ("euros", "euros_low", "euros_high") if pd.notna(row[name])]
    span = min([0.0, *ends]), max([0.0, *ends])
    moved = monitor.reader.ask("moved_most", (DRAWS, "products"), back=BACK, most=_MOST_MOVED).to_dict(orient="records")
    return [
        card(
            "What drawn prices earned",
            table(_NAMES, [_row(row, span) for row in rows], numbers=_NUMBERS, width=620),
            html.Ul([html.Li(text) for text in _said(moved)], className="desk-changes"),
            caption=f"Euros of profit more than your own prices would have brought, {day(first)} to {day(through)}. "
            "The bar is the 95 % interval, the line in it is zero: a bar right of it is a gain beyond doubt. Products "
            "held at your own prices tell it. `shelfprice earned` says the same, week by week.",
        )
    ]


def _row(row: dict[Any, Any], span: tuple[float, float]) -> list[Component | str]:
    since = day(pd.Timestamp(row["name"]).date()) if row["scope"] == "lately" else ""
    names = {"chain": "Since the start", "lately": f"Lately, from {since}"}
    is_closed = pd.notna(row["euros_low"]) and pd.notna(row["euros_high"])
    interval = f"{euros(row['euros_low'])} to {euros(row['euros_high'])}" if is_closed else UNKNOWN
    return [
        names.get(row["scope"], str(row["name"])),
        UNKNOWN if pd.isna(row["euros"]) else euros(row["euros"]),
        _bar(row, span, interval) if is_closed else f"{count(row['n_held'])} held: too few",
        interval,
        UNKNOWN if pd.isna(row["share"]) else share(row["share"]),
    ]


def _bar(row: dict[Any, Any], span: tuple[float, float], interval: str) -> Component:
    """Draw an interval over the span of all rows, with a line at zero and a mark at the estimate."""
    low, high = span
    width = max(high - low, 1e-9)

    def at(value: float) -> float:
        return 100 * (value - low) / width

    begin, end = at(float(row["euros_low"])), at(float(row["euros_high"]))
    parts = [
        html.Span(
            className="earned-interval", style={"left": f"{begin:.1f}%", "width": f"{max(end - begin, 0.5):.1f}%"}
        ),
        html.Span(className="earned-zero", style={"left": f"{at(0.0):.1f}%"}),
        html.Span(className="earned-mark", style={"left": f"{at(float(row['euros'])):.1f}%"}),
    ]
    return html.Div(parts, className="earned-bar", role="img", **aria(label=f"95 % interval {interval}"))


def _said(moved: list[dict[Any, Any]]) -> Iterator[Component | str]:
    """Yield what moved most and why, and what is held, a sentence each."""
    for row in moved:
        if pd.isna(row["moved"]) or pd.isna(row["response"]) or abs(row["moved"]) < _LEAST_MOVED:
            continue
        change = f"{row['response']:+.1f}".replace("-", "\N{MINUS SIGN}")
        why = "few shoppers leave" if row["moved"] > 0 else "many more buy"
        ratio = f"{abs(row['moved']):.0%}".replace("%", " %")
        where = "above" if row["moved"] > 0 else "below"
        name = dmc.Text(str(row["product_name"]), span=True, fw=600)
        yield html.Span(
            [name, f" is {ratio} {where} your price: {why}, for a percent of price changes sales by {change} %."]
        )
    if moved:
        held, prices = (count(moved[0][name]) for name in ("count_held", "count_prices"))
        yield f"{held} of {prices} prices show your own for now, so that the others can be compared."
