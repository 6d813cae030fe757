"""The command that shows what was in force on a past day. It needs no orchestrator."""

import datetime as dt
from typing import Annotated

import typer

from catalog.settings import read_settings
from flows.cli.console import abbreviated, emit, show_table
from flows.cli.options import Json

Date = Annotated[dt.datetime, typer.Option(formats=["%Y-%m-%d"], help="Business date.")]


def history(date: Date, as_json: Json = False) -> None:
    """Show which catalog, data, model version and price book were in force on a past day.

    One row for each batch, and for each change of prices on a day that was sold live; --json has whole fingerprints.
    """
    from warehouse.history import past_day

    rows = past_day(read_settings(), date.date())
    if as_json:
        emit(rows)
        return
    table = [
        [
            row["batch"],
            row["since"],
            row["policy"],
            row["model_version"],
            row["champion"],
            row["book_made_for"],
            abbreviated(row["book_sha256"]),
            abbreviated(row["catalog"]),
            abbreviated(row["decisions_sha256"]),
            abbreviated(row["cells_sha256"]),
            row["seed"],
            row["code_version"],
        ]
        for row in rows
    ]
    names = ["batch", "from tick", "policy", "model", "champion", "book made for", "book", "catalog"]
    show_table(f"In force on {date:%Y-%m-%d}", [*names, "decisions", "features", "seed", "code"], table)
