"""The command that sells live, tick by tick."""

import datetime as dt
from typing import Annotated

import typer

from flows.cli.completion import known_stores
from flows.cli.console import emit, progress_bars, remark, show_table
from flows.cli.options import Catalog, Json, Seed, date_of, in_calendar, refuse_beyond_calendar, text_of
from flows.cli.origin import admit
from flows.cli.refusals import refuse_store
from flows.environment import orchestrated, prepare

Store = Annotated[str, typer.Option(help="Store of the catalog.", autocompletion=known_stores)]
Date = Annotated[
    dt.datetime | None,
    typer.Option(
        formats=["%Y-%m-%d"],
        metavar="DATE",
        callback=in_calendar,
        help="First business date; by default the open day, or the one after the store's newest.",
    ),
]
Speed = Annotated[
    float,
    typer.Option(min=0.2, max=10.0, metavar="SECONDS", help="Seconds from one tick to the next."),
]
Days = Annotated[int, typer.Option(min=1, max=36_500, help="Number of business dates.")]
Again = Annotated[bool, typer.Option("--again", help="Discard what was sold of an open day, and start it again.")]

_STOPPED = 130  # as after Ctrl-C


def live(
    store: Store = "S01",
    date: Date = None,
    speed: Speed = 1.0,
    days: Days = 1,
    seed: Seed = 7,
    again: Again = False,
    catalog: Catalog = None,
    as_json: Json = False,
) -> None:
    """Sell in one store tick by tick, publishing each tick; after a stop or a kill, the same command continues.

    Prices come from the book in force; a change of the catalog or of the book takes effect at the next tick.

    For example:
      shelfprice live --store S01 --speed 0.2
    """
    admit("twin")
    folder = text_of(catalog)
    if date:
        refuse_beyond_calendar(date, days)
    refuse_store(store, catalog)
    prepare()
    remark("Starting Prefect ...")
    with orchestrated("flows.live"), progress_bars():
        from flows.live import live as flow
        from flows.progress import hearing

        with hearing(remark):
            state = flow(store, date_of(date), speed, days, seed, folder, again, return_state=True)
    if state.is_cancelled():
        remark(f"{state.message}: shelfprice live --store {store}")
        raise typer.Exit(_STOPPED)
    sold = state.result()
    if as_json:
        emit({"days": [vars(day) for day in sold]})
        return
    from catalog.settings import read_settings
    from warehouse.lake import Lake
    from warehouse.money import money_of

    money = money_of(Lake(read_settings()))
    rows = [[str(day.business_date), day.decisions, day.units, day.revenue_eur] for day in sold]
    revenue = f"revenue, {money.code}"
    columns = ["day", "decisions", "units", revenue]
    show_table(f"Sold live by {store}", columns, rows, money=[revenue], digits=money.digits)
