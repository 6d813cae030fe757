"""The commands for business dates: close one, fill those that are missing or stale, remove all."""

import datetime as dt
from pathlib import Path
from typing import Annotated, Any

import typer

from catalog.errors import DataError, Declined
from catalog.hooks import STORE
from catalog.settings import Settings, read_settings
from flows.cli.command import (
    RUN_AGAIN,
    Catalog,
    Json,
    Seed,
    command,
    date_of,
    date_option,
    text_of,
)
from flows.cli.console import emit, remark, show_table
from flows.cli.failures import admit

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
_GENERATED = {
    *(
        "api",
        "dask",
        "failures",
        "incoming",
        "lake",
        "locks",
        "mlflow",
        "prefect",
        "scratch",
        "set-aside",
        "shelf",
        "spill",
        "tokens",
        "warehouse.duckdb",
    ),
    *("services.json", "services.json.draft"),
}


@command("lake", when_stopped="stopped; what was not removed stands: run the same command again to remove it")
def reset(yes: Yes = False) -> None:
    """Remove all generated data: the lake, the warehouse, the models, the runs, and tokens of the quote API."""
    settings = read_settings()
    home: Path = settings.home
    from shutil import rmtree

    lake = None if settings.lake_address is None else _elsewhere(settings)
    if not home.exists() and lake is None:
        remark(f"{home}: nothing to remove")
        return
    others = sorted(path.name for path in home.glob("*") if path.name not in _GENERATED)
    if others:
        raise Declined(
            f"{home} also holds {others[0]}, which Shelfprice did not make; nothing was removed: move it away first"
        )
    what = f"{home}, and the lake in {lake.address}, which others may use" if lake else str(home)
    if not yes and not typer.confirm(f"Remove everything in {what}?"):
        raise Declined("nothing was removed")
    if lake:
        lake.clear()
    rmtree(home, ignore_errors=not home.exists())
    remark(f"removed {home}{f' and the lake in {lake.address}' if lake else ''}")


def _elsewhere(settings: Settings) -> Any | None:
    """Return the store of a lake that is not in the home, where there is one.

    Raises
    ------
    Declined
        When other objects stand under its prefix.
    """
    store = STORE.needed("SHELFPRICE_LAKE")(settings)
    if strangers := store.strangers():
        raise Declined(
            f"{store.address} also holds {strangers[0]}, which Shelfprice did not make; nothing was removed: move it "
            "away first"
        )
    return store if store.exists() else None


Closing = Annotated[
    dt.datetime | None, date_option(help="Business date to close; by default the first whose night is not done.")
]
First = Annotated[dt.datetime, date_option("--start", help="First business date.")]
Last = Annotated[dt.datetime, date_option("--end", help="Last business date.")]
Force = Annotated[
    bool, typer.Option("--force", help="Rebuild everything between the dates; equal inputs give the same bytes.")
]


@command("lake", when_stopped=RUN_AGAIN, flow="flows.nightly", uses_registry=True, is_spread=True)
def nightly(date: Closing = None, seed: Seed = 7, catalog: Catalog = None, as_json: Json = False) -> None:
    """Close the day, group its decisions, train if the schedule says so, and price tomorrow.

    Without --date it is the store's next night, whatever the clock says: run it repeatedly to go on day by day. A
    night that is done is not repeated. `shelfprice up` runs it on a schedule.
    """
    folder = text_of(catalog)
    if date:
        _refuse_gap_before(date.date())
    with nightly.working():
        from flows.nightly import nightly as flow
        from flows.runs import as_command

        night = as_command(flow)(date_of(date), seed, folder)
    if as_json:
        fields = vars(night) | {"prices_for": night.prices_for}
        emit({name: value for name, value in fields.items() if name != "opens"})
        return
    columns = ["closed", "prices for", "outcome", "priced by version", "judged version", "promoted"]
    row = [night.business_date, night.prices_for, night.outcome, night.priced_by, night.judged_version, night.promoted]
    show_table(f"The night after {night.business_date}", columns, [row], night.said)


@command("lake", when_stopped=RUN_AGAIN, flow="flows.nightly", uses_registry=True, is_spread=True)
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
    if end < start:
        raise DataError(
            f"--end {end.date()}: expected a date on or after the start {start.date()}; nothing was done: swap them or "
            "give another"
        )
    _refuse_gap_before(start.date())
    admit("twin", catalog)
    with backfill.working():
        from flows.nightly import backfill as flow
        from flows.runs import as_command

        filled = as_command(flow)(start.date(), end.date(), force, seed, folder)
    if as_json:
        emit({"dates": [vars(day) for day in filled]})
        return
    rows = [[day.business_date, day.decisions, day.cells, day.prices] for day in filled]
    title = f"Business dates {start:%Y-%m-%d} to {end:%Y-%m-%d}"
    show_table(title, ["date", "decisions", "demand cells", "prices of the day after"], rows)


def _refuse_gap_before(date: dt.date) -> None:
    """Refuse a night that would leave a gap before it, or would price a day that is sold already."""
    from training.schedule import refuse_what_cannot_be_closed
    from warehouse.lake import Lake

    refuse_what_cannot_be_closed(Lake(read_settings()), date)
