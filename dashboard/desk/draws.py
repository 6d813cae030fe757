"""What is drawn for an outside chain now: products and stores, who is held, experiments, and last week's euros."""

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
import pandas as pd
from dash import html
from dash.development.base_component import Component

from dashboard.components import card, stat, table
from dashboard.formats import UNKNOWN, count, day, euros, share
from dashboard.monitor import Monitor
from plugins.own_store.draws.drawn_prices import BACK, TABLE

TABLES = (TABLE, "experiments", "experiment_outcomes", "earned")
_MOST_PRODUCTS, _MOST_STORES, _MOST_EXPERIMENTS, _MOST_TOLD = 40, 6, 4, 5
_NAMES = ("Product", "Drawn price", "Your own", "Drawn in", "Held in")
_WEEK = 7  # days


def draws_card(monitor: Monitor) -> Component | None:
    """Show what is drawn and what is tried; None where no price was drawn and no experiment is planned."""
    has_draws = bool(monitor.reader.dates(TABLE))
    experiments = _rows(monitor.reader.ask("newest_experiments", TABLES, most=_MOST_EXPERIMENTS))
    if not has_draws and not experiments:
        return None
    drawn = _rows(monitor.reader.ask("newest_draw", (TABLE, "products"), back=BACK)) if has_draws else []
    tried = [_experiment(row, drawn[0]["first"] if drawn else None) for row in experiments]
    drawn_prices = card(
        "Drawn prices",
        html.Div([*_stats(drawn), *_lately(monitor)], className="grid grid-4"),
        *([_products(drawn)] if drawn else [dmc.Text("No price is drawn now.", c="dimmed", size="sm")]),
        *([html.Ul(tried, className="desk-changes desk-tried")] if tried else []),
        caption="A product that is held shows your own price in a store for a week, so that the others have something "
        "to be compared with. `shelfprice experiment --withdraw` ends an experiment.",
    )
    return html.Div(drawn_prices, className="grid")


def _stats(drawn: Sequence[dict[str, Any]]) -> list[Component]:
    if not drawn:
        return []
    stores = {store for row in drawn for store in _list(row["drawn_stores"])}
    held, others = (sum(len(_list(row[name])) for row in drawn) for name in ("held_stores", "drawn_stores"))
    first, through = (pd.Timestamp(drawn[0][name]).date() for name in ("first", "through"))
    products = sum(bool(_list(row["drawn_stores"])) for row in drawn)
    return [
        stat("Products drawn", count(products), None, f"{day(first)} to {day(through)}"),
        stat("Stores with drawn prices", count(len(stores)), None, _stores(stores) if stores else "none"),
        stat("Held at your own prices", count(held), None, f"of {count(held + others)} prices of products in stores"),
    ]


def _lately(monitor: Monitor) -> list[Component]:
    """Show the euros of the newest weeks that are over; nothing before one is."""
    rows = _rows(monitor.reader.ask("earned_lately", ("earned", TABLE)))
    if not rows:
        return []
    row = rows[0]
    since = f"from {day(pd.Timestamp(row['first']).date())}"
    if pd.isna(row["euros"]):
        held = "product week was" if row["n_held"] == 1 else "product weeks were"
        return [stat("Earned lately", UNKNOWN, None, f"{since}: {count(row['n_held'])} {held} held, too few to know")]
    is_open = pd.isna(row["euros_low"]) or pd.isna(row["euros_high"])
    interval = (
        "with an open interval" if is_open else f"95 % interval {euros(row['euros_low'])} to {euros(row['euros_high'])}"
    )
    return [stat("Earned lately", f"{euros(row['euros'])} ({share(row['share'])})", None, f"{since}, {interval}")]


