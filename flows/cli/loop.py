"""The commands that play the twin: store days alone, or the whole loop with its report."""

import datetime as dt
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from catalog.settings import read_settings
from flows.cli.command import RUN_AGAIN, command
from flows.cli.console import emit, remark, show_table
from flows.cli.failures import admit
from flows.cli.options import (
    FIRST_DAY,
    Catalog,
    Days,
    Json,
    Seed,
    Start,
    Stores,
    refuse_beyond_calendar,
    text_of,
)

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
