"""The commands that serve the monitor, and bring the table of its desk into a sheet and back."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from catalog.settings import read_settings
from flows.cli.command import RUN_AGAIN, Catalog, Json, command, not_empty, refuse_unwritable, text_of
from flows.cli.console import emit, remark, say, show_table

if TYPE_CHECKING:
    from plugins.desk.price_sheets.lines import SheetLine

Host = Annotated[
    str | None,
    typer.Option(
        help="Address to listen on; any other than this machine's own needs a credential.",
        callback=not_empty,
        show_default="that of SHELFPRICE_MONITOR_ADDRESS, or 127.0.0.1",
    ),
]
Port = Annotated[
    int | None,
    typer.Option(
        min=1, max=65_535, help="Port to listen on.", show_default="that of SHELFPRICE_MONITOR_ADDRESS, or 8050"
    ),
]


@command("services", when_stopped="stopped; the monitor can be started again at any time")
def monitor(host: Host = None, port: Port = None, catalog: Catalog = None) -> None:
    """Serve the monitor, which shows live sales and explains each price. Ctrl-C stops it.

    For example:
      shelfprice monitor --port 8060
    """
    from dashboard.listening import credential_for, refuse_taken

    settings = read_settings()
    host, port = host or settings.monitor.host, port or settings.monitor.port
    credential_for(host, settings)
    text_of(catalog)
    refuse_taken(host, port)
    from dashboard.server import serve
    from flows.environment import prepare

    shown = f"[{host}]" if ":" in host else host
    remark(f"the monitor is at http://{shown}:{port}; Ctrl-C stops it")
    serve(prepare(), host, port, catalog)


Direction = Annotated[Literal["export", "import"], typer.Argument(help="export: write the file; import: read it.")]
SheetFile = Annotated[Path, typer.Argument(help="A file that ends in .csv or .xlsx.")]
SheetReason = Annotated[
    str | None, typer.Option("--reason", help="Why, in a sentence; an import needs it.", callback=not_empty)
]
Preview = Annotated[bool, typer.Option("--preview", help="List what each line would set, and record nothing.")]
SheetAnyway = Annotated[bool, typer.Option("--anyway", help="Record it despite what speaks against it.")]
SheetBelowCost = Annotated[bool, typer.Option("--below-cost", help="Accept prices below the floor or the cost.")]


@command("desk", when_stopped=RUN_AGAIN)
def sheet(
    direction: Direction,
    file: SheetFile,
    preview: Preview = False,
    reason: SheetReason = None,
    anyway: SheetAnyway = False,
    below_cost: SheetBelowCost = False,
    catalog: Catalog = None,
    as_json: Json = False,
) -> None:
    """Write the desk's table of prices as CSV or XLSX, and set the prices that are filled in there, all or none.

    Fill in `new_price`, and `from` and `through` for dates; lines without a new price are passed over. An import names
    each line that speaks against itself: an unknown product, a price below cost, another order that holds.

    For example:
      shelfprice sheet export prices.xlsx
      shelfprice sheet import prices.xlsx --preview
      shelfprice sheet import prices.xlsx --reason "prices of the spring leaflet"
    """
    from dashboard.data.desk import acts
    from dashboard.data.desk.price_desk import PriceDesk
    from dashboard.data.desk.rows import sheet_of
    from dashboard.data.reader import Reader
    from dashboard.formats import show_in
    from flows.workspace import open_workspace
    from plugins.desk.price_sheets.files import KINDS, MOST_BYTES

    kind = file.suffix.lower().removeprefix(".")
    if direction == "export" and kind not in KINDS:
        raise typer.BadParameter(f"expected a name that ends in .csv or .xlsx, found {file.name!r}")
    if direction == "import" and not preview and reason is None:
        raise typer.BadParameter("expected --reason or --preview, found neither")
    workspace = open_workspace(text_of(catalog))
    show_in(workspace.catalog.store.money, workspace.catalog.store.names)
    desk = PriceDesk(workspace.settings, Reader(workspace.settings), lambda: workspace.catalog)
    if direction == "export":
        refuse_unwritable(file)
        rows = desk.sheet().rows
        file.write_bytes(sheet_of(rows, kind))
        emit({"file": str(file), "rows": len(rows)}) if as_json else say(f"{file}: {len(rows):,} prices.")
        return
    with file.open("rb") as handle:
        content = handle.read(MOST_BYTES + 1)
    if preview:
        _show_lines(acts.look_at_sheet(desk, content), as_json=as_json)
        return
    outcome = acts.record_sheet(desk, content, reason or "", ignore_conflicts=anyway, below_cost=below_cost)
    emit({"said": outcome}) if as_json else say(outcome)


def _show_lines(lines: "Sequence[SheetLine]", *, as_json: bool) -> None:
    if as_json:
        emit({"lines": [{"line": line.number, **line.said, "speaks_against_it": line.problems} for line in lines]})
        return
    names = ("store", "sku", "new_price", "from", "through")
    listed = [[line.number, *(line.said.get(name, "") for name in names), "; ".join(line.problems)] for line in lines]
    show_table(f"{len(lines)} lines with a new price, none recorded", ["line", *names, "speaks against it"], listed)


COMMANDS = (monitor, sheet)
