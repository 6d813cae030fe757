"""The commands of the loop and its business dates: play, group, price, close, fill what is missing, remove all."""

import datetime as dt
from pathlib import Path
from typing import Annotated, Literal

import typer

from catalog.errors import DataError, Declined
from catalog.hooks import STORE
from catalog.settings import read_settings
from flows.cli.command import (
    FIRST_DAY,
    RUN_AGAIN,
    Catalog,
    Days,
    Json,
    Seed,
    Start,
    Stores,
    command,
    date_of,
    date_option,
    refuse_beyond_calendar,
    text_of,
)
from flows.cli.console import emit, remark, say, show_record, show_table
from flows.cli.failures import admit, refuse_without_cells

Policy = Annotated[
    Literal["static", "rule", "greedy"] | None,
    typer.Option(help="Policy to sell by; by default the price book in force, or the catalog's without one."),
]


@command(when_stopped=RUN_AGAIN, flow="flows.pipeline", uses_registry=True, is_spread=True)
def pipeline(
    start: Start = FIRST_DAY,
    days: Days = 14,
    stores: Stores = None,
    seed: Seed = 7,
    catalog: Catalog = None,
    as_json: Json = False,
) -> None:
    """Run the whole loop: sell while learning from every hour, learn anew every night, and price the next day.

    For example:
      shelfprice pipeline --days 28 --stores 6
    """
    admit("twin", catalog)
    folder = text_of(catalog)
    refuse_beyond_calendar(start, days)
    with pipeline.working("Importing Prefect and MLflow ..."):
        from flows.pipeline import pipeline as flow
        from flows.runs import as_command

        loop = as_command(flow)(start.date(), days, stores, seed, folder)
    for night in loop.remarks:
        remark(night)
    from flows.cli.tables import loop_report, show_report

    report = loop_report()
    if as_json:
        emit(report)
    else:
        show_report(report)


@command(when_stopped=RUN_AGAIN)
def demo(
    start: Start = FIRST_DAY,
    days: Days = 7,
    stores: Stores = None,
    seed: Seed = 7,
    catalog: Catalog = None,
    as_json: Json = False,
) -> None:
    """Play three stores for a week: price from the first day on, learn every hour, train and judge every night.

    For example:
      shelfprice demo
      shelfprice demo --stores 1 --days 6
    """
    pipeline.run(start, days, stores, seed, catalog, as_json=as_json)
    if not as_json:
        remark(
            "Next, with .venv/bin before each command:\n"
            "  shelfprice quote --sku MILK --stock 8\n"
            '  shelfprice sql "from daily_sales order by business_date, store_id, sku"\n'
            "  shelfprice up              # Prefect, MLflow and the monitor, where a store can be watched selling\n"
            "  shelfprice compare         # the product and its peers beside a clairvoyant\n"
            f"All generated data is under {read_settings().home}"
        )


@command("lake", when_stopped=RUN_AGAIN, flow="flows.pipeline", is_spread=True)
def simulate(
    start: Start = FIRST_DAY,
    days: Days = 1,
    stores: Stores = None,
    seed: Seed = 7,
    policy: Policy = None,
    catalog: Catalog = None,
    as_json: Json = False,
) -> None:
    """Play store days on the digital twin and publish their decisions.

    Running it again changes nothing: a day already published from the same inputs is not played again.

    For example:
      shelfprice simulate --start 2026-01-05 --days 7 --stores 3
    """
    folder = text_of(catalog)
    refuse_beyond_calendar(start, days)
    admit("twin", catalog)
    with simulate.working():
        from flows.pipeline import simulate as flow
        from flows.runs import as_command

        results = as_command(flow)(start.date(), days, stores, seed, policy, folder)
    actions = ("played", "replaced", "unchanged")
    summary = {action: sum(result.action == action for result in results) for action in actions}
    show_record("Simulated batches", {**summary, "decisions": sum(result.rows for result in results)}, as_json=as_json)


