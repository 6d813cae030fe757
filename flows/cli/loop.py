"""The commands that play the twin: store days alone, or the whole loop with its report."""

import datetime as dt
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from catalog.errors import Declined
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
from flows.cli.console import emit, remark, say, show_table
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
    _run_loop(start, days, stores, seed, catalog, as_json=as_json)


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
    admit("twin", catalog)
    _run_loop(start, days, stores, seed, catalog, as_json=as_json)
    if not as_json:
        remark(
            "Next, with .venv/bin before each command:\n"
            "  shelfprice quote --sku MILK --stock 8\n"
            '  shelfprice sql "from daily_sales order by business_date, store_id, sku"\n'
            "  shelfprice up              # Prefect, MLflow and the monitor, where a store can be watched selling\n"
            "  shelfprice compare         # the product and its peers beside a clairvoyant\n"
            f"All generated data is under {read_settings().home}"
        )


@command("lake", when_stopped=RUN_AGAIN, flow="flows.steps", is_spread=True)
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
        from flows.runs import as_command
        from flows.steps import simulate as flow

        results = as_command(flow)(start.date(), days, stores, seed, policy, folder)
    summary: dict[str, Any] = {
        action: sum(result.action == action for result in results) for action in ("played", "replaced", "unchanged")
    }
    summary["decisions"] = sum(result.rows for result in results)
    if as_json:
        emit(summary)
        return
    show_table("Simulated batches", list(summary), [list(summary.values())])


def _run_loop(
    start: dt.datetime, days: int, stores: int | None, seed: int, catalog: Path | None, *, as_json: bool
) -> None:
    """Run the flow `pipeline`, and show what a person should know of its nights, its days, models and prices."""
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
    if as_json:
        emit({"partitions": done.partitions, "decisions": done.decisions})
        return
    show_table("Transformed", ["partitions", "decisions"], [[done.partitions, done.decisions]])


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
        from flows.cli.tables import price_rows, show_prices
        from warehouse.lake import Lake
        from warehouse.origin import money_of

        money = money_of(Lake(read_settings()))
        title = f"Prices for {made_for}, {book.policy}, model version {book.model_version}, {money.code}"
        show_prices(price_rows(book), title, money)
        if priced.said:
            say(f"Note: {priced.said}")
    if priced.old_prices_hold:
        raise Declined(f"the book of {made_for} stays in force: {priced.old_prices_hold}")