def _products(drawn: Sequence[dict[str, Any]]) -> Component:
    everywhere = {store for row in drawn for name in ("drawn_stores", "held_stores") for store in _list(row[name])}
    rows = []
    for row in drawn[:_MOST_PRODUCTS]:
        prices = _prices(row["lowest"], row["highest"]), _prices(row["lowest_own"], row["highest_own"])
        held = _stores(_list(row["held_stores"])) or UNKNOWN
        rows.append([str(row["product_name"]), *prices, _where(row, everywhere), held])
    if len(drawn) > _MOST_PRODUCTS:
        rows.append([f"and {count(len(drawn) - _MOST_PRODUCTS)} more: see the table price_draws", "", "", "", ""])
    return table(_NAMES, rows, numbers=(1, 2), width=620)


def _where(row: dict[str, Any], everywhere: set[str]) -> str:
    stores = set(_list(row["drawn_stores"]))
    if not stores:
        return "goes back to its own price" if _list(row["stores_back"]) else "no store this time"
    return f"all {count(len(stores))} stores" if len(stores) > 1 and stores == everywhere else _stores(stores)


def _experiment(row: dict[str, Any], drawn_from: Any) -> Component:
    starts, through = (pd.Timestamp(row[name]).date() for name in ("starts", "through"))
    head = f"Experiment {row['number']}: ±{share(row['step'])} by a fair coin on {_named(_list(row['products']))}"
    now = None if drawn_from is None else pd.Timestamp(drawn_from).date()
    weeks = ((through - starts).days + 1) // _WEEK
    if not pd.isna(row["withdrawn_from"]):
        ended = pd.Timestamp(row["withdrawn_from"]).date()
        when = f"from {day(ended)} on" if ended > starts else "before it began"
        state = f"withdrawn {when} by {row['withdrawn_by']}: {row['withdrawn_reason']}"
    elif now is None or now < starts:
        state = f"begins {day(starts)}, for {weeks} weeks"
    elif now > through:
        state = f"ended {day(through)}"
    else:
        state = f"week {(now - starts).days // _WEEK + 1} of {weeks}, ends {day(through)}"
    title = html.Div([html.Strong(head), html.Span(state)], className="desk-change-head")
    rest = [html.Span(f"{row['asked_by']}: {row['reason']}"), html.Span(_told(row))]
    return html.Li(html.Div([title, html.Div(rest, className="desk-change-rest")]))


def _told(row: dict[str, Any]) -> str:
    """Say which responses are told, for how many products not, and where last week's price matters, too."""
    if pd.isna(row["told_through"]):
        return "Nothing has sold at its prices yet."
    sentences = [
        f"{sku} {_slope(slope)} ({_slope(low)} to {_slope(high)})"
        for sku, slope, low, high in zip(
            *(_list(row[name])[:_MOST_TOLD] for name in ("told", "slopes", "lows", "highs")), strict=True
        )
    ]
    left = int(row["count_looked_at"]) - len(_list(row["told"]))
    date = day(pd.Timestamp(row["told_through"]).date())
    sentence = f"Told through {date}: {'; '.join(sentences) or 'nothing yet'}"
    more = len(_list(row["told"])) - len(sentences)
    sentence += f"; {count(more)} more" if more else ""
    sentence += f". Not told yet: {count(left)} of {count(row['count_looked_at'])} products." if left else "."
    carried = _list(row["carried"])
    return f"{sentence} Last week's price matters, too: {_named(carried)}." if carried else sentence


def _slope(value: Any) -> str:
    """Write a response; an end of an interval that is open is not known."""
    return UNKNOWN if value is None or pd.isna(value) else f"{value:+.1f}".replace("-", "−")


def _prices(lowest: float, highest: float) -> str:
    return euros(lowest) if lowest == highest else f"{euros(lowest)} to {euros(highest)}"


def _stores(stores: Any) -> str:
    return _named(sorted(stores))


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(list(names)[:_MOST_STORES])
    return shown if len(names) <= _MOST_STORES else f"{shown} and {count(len(names) - _MOST_STORES)} more"


def _list(value: Any) -> list[Any]:
    """Return a list of a query as one: DuckDB gives an array, and none where nothing was listed."""
    return [] if value is None or (isinstance(value, float) and pd.isna(value)) else list(value)


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict(orient="records")]
