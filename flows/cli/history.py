"""The command that shows what was in force on a past day. It needs no orchestrator."""

import datetime as dt
from typing import Annotated

import typer

from catalog.settings import read_settings
from flows.cli.console import abbreviated, emit, show_table
from flows.cli.options import Json, in_calendar

Date = Annotated[
    dt.datetime, typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="Business date.", callback=in_calendar)
]


def history(date: Date, as_json: Json = False) -> None:
    """Show which catalog, data, model version and price book were in force on a past day.

    One row for each batch, and for each change of prices on a day that was sold live; --json has whole fingerprints.

    For example:
      shelfprice history --date 2026-01-12
    """
    from warehouse.history import past_day

    rows = past_day(read_settings(), date.date())
    if as_json:
        emit({"date": date.date(), "in_force": rows})
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
