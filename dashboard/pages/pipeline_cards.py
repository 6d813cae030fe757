"""The parts of the Pipeline page: runs, services, tables and rejected rows."""

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
import pandas as pd
from dash import html
from dash.development.base_component import Component

from dashboard.components import TOOLTIPS, aria, card, column, notice, stat, table
from dashboard.data.pipeline import LakeTable
from dashboard.formats import UNKNOWN, ago, count, day, duration, size
from dashboard.pages.overview_cards import told_of
from dashboard.prefect.runs import Kind, Run
from plugins.connect.labels.status import StoreStatus
from warehouse.origin import SOLD

if TYPE_CHECKING:
    from plugins.operations.up.states import Condition, RunningServices

_STATES: dict[Kind, tuple[str, str]] = {
    "done": ("✓", "teal"),
    "failed": ("✗", "red"),
    "running": ("▶", "ocean"),
    "waiting": ("…", "gray"),
}
_AGAIN = {"as-shipped": "shelfprice compare --as-shipped", "learn": "shelfprice train"}
_FOLLOWS = ("demand_cells", "visit_counts", "booked_prices")
"""Tables that a night makes of what was sold, or for the day after it."""


def run_list(newest: Sequence[Run], now: dt.datetime) -> Component:
    """List flow runs with state, duration and link: those that failed first, with the reason, then the newest first."""
    if not newest:
        return dmc.Text("No flow has run yet.", c="dimmed", size="sm")
    rows = []
    for run in sorted(newest, key=lambda run: run.kind != "failed"):
        link = dmc.Anchor(run.name, href=run.link, target="_blank", size="sm")
        rows.append(
            [link, run.flow, _badge(*_STATES[run.kind], run.state), ago(run.started_at, now), duration(run.seconds)]
        )
    listed = table(["Run", "Flow", "State", "Started", "Duration"], rows, numbers=(3, 4), width=640)
    return html.Div([*(_failure(run, now) for run in newest if run.reason), listed])


def _failure(run: Run, now: dt.datetime) -> Component:
    """Return the reason and time of a failed run, and its remedy."""
    when = f"{run.started_at:%d %b %Y, %H:%M} UTC" if run.started_at else "before it began"
    return notice(
        f"{run.flow} {run.state.lower()} {ago(run.started_at, now)}",
        f"{when}: {run.reason} Its log is behind the link of {run.name} below. Mend the cause, then run it again:",
        command=_AGAIN.get(run.flow, f"shelfprice {run.flow}"),
        mood="problem",
    )


def table_list(states: Sequence[LakeTable], now: dt.datetime) -> Component:
    """List tables with rows, newest date, when they were published last, and size, those without a receipt first.

    Those that nothing was sent to yet are named in one line.
    """
    used = [state for state in states if state.partitions or state.unproven]
    rows = [
        [
            html.Span(state.name, title=f"one row is {state.grain}", className="named"),
            count(state.rows),
            [count(state.partitions), *_unproven(state)],
            day(state.newest_date) if state.newest_date else UNKNOWN,
            ago(state.published_at, now),
            size(state.bytes),
        ]
        for state in sorted(used, key=lambda state: not state.unproven)
    ]
    names = ["Table", "Rows", "Partitions", "Newest date", "Published", "Size"]
    unused = [state.name for state in states if state not in used]
    Summary = html.Summary(f"{len(unused)} tables that nothing was sent to yet")
    folded = html.Details([Summary, dmc.Text(", ".join(unused), size="sm", c="dimmed")], className="unused")
    return html.Div([table(names, rows, numbers=(1, 2, 3, 4, 5), width=620), folded])


def troubles(states: Sequence[LakeTable], sent: Sequence[StoreStatus]) -> Component:
    """Say first what is late or failed in the lake and at the labels, or that nothing is."""
    named = {state.name: state for state in states}
    sold = max((named[table].newest_date or dt.date.min for table in SOLD), default=dt.date.min)
    late = {name: newest_date for name in _FOLLOWS if (newest_date := named[name].newest_date) and newest_date < sold}
    lines = [
        *(f"{state.name}: {count(state.unproven)} files without a receipt." for state in states if state.unproven),
        *(
            f"{name} ends on {day(newest_date)}, and days are sold through {day(sold)}."
            for name, newest_date in late.items()
        ),
        *([f"{count(named['rejected'].rows)} rows were rejected."] if named["rejected"].rows else []),
        *([told_of(sent)] if any(status.late or status.different for status in sent) else []),
    ]
    if not lines:
        mark = html.Span("✓", className="light light-green", **aria(hidden="true"))
        return html.Div([mark, "Nothing in the lake is late, unproven or rejected."], className="pipeline-fine")
    return card("Late or failed", html.Ul([html.Li(line) for line in lines], className="findings"))


