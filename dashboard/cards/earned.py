"""The card of the Overview page that says what drawn prices brought an outside store against its own prices."""

from typing import Any

import pandas as pd
from dash.development.base_component import Component

from dashboard.components import card, table
from dashboard.formats import UNKNOWN, count, day, euros, share
from dashboard.monitor import Monitor

TABLE = "earned"
_NAMES = ("", "Profit earned", "95 % interval", "In %", "95 % interval", "Held", "Drawn")
_NUMBERS = (1, 2, 3, 4, 5, 6)
_MOST_WEEKS = 8


def earned_card(monitor: Monitor) -> list[Component]:
    """Show the chain, its newest weeks, its categories and stores; nothing where no price was drawn."""
    if not monitor.reader.dates(TABLE):
        return []
    found = monitor.reader.ask("newest_earned", (TABLE,))
    weeks = found[found["scope"] == "week"].tail(_MOST_WEEKS)[::-1]
    chain, categories, stores = (found[found["scope"] == scope] for scope in ("chain", "category", "store"))
    rows = pd.concat([chain, weeks, categories, stores])
    first, through = (pd.Timestamp(found[name].iloc[0]).date() for name in ("first", "through"))
    return [
        card(
            "What drawn prices earned",
            table(_NAMES, [_row(row) for row in rows.to_dict(orient="records")], numbers=_NUMBERS, width=760),
            caption=f"Profit against your own prices, {day(first)} to {day(through)}: store weeks with drawn prices "
            "beside those that the draw held. An interval that is not known needs more held weeks. "
            "`shelfprice earned` says the same.",
        )
    ]


def _row(row: dict[Any, Any]) -> list[Component | str]:
    names = {"chain": "all stores", "week": f"week from {row['name']}", "category": str(row["name"])}
    names["store"] = str(row["name"])
    return [
        names[str(row["scope"])],
        euros(row["euros"]) if pd.notna(row["euros"]) else UNKNOWN,
        _interval(row, "euros", euros),
        share(row["share"]) if pd.notna(row["share"]) else UNKNOWN,
        _interval(row, "share", share),
        count(row["n_held"]),
        count(row["n_treated"]),
    ]


def _interval(row: dict[Any, Any], name: str, written: Any) -> str:
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    if pd.isna(low) or pd.isna(high):
        return UNKNOWN
    return f"{written(low)} to {written(high)}"
