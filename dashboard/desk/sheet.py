"""The panel in which the desk's table is downloaded as a sheet, and a sheet is looked at and recorded."""

import time
from base64 import b64decode
from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from catalog.errors import DataError, ShelfpriceError
from dashboard.components import aria, drawer, table
from dashboard.data.desk import acts
from dashboard.data.desk.price_desk import PriceDesk
from dashboard.data.desk.rows import sheet_of
from dashboard.data.desk.table import DeskQuestion
from dashboard.desk.controls import DONE, SAID, filter_states, problem, told
from dashboard.formats import count, euros
from plugins.desk.price_sheets.files import KINDS, MOST_BYTES
from plugins.desk.price_sheets.lines import SheetLine

PANEL, UPLOAD, FOUND, WHY, ANYWAY, BELOW_COST, RECORD, REFUSED, FILE = (
    "desk-sheet", "desk-sheet-upload", "desk-sheet-found", "desk-sheet-why", "desk-sheet-anyway",
    "desk-sheet-below-cost", "desk-sheet-record", "desk-sheet-refused", "desk-sheet-file",
)  # fmt: skip
_DOWNLOADS = {kind: f"desk-sheet-{kind}" for kind in KINDS}
_MOST_LISTED = 50


def sheet_panel() -> Component:
    """Place the panel, which `assets/desk.js` opens."""
    looks: dict[str, Any] = {"className": "desk-upload", "max_size": MOST_BYTES, "accept": ".csv,.xlsx"}
    downloads = [
        dmc.Button(f"Download as {kind.upper()}", id=name, variant="default") for kind, name in _DOWNLOADS.items()
    ]
    parts = [
        dmc.Text("1. Download the prices that the filters find, unchanged ones too.", size="sm"),
        html.Div(downloads, className="desk-buttons"),
        dcc.Download(id=FILE),
        dmc.Text("2. Fill in new_price, and from and through for dates. Other lines set nothing.", size="sm"),
        dmc.Text("3. Upload it, look at what each line would set, then record all of it or none.", size="sm"),
        html.Label(dcc.Upload(html.Span("Upload prices…"), id=UPLOAD, **looks)),
        html.Div(id=FOUND, **aria(live="polite")),
        dmc.TextInput(id=WHY, label="Reason", placeholder="prices of the spring leaflet", required=True),
        dmc.Checkbox(id=ANYWAY, label="Record it despite what speaks against it", checked=False),
        dmc.Checkbox(id=BELOW_COST, label="Accept prices below floor and cost", checked=False),
        html.Div(id=REFUSED, role="alert"),
        dmc.Button("Record", id=RECORD),
    ]
    return drawer(PANEL, "Prices in a sheet", parts, size="xl")


def wire_sheet(app: Dash, desk: PriceDesk) -> None:
    """Register what downloads the table, and shows and records a sheet."""

    @app.callback(
        output=Output(FILE, "data"),
        inputs={"_clicks": [Input(name, "n_clicks") for name in _DOWNLOADS.values()]},
        state=filter_states(),
        prevent_initial_call=True,
    )
    def download(*, _clicks: list[int | None], **query: Any) -> Any:
        kind = next((kind for kind, name in _DOWNLOADS.items() if name == ctx.triggered_id), None)
        if kind is None or not any(_clicks):
            raise PreventUpdate
        rows = DeskQuestion(**query).matching(desk.sheet().rows)
        return dcc.send_bytes(sheet_of(rows, kind), f"prices.{kind}")  # type: ignore[attr-defined,no-untyped-call]

    @app.callback(
        Output(FOUND, "children"),
        Output(REFUSED, "children", allow_duplicate=True),
        Input(UPLOAD, "contents"),
        prevent_initial_call=True,
    )
    def show(contents: str | None) -> Any:
        if not contents:
            return [], None
        try:
            return preview_of_lines(acts.look_at_sheet(desk, _bytes_of(contents))), None
        except ShelfpriceError as error:
            return problem(str(error)), None

    _wire_record(app, desk)


def _wire_record(app: Dash, desk: PriceDesk) -> None:
    @app.callback(
        Output(SAID, "children", allow_duplicate=True),
        Output(DONE, "data", allow_duplicate=True),
        Output(PANEL, "opened"),
        Output(REFUSED, "children"),
        Output(UPLOAD, "contents"),
        Input(RECORD, "n_clicks"),
        Input(WHY, "n_submit"),
        State(UPLOAD, "contents"),
        State(WHY, "value"),
        State(ANYWAY, "checked"),
        State(BELOW_COST, "checked"),
        prevent_initial_call=True,
    )
    def record(
        _clicks: int, _enter: int, contents: str | None, why: str | None, anyway: object, below_cost: object
    ) -> Any:
        if not ctx.triggered or not ctx.triggered[0]["value"]:
            raise PreventUpdate
        accepted = {"ignore_conflicts": bool(anyway), "below_cost": bool(below_cost)}
        message, is_done = told(lambda: acts.record_sheet(desk, _bytes_of(contents), why or "", **accepted))
        if not is_done:
            return no_update, no_update, True, message, no_update
        return message, int(1_000 * time.time()), False, None, None


def _bytes_of(contents: object) -> bytes:
    """Return what a browser sends of a file, `data:...;base64,...`."""
    try:
        return b64decode(str(contents or "").split(",", 1)[1], validate=True)
    except (ValueError, IndexError):
        raise DataError("expected a sheet, found none; nothing was recorded: upload one") from None


def preview_of_lines(lines: Sequence[SheetLine]) -> list[Component]:
    """Say what the lines of a sheet would set, those with something against them first."""
    wrong = sum(bool(line.problems) for line in lines)
    against = f"{count(wrong)} with something against them" if wrong else "nothing speaks against them"
    head = dmc.Text(f"{count(len(lines))} lines set a price, {against}.", size="sm", fw=600)
    listed = sorted(lines, key=lambda line: not line.problems)[:_MOST_LISTED]
    more = len(lines) - len(listed)
    rest = [dmc.Text(f"and {count(more)} more", size="sm", c="dimmed")] if more else []
    names = ("Line", "Store", "SKU", "New price", "From", "Through", "Speaks against it")
    return [head, table(names, [_cells(line) for line in listed], numbers=(0, 3, 4, 5), width=600), *rest]


def _cells(line: SheetLine) -> list[Component | str]:
    written = [line.said.get(name, "") for name in ("store", "sku", "new_price", "from", "through")]
    if line.request is not None and line.request.price is not None:
        written[2] = euros(line.request.price)
    return [str(line.number), *written, html.Div([html.Div(problem, className="falling") for problem in line.problems])]
