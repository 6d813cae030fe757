"""What the Pipeline page shows: runs, tables, rejected rows and the proof of the lake."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
import pandas as pd
from dash import html
from dash.development.base_component import Component

from dashboard.components import aria, notice, stat
from dashboard.data.verification import Check
from dashboard.prefect.runs import Kind, Run
from dashboard.tables import TableState
from dashboard.theme import count, day

_NOTHING = "–"
_STATES: dict[Kind, tuple[str, str]] = {
    "done": ("✓", "teal"),
    "failed": ("✗", "red"),
    "going": ("▶", "ocean"),
    "waiting": ("…", "gray"),
}
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_UNITS = ("B", "kB", "MB", "GB", "TB")
_THOUSAND = 1_000
_FINDINGS_SHOWN = 20


def runs(newest: Sequence[Run], now: dt.datetime) -> Component:
    """List flow runs with state, duration and link, the newest first."""
    if not newest:
        return dmc.Text(
            "The orchestrator has no runs yet; the next command or schedule makes one.", c="dimmed", size="sm"
        )
    rows = [
        [
            dmc.Anchor(run.name, href=run.link, target="_blank", size="sm"),
            run.flow,
            _state(run),
            ago(run.started_at, now),
            duration(run.seconds),
        ]
        for run in newest
    ]
    return _table(["Run", "Flow", "State", "Started", "Took"], rows, numbers=(3, 4), width=640)


def tables(states: Sequence[TableState], now: dt.datetime) -> Component:
    """List tables with rows, newest date, when they were published last, and size."""
    rows = [
        [
            html.Span(state.name, title=f"one row is {state.grain}", className="named"),
            count(state.rows),
            [count(state.partitions), *_unproven(state)],
            day(state.newest_date) if state.newest_date else _NOTHING,
            ago(state.published_at, now),
            size(state.bytes),
        ]
        for state in states
    ]
    return _table(
        ["Table", "Rows", "Parts", "Newest date", "Published", "Size"], rows, numbers=(1, 2, 3, 4, 5), width=620
    )


def summary(states: Sequence[TableState], free_bytes: int, now: dt.datetime) -> Component:
    """Show decisions, rejected rows, freshness and disk in four numbers."""
    named = {state.name: state for state in states}
    kept, out = named["interactions"].rows, named["rejected"].rows
    share = f"{100 * out / (kept + out):.2f} % of what came in" if kept + out else "nothing came in yet"
    published = max((state.published_at for state in states if state.published_at), default=None)
    newest = named["interactions"].newest_date
    return html.Div(
        [
            stat("Decisions", count(kept), None, f"through {day(newest)}" if newest else "none yet"),
            stat("Rejected rows", count(out), None, share),
            stat(
                "Last published",
                ago(published, now),
                None,
                f"{published:%d %b %Y, %H:%M} UTC" if published else "nothing yet",
            ),
            stat("On the disk", size(sum(state.bytes for state in states)), None, f"{size(free_bytes)} free"),
        ],
        className="grid grid-4",
    )


def rejected_rows(rows: pd.DataFrame) -> Component:
    """List bad rows as they came, each with its reason; text is shown literally."""
    columns: list[dict[str, Any]] = [
        {"field": "business_date", "headerName": "Date", "width": 120},
        {"field": "reason", "minWidth": 200, "flex": 1},
        {"field": "source", "minWidth": 140, "flex": 1},
        {"field": "row_number", "headerName": "Row", "type": "rightAligned", "width": 100},
        {
            "field": "row_text",
            "headerName": "The row as it came",
            "minWidth": 320,
            "flex": 3,
            "tooltipField": "row_text",
        },
    ]
    shown = rows.assign(business_date=pd.to_datetime(rows["business_date"]).dt.strftime("%Y-%m-%d"))
    return dag.AgGrid(
        id="pipeline-rejected-rows",
        rowData=shown.to_dict(orient="records"),
        columnDefs=columns,
        defaultColDef={"sortable": True, "filter": True, "resizable": True},
        dashGridOptions={"enableCellTextSelection": True, "pagination": True, "paginationPageSize": 20},
        style={"height": 380},
    )


def proof(check: Check, now: dt.datetime) -> Component:
    """Show where the check of the lake stands: going on, sound, or what is wrong with the remedy."""
    if check.running:
        part = 100 * check.done / check.total if check.total else 0
        return html.Div(
            [
                dmc.Progress(value=part, animated=True, **aria(label="Files checked")),
                dmc.Text(f"{check.done:,} of {check.total:,} files checked", size="sm", c="dimmed", mt=6),
            ]
        )
    if check.failure:
        return notice("The check did not come to its end", check.failure, command="shelfprice verify", mood="problem")
    verdict = check.verdict
    if verdict is None:
        said = "Not checked since the monitor was started. Each file is held against its receipt, byte by byte."
        return dmc.Text(said, size="sm", c="dimmed")
    busy = f", {verdict.being_written} being written and left out" if verdict.being_written else ""
    counted = f"{verdict.files:,} files, {verdict.rows:,} rows{busy}; checked {ago(check.finished_at, now)}."
    if not verdict.findings:
        return notice("Sound", f"Every file is as it was published: {counted}")
    lines = [
        html.Li([html.Code(finding.path.name), f" in {finding.path.parent.name} is {finding.kind}: {finding.message}"])
        for finding in verdict.findings[:_FINDINGS_SHOWN]
    ]
    more = len(verdict.findings) - len(lines)
    return html.Div(
        [
            notice(
                f"{len(verdict.findings)} of {verdict.files:,} files are not as they were published",
                f"{counted} Setting them aside lets the good ones go on; then make those batches again.",
                command="shelfprice verify --set-aside",
                mood="problem",
            ),
            html.Ul([*lines, *([html.Li(f"and {more} more")] if more else [])], className="findings"),
        ]
    )


def ago(moment: dt.datetime | None, now: dt.datetime) -> str:
    """Write how long ago something was."""
    if moment is None:
        return _NOTHING
    seconds = max((now - moment).total_seconds(), 0)
    if seconds < _MINUTE:
        return "just now"
    for length, unit in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
        if seconds >= length:
            n = int(seconds // length)
            return f"{n} {unit}{'' if n == 1 else 's'} ago"
    raise AssertionError


def duration(seconds: float) -> str:
    """Write a duration: `12.3 s`, `4 min 05 s`, `2 h 10 min`."""
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    if seconds < _HOUR:
        return f"{int(seconds // _MINUTE)} min {int(seconds % _MINUTE):02d} s"
    return f"{int(seconds // _HOUR)} h {int(seconds % _HOUR // _MINUTE):02d} min"


def size(n_bytes: float) -> str:
    """Write a size on the disk: `12.3 MB`."""
    unit = 0
    while n_bytes >= _THOUSAND and unit < len(_UNITS) - 1:
        n_bytes, unit = n_bytes / _THOUSAND, unit + 1
    return f"{n_bytes:.0f} {_UNITS[unit]}" if unit == 0 else f"{n_bytes:.1f} {_UNITS[unit]}"


def _state(run: Run) -> Component:
    mark, drawn = _STATES[run.kind]
    return dmc.Badge(f"{mark} {run.state}", color=drawn, variant="light", size="sm", tt="none")


def _unproven(state: TableState) -> list[Component]:
    if not state.unproven:
        return []
    return [dmc.Badge(f"{state.unproven} without receipt", color="red", variant="light", size="sm", tt="none", ml=6)]


def _table(names: Sequence[str], rows: Sequence[Sequence[Any]], *, numbers: Sequence[int], width: int) -> Component:
    kinds = ["number" if position in numbers else "" for position in range(len(names))]
    head = dmc.TableTr([dmc.TableTh(name, className=kind) for name, kind in zip(names, kinds, strict=True)])
    body = [
        dmc.TableTr([dmc.TableTd(cell, className=kind) for cell, kind in zip(row, kinds, strict=True)]) for row in rows
    ]
    table = dmc.Table([dmc.TableThead(head), dmc.TableTbody(body)], verticalSpacing=6, className="figures-table")
    return dmc.TableScrollContainer(table, minWidth=width, type="native")
