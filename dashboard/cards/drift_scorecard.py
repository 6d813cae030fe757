"""The scorecard of scripted changes: days until each was detected, false alarms, and revenue lost."""

from typing import Any

import pandas as pd
from dash.development.base_component import Component

from dashboard.components import fold, table
from dashboard.formats import count, in_currency
from dashboard.monitor import Monitor

TABLE = "drift_results"
_NEVER = "never"
_RULES = {"residuals": "watches residuals", "none": "never retrains"}
_COLUMNS = (
    "World", "Rule", "Detected after, days", "False alarms, days", "Recovered after, days", "Lost until then, EUR",
)  # fmt: skip
_FIRST_NUMBER = 2


def scorecard(monitor: Monitor) -> list[Component]:
    """Show the newest scorecard of `shelfprice shocks`; nothing where there is none."""
    found = monitor.reader.ask("drift_scorecard", (TABLE,))
    if found.empty:
        return []
    rows = [
        _cells(row)
        for row in found.to_dict(orient="records")
        if row["rule"] in _RULES and (row["change"] or row["rule"] != "none")
    ]
    columns = [in_currency(name) for name in _COLUMNS]
    return [
        fold(
            "Scripted changes of demand",
            "How soon a change of demand was noticed in simulated stores.",
            table(columns, rows, numbers=range(_FIRST_NUMBER, len(_COLUMNS)), width=640),
            caption=f"Means of {int(found['count_seeds'].max())} seeds, all stores together, against a clairvoyant. "
            "Look for few days until a change is detected, and none where nothing changed.",
        )
    ]


def _cells(row: dict[Any, Any]) -> list[str]:
    is_change = bool(row["change"])
    world = f"{row['scenario']}, change {row['change']}" if is_change else f"{row['scenario']}, before any change"
    watched = row["rule"] != "none"
    return [
        world,
        _RULES[row["rule"]],
        _mean_days(row, "detected") if is_change and watched else "",
        f"{row['mean_false_alarms']:.1f} of {row['mean_days']:.0f}" if watched else "",
        _mean_days(row, "recovered") if is_change else "",
        count(row["mean_lost_eur"]) if is_change else "",
    ]


def _mean_days(row: dict[Any, Any], what: str) -> str:
    """Write the mean of the seeds in which it happened, and how many those are when not all."""
    times, seeds = int(row[f"count_{what}"]), int(row["count_seeds"])
    mean = row[f"mean_{what}_after_days"]
    if not times or pd.isna(mean):
        return _NEVER
    return f"{mean:.1f}" if times == seeds else f"{mean:.1f} on {times} of {seeds}"
