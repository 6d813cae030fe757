"""The card of rivals: our opening prices over theirs, as a whole and by category."""

import datetime as dt
from typing import Any

import pandas as pd
from dash import html
from dash.development.base_component import Component

from dashboard.components import card, table
from dashboard.formats import UNKNOWN, count, day
from dashboard.monitor import Monitor

READ = ("competitor_prices", "repricings", "live_repricings", "exposures", "products")
_NAMES = ("Rival", "Category", "Index", "Products", "Stale")


def rivals_card(monitor: Monitor, date: dt.date | None) -> list[Component]:
    """Show the price index of a date; nothing where no price of a rival was known on it."""
    if date is None or not monitor.reader.dates("competitor_prices"):
        return []
    found = monitor.reader.ask("price_index", READ, date=date)
    if found.empty:
        return []
    shown = card(
        "Our prices beside rivals'",
        table(_NAMES, [_row(row) for row in found.to_dict(orient="records")], numbers=(2, 3, 4), width=480),
        caption=f"{day(date)}: 100 is the rival's price of as much, and 105 is 5 % dearer; a geometric mean over the "
        "products. Prices that are stale are left out. `shelfprice rivals FILE` takes newer ones in.",
    )
    return [html.Div(shown, className="grid")]


def _row(row: dict[Any, Any]) -> list[str]:
    index = UNKNOWN if pd.isna(row["price_index"]) else f"{100 * row['price_index']:.1f}"
    category = "all" if pd.isna(row["category"]) else str(row["category"])
    return [str(row["rival"]), category, index, count(row["count_products"]), count(row["count_stale"])]