def summary(states: Sequence[LakeTable], free_bytes: int, now: dt.datetime) -> Component:
    """Show decisions, rejected rows, freshness and disk in four numbers."""
    named = {state.name: state for state in states}
    sold = [named[table] for table in SOLD]
    kept, out = sum(state.rows for state in sold), named["rejected"].rows
    share = f"{100 * out / (kept + out):.2f} % of all rows read" if kept + out else "no rows read yet"
    published = max((state.published_at for state in states if state.published_at), default=None)
    newest = max((state.newest_date for state in sold if state.newest_date), default=None)
    what = "Decisions" if not sold[1].rows else "Decisions and unit sales"
    when = f"{published:%d %b %Y, %H:%M} UTC" if published else "never"
    stats = [
        stat(what, count(kept), None, f"through {day(newest)}" if newest else "none yet"),
        stat("Rejected rows", count(out), None, share),
        stat("Last published", ago(published, now), None, when),
        stat("Disk use", size(sum(state.bytes for state in states)), None, f"{size(free_bytes)} free"),
    ]
    return html.Div(stats, className="grid grid-4")


def rejected_rows(rows: pd.DataFrame) -> Component:
    """List rejected rows as they were read, each with its reason; text is shown literally."""
    text = {"minWidth": 320, "flex": 3, "tooltipField": "row_text"}
    columns: list[dict[str, Any]] = [
        {"field": "business_date", "headerName": "Date", "width": 120},
        {"field": "reason", "minWidth": 200, "flex": 1},
        {"field": "source", "minWidth": 140, "flex": 1},
        column("row_number", "Row", 100, is_number=True),
        {"field": "row_text", "headerName": "Row as read"} | text,
    ]
    shown = rows.assign(business_date=pd.to_datetime(rows["business_date"]).dt.strftime("%Y-%m-%d"))
    return dag.AgGrid(
        id="pipeline-rejected-rows",
        rowData=shown.to_dict(orient="records"),
        columnDefs=columns,
        defaultColDef=TOOLTIPS | {"sortable": True, "filter": True, "resizable": True},
        dashGridOptions={"enableCellTextSelection": True, "pagination": True, "paginationPageSize": 20},
        style={"height": 380},
    )


def not_ours(rows: pd.DataFrame) -> list[Component]:
    """List sales that are never learned from, by reason; nothing where there are none.

    Parameters
    ----------
    rows
        Rows of the query `not_ours`.
    """
    if rows.empty:
        return []
    numbers = ("units", "count_spans")
    listed = [
        [str(row["not_ours"]), *(count(row[name]) for name in numbers), day(pd.Timestamp(row["newest_date"]).date())]
        for row in rows.to_dict(orient="records")
    ]
    shown = table(["Reason", "Units", "Spans", "Newest date"], listed, numbers=(1, 2, 3), width=520)
    caption = (
        "Kept in the table exposures, and never learned from. `another price` means that the till charged something "
        "else than it was sent."
    )
    return [card("Sold at prices that were not ours", shown, caption=caption)]


def _badge(mark: str, ink: str, text: str) -> Component:
    return dmc.Badge(f"{mark} {text}", color=ink, variant="light", size="sm", tt="none")


def _unproven(state: LakeTable) -> list[Component]:
    if not state.unproven:
        return []
    return [dmc.Badge(f"{state.unproven} without receipt", color="red", variant="light", size="sm", tt="none", ml=6)]


_CONDITIONS: "dict[Condition, tuple[str, str, str]]" = {
    "answers": ("✓", "teal", "answers"),
    "starting": ("…", "gray", "starting"),
    "silent": ("✗", "red", "does not answer"),
    "restarting": ("↻", "yellow", "restarting"),
}


def service_list(running: "RunningServices | None", now: dt.datetime) -> Component:
    """List the services: how each is, since when, how often it was started again, and why."""
    if running is None:
        text = "The schedules, Prefect and MLflow do not run. Start them:"
        return notice("Not running", text, command="shelfprice up")
    rows = [
        [
            html.Span(one.name, title=one.purpose, className="named"),
            _badge(*_CONDITIONS[one.condition]),
            ago(one.since, now),
            count(one.recent_restarts(now)),
            one.reason or UNKNOWN,
        ]
        for one in sorted(running.services, key=lambda service: service.condition != "silent")
    ]
    names = ["Service", "State", "Since", "Restarts in the last hour", "Why it was started again last"]
    return table(names, rows, numbers=(2, 3), width=640)
