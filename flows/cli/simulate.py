"""The command that plays store days on the digital twin."""

from typing import Annotated, Any, Literal

import typer

from flows.cli.console import emit, progress_bars, show_table
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

Policy = Annotated[
    Literal["static", "rule", "greedy"] | None,
    typer.Option(help="Policy to sell by; by default the price book in force, or the catalog's without one."),
]


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
    admit("twin")
    prepare()
    with orchestrated("flows.simulate"), progress_bars():
        from flows.simulate import simulate as flow

        results = flow(start.date(), days, stores, seed, policy, folder)
    summary: dict[str, Any] = {
        action: sum(result.action == action for result in results) for action in ("played", "replaced", "unchanged")
    }
    summary["decisions"] = sum(result.rows for result in results)
    if as_json:
        emit(summary)
        return
    show_table("Simulated batches", list(summary), [list(summary.values())])
