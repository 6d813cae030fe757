"""Who did what at the price desk, the newest first."""

from typing import Any

import dash_mantine_components as dmc
import pandas as pd
from dash import html
from dash.development.base_component import Component

from dashboard.components import card, scrolls
from dashboard.formats import count, euros, store_name
from dashboard.monitor import Monitor

LOG = "desk-log"
MOST = 50

_VERBS = {"proposed": "asked for", "approved": "approved", "rejected": "rejected", "withdrawn": "took back"}
_KINDS = {"price": "price", "override": "override", "freeze": "freeze", "kill_switch": "kill switch"}


def log_card() -> Component:
    """Place the list that a callback fills."""
    return card(
        "Who did what",
        html.Div(id=LOG, className="scrolled", **scrolls("Who did what")),
        caption="Times are UTC: the clock's, or for a proposal its book's date. What was done at once is one line.",
    )


def log_list(monitor: Monitor) -> Component:
    """List the newest acts on price changes."""
    found = monitor.reader.ask("newest_price_changes", ("price_changes",), most=MOST)
    if not len(found):
        return dmc.Text("Nobody has decided about a price yet.", c="dimmed", size="sm")
    return html.Ul([_line(act) for act in found.itertuples()], className="feed desk-log")


def _line(act: object) -> Component:
    return html.Li(
        [
            html.Span(f"{act.recorded_at:%d %b %H:%M}", className="event-time"),  # type: ignore[attr-defined] # pandas
            html.Span(in_words(act), className="event-text"),
        ],
        className="event desk-event",
    )


def in_words(act: object) -> str:
    """Say one row of `newest_price_changes` in a sentence."""
    told: dict[str, Any] = act._asdict()  # type: ignore[attr-defined]
    row: dict[str, Any] = {name: None if pd.isna(value) else value for name, value in told.items()}
    verb, kind = _VERBS[row["event"]], _KINDS[row["kind"]]
    if row["event"] == "proposed" and row["kind"] == "price":
        verb = "proposed"
    if row["count_changes"] > 1:
        opening = f" for {row['business_date']:%d %b}" if row["event"] == "proposed" else ""
        return f"{row['decided_by']} {verb} {count(row['count_changes'])} {kind}s{opening}"
    where = " ".join(part for part in (row["sku"], f"in {store_name(row['store_id'] or 'every store')}") if part)
    price = f" at {euros(row['new_price'])}" if row["new_price"] is not None else ""
    return f"{row['decided_by']} {verb} the {kind} {row['change']}, {where}{price}: {row['reason']}"
