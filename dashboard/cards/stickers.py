"""The stickers of a store: those to print for the next morning, and what became of the units that carried one."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pandas as pd
from dash.development.base_component import Component

from dashboard.components import card, table
from dashboard.formats import count, euros
from dashboard.formats import day as day_name
from dashboard.monitor import Monitor

READ = (
    *("markdowns", "repricings", "live_repricings", "interactions", "live_interactions"),
    "stock_movements",
    "products",
)
_PLAN = ("Product", "Units", "Label", "Sticker", "Expected saving")
_RESULT = ("Sold with it", "Brought", "Thrown away")
_STICK = (
    "Stick them before opening. They were listed in the night: after an order or a change of champion since, "
    "`shelfprice changes --stickers` lists what stands."
)
_MEANING = "The expected saving is what the sticker brings beyond the best prices without one, until closing."


def sticker_cards(monitor: Monitor, store: str, date: dt.date) -> list[Component]:
    """Return a card of the stickers to print, and one of those that stood; none of those where there are none."""
    stickers = monitor.reader.ask("stickers_of_store", READ, date=date, store=store)
    stood = pd.to_datetime(stickers["business_date"]).dt.date == date
    cards, rows = list[Component](), stickers[stood]
    if not stood.all():
        title = f"Stickers to print for {day_name(date + dt.timedelta(days=1))}"
        cards.append(card(title, _table(stickers[~stood], ()), caption=f"{_STICK} {_MEANING}"))
    if len(rows):
        sentence = (
            f"Stickers sold {count(rows['count_sold'].sum())} units for {euros(float(rows['brought_eur'].sum()))}."
        )
        cards.append(card(f"Stickers of {day_name(date)}", _table(rows, _RESULT), caption=f"{sentence} {_MEANING}"))
    return cards


def _table(rows: pd.DataFrame, result: tuple[str, ...]) -> Component:
    def known(value: Any, written: Callable[[Any], str]) -> str:
        return "" if pd.isna(value) else written(value)

    names, body = (*_PLAN, *result), list[list[str]]()
    for row in rows.to_dict("records"):
        amounts = (euros(row[name]) for name in ("price_eur", "sticker_eur"))
        plan = [row["product_name"], count(row["count_units"]), *amounts, known(row["expected_saving_eur"], euros)]
        came = (
            [count(row["count_sold"]), euros(row["brought_eur"]), known(row["count_spoiled"], count)] if result else []
        )
        body.append(plan + came)
    return table(names, body, numbers=range(1, len(names)), width=80 * len(names))
