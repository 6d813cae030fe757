"""The light in the header of every page: how everything is, in a word; a click leads to the Pipeline page."""

from typing import Any

from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from catalog.errors import ServiceError, ShelfpriceError
from dashboard.cache import Cache
from dashboard.cards.notices import found_on
from dashboard.components import aria
from dashboard.data.notices import Health, health_of, running_services
from dashboard.data.overview import has_receipt
from dashboard.monitor import Monitor
from dashboard.pickers import NEWEST, SOLD, shown_date

LIGHT = "health-light"
_CLOCK, _SEEN = "health-clock", "health-seen"
_LOOK_AGAIN = 10_000  # milliseconds
_SHARED = 5.0  # seconds for which all browsers get the same answer


def health_light() -> Component:
    """Place the light; a callback says how everything is."""
    return html.Div(
        [
            dcc.Link(
                _told(Health("amber", "…")), href="/pipeline", id=LIGHT, className="health", title="How everything is"
            ),
            dcc.Interval(id=_CLOCK, interval=_LOOK_AGAIN),
            dcc.Store(id=_SEEN),
        ],
        className="health-place",
        **aria(live="polite"),
    )


def wire_health(app: Dash, monitor: Monitor) -> None:
    """Let the light follow what the monitor knows."""
    kept = Cache[Health](1, lambda _: _SHARED)

    @app.callback(
        Output(LIGHT, "children"),
        Output(LIGHT, "title"),
        Output(_SEEN, "data"),
        Input(_CLOCK, "n_intervals"),
        State(_SEEN, "data"),
    )
    def show(_n: int | None, seen: str | None) -> Any:
        health = kept.get("now", lambda: judged(monitor))
        if repr(health) == seen:
            raise PreventUpdate
        return _told(health), "; ".join(health.reasons) or "services, files and prices are in order", repr(health)


def judged(monitor: Monitor) -> Health:
    """Judge how everything is; what cannot be judged is broken."""
    try:
        running = running_services(monitor.settings)
        failed = _failed_runs(monitor) if running else ()
        date = shown_date(monitor, NEWEST)
        if date is None:
            return health_of(running, (), 0, failed)
        lake = monitor.reader.lake
        parts = [part for table in SOLD for part in lake.partitions_on(table, date)]
        unproven = sum(not has_receipt(lake, part) for part in parts)
        return health_of(running, found_on(monitor, date), unproven, failed)
    except ShelfpriceError as error:
        return health_of(None, (), 0, trouble=str(error))


def _failed_runs(monitor: Monitor) -> tuple[str, ...]:
    """Return the runs that failed and whose flow has not completed since; a silent Prefect is a matter of services."""
    try:
        return tuple(f"{run.flow} {run.state.lower()}" for run in monitor.runs.last() if run.reason)
    except ServiceError:
        return ()


def _told(health: Health) -> list[Component]:
    """Say it in a mark, whose shape tells as much as its colour, and in a word."""
    marks = {"green": "✓", "amber": "!", "red": "✗"}
    mark = html.Span(marks[health.light], className=f"light light-{health.light}", **aria(hidden="true"))
    return [mark, html.Span(health.word, className="health-word")]
