"""The command that runs the whole loop."""

import datetime as dt
from pathlib import Path

from flows.cli.console import emit, progress_bars, remark
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
from flows.cli.origin import admit
from flows.environment import orchestrated, prepare


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
    admit("twin")
    run_loop(start, days, stores, seed, catalog)
    report_loop(as_json=as_json)


def run_loop(start: dt.datetime, days: int, stores: int | None, seed: int, catalog: Path | None) -> None:
    """Run the flow `pipeline` and say what people should know about its nights."""
    folder = text_of(catalog)
    refuse_beyond_calendar(start, days)
    prepare()
    remark("Starting Prefect and MLflow ...")
    with orchestrated(), progress_bars():
        from flows.pipeline import pipeline as flow

        loop = flow(start.date(), days, stores, seed, folder)
    for night in loop.remarks:
        remark(night)


def report_loop(*, as_json: bool) -> None:
    """Show what the loop's days earned, the newest model and the prices in force."""
    from flows.cli.loop_report import loop_report, show_report

    report = loop_report()
    if as_json:
        emit(report)
    else:
        show_report(report)
