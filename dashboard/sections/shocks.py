"""The scorecard of scripted changes on the Models page: when each was seen, how often for nothing, and what it cost."""

from typing import Any

import dash_mantine_components as dmc
import pandas as pd
from dash.development.base_component import Component

from dashboard.components import card
from dashboard.monitor import Monitor
from dashboard.theme import count

TABLE = "drift_results"
_NEVER = "never"
_RULES = {"residuals": "watches residuals", "coin": "the first demo's coin", "none": "never learns again"}
_COLUMNS = ("World", "Rule", "Seen after, days", "False alarms, days", "Good again after, days", "Lost until then, EUR")
_FIRST_NUMBER = 2


def scorecard(monitor: Monitor) -> list[Component]:
    """Show the newest scorecard of `shelfprice shocks`; nothing where there is none."""
    found = monitor.reader.ask("drift_scorecard", (TABLE,))
    if found.empty:
        return []
    kinds = ["number" if position >= _FIRST_NUMBER else "" for position in range(len(_COLUMNS))]
    head = dmc.TableTr([dmc.TableTh(name, className=kind) for name, kind in zip(_COLUMNS, kinds, strict=True)])
    body = [
        dmc.TableTr([dmc.TableTd(text, className=kind) for text, kind in zip(_cells(row), kinds, strict=True)])
        for row in found.to_dict(orient="records")
        if row["change"] or row["rule"] != "none"
    ]
    table = dmc.Table([dmc.TableThead(head), dmc.TableTbody(body)], verticalSpacing=6, className="figures-table")
    return [
        card(
            "Scripted changes of demand",
            dmc.TableScrollContainer(table, minWidth=640, type="native"),
            caption=f"Means of {int(found['count_seeds'].max())} seeds, all stores together, against a clairvoyant. "
            "Look for few days until a change is seen, and none where nothing changed.",
        )
    ]


def _cells(row: dict[Any, Any]) -> list[str]:
    is_change = bool(row["change"])
    world = f"{row['scenario']}, change {row['change']}" if is_change else f"{row['scenario']}, before any change"
    watched = row["rule"] != "none"
    return [
        world,
        _RULES.get(row["rule"], str(row["rule"])),
        _came(row, "detected") if is_change and watched else "",
        f"{row['mean_false_alarms']:.1f} of {row['mean_days']:.0f}" if watched else "",
        _came(row, "recovered") if is_change else "",
        count(row["mean_lost_eur"]) if is_change else "",
    ]


def _came(row: dict[Any, Any], what: str) -> str:
    """Write the mean of the seeds on which it came, and how many those are when not all."""
    times, seeds = int(row[f"count_{what}"]), int(row["count_seeds"])
    mean = row[f"mean_{what}_after_days"]
    if not times or pd.isna(mean):
        return _NEVER
    return f"{mean:.1f}" if times == seeds else f"{mean:.1f} on {times} of {seeds}"