ForDate = Annotated[
    dt.datetime | None, date_option("--for", help="Business date to price; by default the day after the newest.")
]


@command(when_stopped=RUN_AGAIN, is_spread=True)
def transform(catalog: Catalog = None, as_json: Json = False) -> None:
    """Group new or changed decisions into demand cells, and run the SQL assertions on them."""
    folder = text_of(catalog)
    with transform.working():
        from etl.transform import transform as group_and_check
        from flows.progress import tell
        from flows.spreading import spreading
        from flows.workspace import open_workspace

        workspace = open_workspace(folder)
        with spreading(workspace.settings, seconds=0) as spread:
            done = group_and_check(workspace, (), tell, spread)
    show_record("Transformed", {"partitions": done.partitions, "decisions": done.decisions}, as_json=as_json)


@command(when_stopped=RUN_AGAIN, uses_registry=True, is_spread=True)
def price(for_date: ForDate = None, catalog: Catalog = None, as_json: Json = False) -> None:
    """Make the price book of a business date, from the champion, or without one from the belief.

    Stores that sell by themselves need none: their shelf prices stand until `shelfprice nightly` draws others.

    For example:
      shelfprice price --for 2026-01-19
    """
    folder = text_of(catalog)
    if for_date is None:
        refuse_without_cells()
    with price.working():
        from flows.nightly import price as make

        priced = make(date_of(for_date), folder)
    book = priced.book
    made_for = f"{book.published_at:%Y-%m-%d}"
    if as_json:
        emit(
            {
                "made_for": made_for,
                "policy": book.policy,
                "model_version": book.model_version,
                "old_prices_hold": priced.old_prices_hold,
                "said": priced.said,
            }
        )
    else:
        from catalog.settings import read_settings
        from flows.cli.tables import opening_prices, show_prices
        from warehouse.lake import Lake
        from warehouse.origin import money_of

        money = money_of(Lake(read_settings()))
        title = f"Prices for {made_for}, {book.policy}, model version {book.model_version}, {money.code}"
        show_prices(opening_prices(book), title, money)
        if priced.said:
            say(f"Note: {priced.said}")
    if priced.old_prices_hold:
        raise Declined(f"the book of {made_for} stays in force: {priced.old_prices_hold}")


Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
_SERVICE_FILES = ("api", "dask", "mlflow", "prefect", "services.json", "services.json.draft", "tokens")
_LAKE_FILES = ("incoming", "lake", "locks", "scratch", "set-aside", "shelf", "spill", "warehouse.duckdb")
_GENERATED = {"failures", *_SERVICE_FILES, *_LAKE_FILES}
"""Files and folders that Shelfprice makes in the home."""


@command("lake", when_stopped="stopped; what was not removed stands: run the same command again to remove it")
def reset(yes: Yes = False) -> None:
    """Remove all generated data: the lake, the warehouse, the models, the runs, and tokens of the quote API."""
    settings = read_settings()
    home: Path = settings.home
    from shutil import rmtree

    lake = None if settings.lake_address is None else STORE.needed("SHELFPRICE_LAKE")(settings)
    others = [name for name in sorted(path.name for path in home.glob("*")) if name not in _GENERATED]
    for place, strangers in ((home, others), (lake and lake.address, lake.strangers() if lake else [])):
        if strangers:
            raise Declined(
                f"{place} also holds {strangers[0]}, which Shelfprice did not make; nothing was removed: move it away "
                "first"
            )
    lake = lake if lake and lake.exists() else None
    if not home.exists() and lake is None:
        remark(f"{home}: nothing to remove")
        return
    what = f"{home}, and the lake in {lake.address}, which others may use" if lake else str(home)
    if not yes and not typer.confirm(f"Remove everything in {what}?"):
        raise Declined("nothing was removed")
    if lake:
        lake.clear()
    rmtree(home, ignore_errors=not home.exists())
    remark(f"removed {home}{f' and the lake in {lake.address}' if lake else ''}")


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
