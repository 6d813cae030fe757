"""The Pipeline page: what ran, what stands in the lake, what was kept out, and whether every byte is proven."""

import datetime as dt
import shutil
from functools import lru_cache
from typing import Any, cast

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from catalog.contracts import TABLES
from catalog.errors import ServiceError
from dashboard.components import aria, card, empty, heading, notice
from dashboard.data.reading import Stamp
from dashboard.data.verification import Verification
from dashboard.figures import pipeline as figures
from dashboard.monitor import Monitor, Page
from dashboard.prefect.runs import Runs
from dashboard.sections import pipeline as sections
from dashboard.sections.chart import chart
from dashboard.shell import SCHEME
from dashboard.tables import TableState, table_states
from dashboard.theme import Scheme

_LOOK_AGAIN = 5_000  # milliseconds
_WHILE_CHECKING = 500  # milliseconds
_RUNS = 12
_ROWS = 500  # rejected rows in the grid


def layout(monitor: Monitor) -> Component:
    """Build the frame of the page; what it shows comes with the first callbacks."""
    return html.Div(
        [
            heading("Pipeline", "What ran, what stands in the lake, and what was kept out of it."),
            dcc.Interval(id="pipeline-clock", interval=_LOOK_AGAIN),
            dcc.Interval(id="pipeline-verify-clock", interval=_LOOK_AGAIN),
            dcc.Store(id="pipeline-seen"),
            html.Div(
                [
                    html.Div(id="pipeline-summary"),
                    html.Div(
                        [
                            card("Last runs", html.Div(dmc.Skeleton(height=160), id="pipeline-runs")),
                            _proof_card(has_lake=monitor.settings.lake.is_dir()),
                        ],
                        className="grid wide-narrow",
                    ),
                    html.Div(dmc.Skeleton(height=320, radius="md"), id="pipeline-body", className="stack"),
                ],
                className="stack",
            ),
        ]
    )


def wire(app: Dash, monitor: Monitor) -> None:
    """Register the page's callbacks."""
    runs = Runs(monitor.settings.prefect_api)
    verification = Verification(monitor.settings, _now)

    @lru_cache(maxsize=1)
    def states_at(_stamp: Stamp, _minute: str) -> tuple[TableState, ...]:
        return table_states(monitor.settings)

    @app.callback(Output("pipeline-runs", "children"), Input("pipeline-clock", "n_intervals"))
    def show_runs(_n: int | None) -> Any:
        try:
            return sections.runs(runs.last(_RUNS), _now())
        except ServiceError as error:
            return notice(
                "The orchestrator is away",
                f"{str(error).capitalize()}. Start it:",
                command="shelfprice up",
                mood="warning",
            )

    @app.callback(
        Output("pipeline-summary", "children"),
        Output("pipeline-body", "children"),
        Output("pipeline-seen", "data"),
        Input("pipeline-clock", "n_intervals"),
        Input(SCHEME, "data"),
        State("pipeline-seen", "data"),
    )
    def fill(_n: int | None, scheme: str | None, seen: str | None) -> Any:
        if not monitor.settings.warehouse_file.exists():
            nothing = empty("No data yet", "The lake is empty: nothing was simulated or ingested.", "shelfprice demo")
            return (no_update, no_update, no_update) if seen == "" else (None, nothing, "")
        stamp, minute = monitor.reader.stamp(*TABLES), f"{_now():%H:%M}"  # every minute, for what says how long ago
        now = f"{scheme} {stamp} {minute}"
        if now == seen:
            return no_update, no_update, no_update
        states = states_at(stamp, minute)
        free = shutil.disk_usage(monitor.settings.home).free
        return sections.summary(states, free, _now()), _body(monitor, states, cast("Scheme", scheme or "light")), now

    @app.callback(
        Output("pipeline-proof", "children"),
        Output("pipeline-verify", "loading"),
        Output("pipeline-verify-clock", "interval"),
        Input("pipeline-verify", "n_clicks"),
        Input("pipeline-verify-clock", "n_intervals"),
    )
    def prove(clicks: int | None, _n: int | None) -> Any:
        if clicks and ctx.triggered_id == "pipeline-verify":
            verification.start()
        check = verification.check
        return sections.proof(check, _now()), check.running, _WHILE_CHECKING if check.running else _LOOK_AGAIN


def _body(monitor: Monitor, states: tuple[TableState, ...], scheme: Scheme) -> list[Component]:
    return [
        html.Div(
            [
                card(
                    "Tables",
                    sections.tables(states, _now()),
                    caption="From the receipts. Look for a newest date that stays behind, or parts without receipt.",
                ),
                card(
                    "Disk use",
                    chart("pipeline-disk", "Size of each table", figures.disk_use(states, scheme)),
                    caption="Look for a table that outgrows the decisions it comes from.",
                ),
            ],
            className="grid wide-narrow",
        ),
        _rejected_card(monitor, scheme),
    ]


def _rejected_card(monitor: Monitor, scheme: Scheme) -> Component:
    title = "Rejected rows"
    reasons = monitor.reader.ask("rejected_by_reason", ("rejected",))
    if reasons.empty:
        return card(title, dmc.Text("None: every row that came in was valid.", c="dimmed", size="sm"))
    rows = monitor.reader.ask("rejected_rows", ("rejected",), n_rows=_ROWS)
    return card(
        title,
        chart("pipeline-reasons", "Rows kept out by reason", figures.rejected(reasons, scheme)),
        sections.rejected_rows(rows),
        caption=f"Kept aside and never priced on; the newest {_ROWS} are listed. Look for one reason that grows.",
    )


def _proof_card(*, has_lake: bool) -> Component:
    button = dmc.Button("Verify now", id="pipeline-verify", variant="default", size="xs", disabled=not has_lake)
    return card("Proof of the lake", html.Div(id="pipeline-proof", **aria(live="polite")), right=button)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


PAGE = Page("pipeline", "/pipeline", "Pipeline", "pipeline", 5, layout, wire)
