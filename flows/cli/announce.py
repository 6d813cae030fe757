"""The command that tells what is known of dates to come."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.command import command
from flows.cli.console import emit, remark
from flows.cli.options import Catalog, Json, text_of

File = Annotated[Path, typer.Argument(help="CSV: date, store (empty: all), and event or temperature.", metavar="FILE")]


@command("lake", when_stopped="stopped; either all of the file was taken in or nothing: run the same command again")
def announce(file: File, catalog: Catalog = None, as_json: Json = False) -> None:
    """Take in announced events and the weather of dates, which models may learn demand from.

    A file says all there is of its dates, so a corrected one takes the place of the first; docs/context.md has more.

    For example:
      shelfprice announce events.csv
    """
    from etl.announced import take_in
    from flows.workspace import open_workspace

    workspace = open_workspace(text_of(catalog))
    found = take_in(workspace.lake, workspace.catalog, file)
    if as_json:
        emit(vars(found))
    else:
        remark(f"{file}: taken in; dates: {found.dates}, events: {found.events}, temperatures: {found.weather}")
