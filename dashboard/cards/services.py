"""How each service of `shelfprice up` is, also the one that shows this."""

import datetime as dt

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from dashboard.components import notice, table
from dashboard.formats import UNKNOWN, ago, count
from warehouse.services import Condition, RunningServices

_CONDITIONS: dict[Condition, tuple[str, str, str]] = {
    "answers": ("✓", "answers", "teal"),
    "starting": ("…", "starting", "gray"),
    "silent": ("✗", "does not answer", "red"),
    "restarting": ("↻", "restarting", "yellow"),
}


def service_list(running: RunningServices | None, now: dt.datetime) -> Component:
    """List the services: how each is, since when, how often it was started again, and why."""
    if running is None:
        return notice(
            "Not running", "The schedules, Prefect and MLflow do not run. Start them:", command="shelfprice up"
        )
    rows = [
        [
            html.Span(one.name, title=one.purpose, className="named"),
            _condition(one.condition),
            ago(one.since, now),
            count(one.recent_restarts(now)),
            one.reason or UNKNOWN,
        ]
        for one in sorted(running.services, key=lambda one: one.condition != "silent")
    ]
    names = ["Service", "State", "Since", "Restarts in the last hour", "Why it was started again last"]
    return table(names, rows, numbers=(2, 3), width=640)


def _condition(condition: Condition) -> Component:
    mark, said, colour = _CONDITIONS[condition]
    return dmc.Badge(f"{mark} {said}", color=colour, variant="light", size="sm", tt="none")
