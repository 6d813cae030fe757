"""The Pipeline page: what runs and ran, what is in the lake, and what was rejected."""

import datetime as dt
import shutil
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from catalog.errors import ServiceError
from catalog.tables.contracts import TABLES
from dashboard.cache import Cache
from dashboard.components import SCHEME, card, chart, heading, notice, scheme_of
from dashboard.data.notices import running_services
from dashboard.data.pipeline import LakeTable, table_states
from dashboard.figures import pipeline as figures
from dashboard.monitor import Monitor, Page
from dashboard.pages import pipeline_cards as cards
from dashboard.pages.overview_cards import READ, label_cards, no_data
from dashboard.pages.pipeline_cards import service_list
from dashboard.theme import Scheme
from plugins.connect.labels.status import StoreStatus, status
from warehouse.commits.locks import UP, is_held

_LOOK_AGAIN = 5_000  # milliseconds
_ROWS = 500  # rejected rows in the grid


def layout(_monitor: Monitor) -> Component:
    """Build the frame of the page; what it shows comes with the first callbacks."""
    caption = "A service that exits or hangs is started again. Look for one that restarts often."
    services = html.Div(dmc.Skeleton(height=120), id="pipeline-services")
    parts = [
        html.Div(id="pipeline-summary"),
        card("Last runs", html.Div(dmc.Skeleton(height=160), id="pipeline-runs")),
        card("Services", services, caption=caption),
        html.Div(dmc.Skeleton(height=320, radius="md"), id="pipeline-content", className="stack"),
    ]
    says = "What ran, what labels show, what is in the lake, and which rows were rejected."
    clock = dcc.Interval(id="pipeline-clock", interval=_LOOK_AGAIN)
    return html.Div(
        [heading("Pipeline", says), clock, dcc.Store(id="pipeline-seen"), html.Div(parts, className="stack")]
    )


def wire(app: Dash, monitor: Monitor) -> None:
    """Register the page's callbacks."""
    _wire_runs(app, monitor)
    _wire_services(app, monitor)
    _wire_content(app, monitor)


def _wire_runs(app: Dash, monitor: Monitor) -> None:
    @app.callback(Output("pipeline-runs", "children"), Input("pipeline-clock", "n_intervals"))
    def show_runs(_n: int | None) -> Any:
        try:
            return cards.run_list(monitor.runs.last(), _now())
        except ServiceError as error:
            title = "Prefect does not answer"
            if is_held(monitor.settings.locks, UP):
                return notice(title, f"{error}. `shelfprice up` starts it again, see Services below.", mood="warning")
            return notice(title, f"{error}. Start it:", command="shelfprice up", mood="warning")


def _wire_services(app: Dash, monitor: Monitor) -> None:
    @app.callback(Output("pipeline-services", "children"), Input("pipeline-clock", "n_intervals"))
    def show_services(_n: int | None) -> Any:
        try:
            return service_list(running_services(monitor.settings), _now())
        except ServiceError as error:
            return notice("How the services are is unknown", str(error), mood="warning")


def _wire_content(app: Dash, monitor: Monitor) -> None:
    kept, labels = Cache[tuple[LakeTable, ...]](1), Cache[list[StoreStatus]](1)

    @app.callback(
        Output("pipeline-summary", "children"),
        Output("pipeline-content", "children"),
        Output("pipeline-seen", "data"),
        Input("pipeline-clock", "n_intervals"),
        Input(SCHEME, "data"),
        State("pipeline-seen", "data"),
    )
    def fill(_n: int | None, scheme: str | None, seen: str | None) -> Any:
        if not monitor.settings.warehouse_file.exists():
            nothing = no_data(monitor, "No data yet", "The lake is empty: nothing was simulated or ingested.")
            return (no_update, no_update, no_update) if seen == "" else (None, nothing, "")
        stamp, minute = monitor.reader.stamp(*TABLES), f"{_now():%H:%M}"  # every minute, for what says how long ago
        now = f"{scheme} {stamp} {minute}"
        if now == seen:
            return no_update, no_update, no_update
        states = kept.get("tables", lambda: table_states(monitor.settings), lambda: (stamp, minute))
        free = shutil.disk_usage(monitor.settings.home).free
        sent = labels.get(
            "status", lambda: status(monitor.desk.workspace), lambda: (monitor.reader.stamp(*READ), minute)
        )
        shown = [*label_cards(sent), *content(monitor, states, scheme_of(scheme))]
        summary = html.Div([cards.troubles(states, sent), cards.summary(states, free, _now())], className="stack")
        return summary, shown, now


def content(monitor: Monitor, states: tuple[LakeTable, ...], scheme: Scheme) -> list[Component]:
    """Draw tables, disk use and rejected rows as they are now."""
    from_receipts = "From the receipts. Look for a newest date that lags, or partitions without a receipt."
    disk = chart("pipeline-disk", "Size of each table", figures.disk_use(states, scheme))
    grows = "Look for a table that grows faster than its decisions."
    of_this_day = [
        card("Tables", cards.table_list(states, _now()), caption=from_receipts),
        card("Disk use", disk, caption=grows),
    ]
    not_ours = (
        cards.not_ours(monitor.reader.ask("not_ours", ("exposures",))) if monitor.reader.dates("exposures") else []
    )
    return [html.Div(of_this_day, className="grid wide-narrow"), rejected_card(monitor, scheme), *not_ours]


def rejected_card(monitor: Monitor, scheme: Scheme) -> Component:
    """Show why rows were rejected, and the newest of them."""
    title = "Rejected rows"
    reasons = monitor.reader.ask("rejected_by_reason", ("rejected",))
    if reasons.empty:
        return card(title, dmc.Text("None: every row was valid.", c="dimmed", size="sm"))
    rows = monitor.reader.ask("rejected_rows", ("rejected",), n_rows=_ROWS)
    return card(
        title,
        chart("pipeline-reasons", "Rejected rows by reason", figures.rejected(reasons, scheme)),
        cards.rejected_rows(rows),
        caption=f"Rejected rows are kept but never used. The newest {_ROWS} are listed. Look for a reason that grows.",
    )


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


PAGE = Page("pipeline", "/pipeline", "Pipeline", "pipeline", 5, layout, wire)
