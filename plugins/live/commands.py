"""The command that sells a store's days live."""

import datetime as dt
from typing import Annotated

import typer

from catalog.settings import read_settings
from flows.cli.command import (
    Catalog,
    Days,
    Json,
    Seed,
    command,
    date_of,
    date_option,
    known_stores,
    refuse_beyond_calendar,
    text_of,
)
from flows.cli.console import emit, remark, show_table
from flows.cli.failures import admit

Store = Annotated[str, typer.Option(help="Store of the catalog.", autocompletion=known_stores)]
Selling = Annotated[
    dt.datetime | None,
    date_option(help="First business date; by default the open day, or the one after the store's newest."),
]
Speed = Annotated[float, typer.Option(min=0.2, max=10.0, metavar="SECONDS", help="Seconds from one tick to the next.")]
Again = Annotated[bool, typer.Option("--again", help="Discard what was sold of an open day, and start it again.")]

_STOPPED = 130  # as after Ctrl-C


@command(
    when_stopped="stopped; what was sold stands: run the same command again to go on with the next tick",
    flow="plugins.live.flow",
)
def live(
    store: Store = "S01",
    date: Selling = None,
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
    from catalog.load import load
    from plugins.desk.next_ticks import refuse_unknown_store

    admit("twin", catalog)
    folder = text_of(catalog)
    if date:
        refuse_beyond_calendar(date, days)
    refuse_unknown_store(load(catalog), store)
    with live.working():
        from flows.progress import hearing
        from flows.runs import as_command
        from plugins.live.flow import live as flow

        with hearing(remark):
            sold = as_command(flow)(store, date_of(date), speed, days, seed, folder, again)
    if not isinstance(sold, list):  # the state of a run that was asked to stop
        remark(f"{sold.message}: shelfprice live --store {store}")
        raise typer.Exit(_STOPPED)
    if as_json:
        emit({"days": [vars(day) for day in sold]})
        return
    from warehouse.lake import Lake
    from warehouse.origin import money_of

    money = money_of(Lake(read_settings()))
    rows = [[str(day.business_date), day.decisions, day.units, day.revenue_eur] for day in sold]
    revenue = f"revenue, {money.code}"
    columns = ["day", "decisions", "units", revenue]
    show_table(f"Sold live by {store}", columns, rows, money=[revenue], digits=money.digits)


COMMANDS = (live,)
