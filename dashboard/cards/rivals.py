"""Our opening prices beside rivals': as one number for the chain, and by rival and category."""

import datetime as dt
from typing import Any

import pandas as pd
from dash import dcc, html
from dash.development.base_component import Component

from dashboard.cards.trend import trend
from dashboard.components import card, stat, table
from dashboard.formats import UNKNOWN, change, count, day, share
from dashboard.monitor import Monitor

READ = ("competitor_prices", "repricings", "live_repricings", "exposures", "products")
CARD = "rivals"
_DAYS, _WEEK = 14, 7
_TO_CARD = dcc.Link("By rival and category", href=f"/prices#{CARD}", className="stat-change")
_NAMES = ("Rival", "Category", "Index", "Products", "Stale")


def rivals_card(monitor: Monitor, date: dt.date | None) -> list[Component]:
    """Show the price index of a date; nothing where no price of a rival was known on it."""
    if date is None or not monitor.reader.dates("competitor_prices"):
        return []
    prices = monitor.reader.ask("price_index", READ, date=date)
    if prices.empty:
        return []
    shown = card(
        "Our prices beside rivals'",
        table(_NAMES, [_row(row) for row in prices.to_dict(orient="records")], numbers=(2, 3, 4), width=480),
        caption=f"{day(date)}: 100 is the rival's price of as much, and 105 is 5 % dearer; a geometric mean over the "
        "products. Prices that are stale are left out. `shelfprice take-in FILE` takes newer ones in.",
    )
    return [html.Div(shown, id=CARD, className="grid")]


def price_level_stat(monitor: Monitor, date: dt.date) -> list[Component]:
    """Show how our prices stand beside rivals' on a date; nothing where no price of a rival was ever taken in."""
    if not monitor.reader.dates("competitor_prices"):
        return []
    level_rows = monitor.reader.ask("price_level", READ, first=date - dt.timedelta(days=_DAYS - 1), last=date)
    dates, level, n = (level_rows[name].tolist() for name in ("business_date", "price_level", "count_products"))
    levels = dict(zip((on.date() for on in dates), zip(level, n, strict=True), strict=True))
    title, shelf = "Prices beside rivals'", count(len(monitor.catalog.current().products))
    if (now := levels.get(date)) is None:
        sentence = f"no fresh price of a rival for the {shelf} products"
        return [stat(title, UNKNOWN, None, sentence, _TO_CARD)]
    before = [earlier for on, (earlier, _) in levels.items() if 0 < (date - on).days <= _WEEK]
    mean = sum(before) / len(before) if before else now[0]
    is_moved = share(abs(now[0] / mean - 1)) != share(0)
    compared = f"{count(now[1])} of {shelf} products compared"
    week = f"{'vs' if is_moved else 'as'} the mean of the 7 days before; " if before else ""
    sentence = f"price level on the last {len(level)} dates, between {told_of(min(level))} and {told_of(max(level))}"
    moved = change(now[0], mean) if is_moved else None
    line = trend(level, sentence)
    return [stat(title, told_of(now[0]), moved, f"{week}{compared}", line, _TO_CARD, more_is_better=False)]


def told_of(level: float) -> str:
    """Say how far our price level is from rivals': `4.0 % below`."""
    apart = share(abs(level - 1))
    return "the same" if apart == share(0) else f"{apart} {'above' if level > 1 else 'below'}"


def _row(row: dict[Any, Any]) -> list[str]:
    index = UNKNOWN if pd.isna(row["price_index"]) else f"{100 * row['price_index']:.1f}"
    category = "all" if pd.isna(row["category"]) else str(row["category"])
    return [str(row["rival"]), category, index, count(row["count_products"]), count(row["count_stale"])]
