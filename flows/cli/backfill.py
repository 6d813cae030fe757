"""The command that fills gaps between two business dates."""

import datetime as dt
from typing import Annotated

import typer

from flows.cli.console import emit, progress_bars, show_table
from flows.cli.options import Catalog, Json, Seed, in_calendar, text_of
from flows.cli.origin import admit
from flows.cli.refusals import refuse_dates_backwards, refuse_night_with_gap
from flows.environment import orchestrated, prepare

First = Annotated[
    dt.datetime,
    typer.Option("--start", formats=["%Y-%m-%d"], metavar="DATE", help="First business date.", callback=in_calendar),
]
Last = Annotated[
    dt.datetime,
    typer.Option("--end", formats=["%Y-%m-%d"], metavar="DATE", help="Last business date.", callback=in_calendar),
]
Force = Annotated[
    bool, typer.Option("--force", help="Rebuild everything between the dates; equal inputs give the same bytes.")
]


def backfill(
    start: First,
    end: Last,
    force: Force = False,
    seed: Seed = 7,
    catalog: Catalog = None,
    as_json: Json = False,
) -> None:
    """Fill what is missing or stale between two business dates, in order, and leave the rest alone.

    Missing days are played at the prices in force on them, demand cells are brought up to date with their decisions,
    and the day after the newest is priced. After a stop or a kill, run the same command again to continue.

    For example:
      shelfprice backfill --start 2026-01-05 --end 2026-01-18
    """
    folder = text_of(catalog)
    refuse_dates_backwards(start.date(), end.date())
    refuse_night_with_gap(start.date())
    admit("twin")
    prepare()
    with orchestrated(), progress_bars():
        from flows.backfill import backfill as flow

        filled = flow(start.date(), end.date(), force, seed, folder)
    if as_json:
        emit({"dates": [vars(day) for day in filled]})
        return
    rows = [[day.business_date, day.decisions, day.cells, day.prices] for day in filled]
    title = f"Business dates {start:%Y-%m-%d} to {end:%Y-%m-%d}"
    show_table(title, ["date", "decisions", "demand cells", "prices of the day after"], rows)
