"""Commands of the night: nightly, backfill and health. The same flows run on a schedule, see prefect.yaml."""

import datetime as dt
from typing import Annotated

import typer

from catalog.errors import DataError
from flows.cli.console import emit, progress_bars, remark, show_table
from flows.cli.options import Catalog, Json, Seed, text_of
from flows.environment import orchestrated, prepare

Date = Annotated[
    dt.datetime | None,
    typer.Option(formats=["%Y-%m-%d"], help="Business date to close; by default the first whose night is not done."),
]
First = Annotated[dt.datetime, typer.Option("--start", formats=["%Y-%m-%d"], help="First business date.")]
Last = Annotated[dt.datetime, typer.Option("--end", formats=["%Y-%m-%d"], help="Last business date.")]
Force = Annotated[
    bool, typer.Option("--force", help="Make everything between the dates anew; equal inputs end in the same bytes.")
]


def nightly(date: Date = None, seed: Seed = 7, catalog: Catalog = None, as_json: Json = False) -> None:
    """Close the day, group its decisions, learn if that is due, and price tomorrow.

    Without --date it is the store's next night, whatever the clock says: run it again and again to go on day by day. A
    night that is done is not done again. `shelfprice up` runs it on a schedule.
    """
    prepare()
    with orchestrated(), progress_bars():
        from flows.nightly import nightly as flow

        night = flow(date.date() if date else None, seed, text_of(catalog))
    if as_json:
        emit({**vars(night), "prices_for": night.prices_for})
        return
    columns = ["closed", "prices for", "outcome", "priced by version", "judged version", "promoted"]
    row = [night.business_date, night.prices_for, night.outcome, night.priced_by, night.judged_version, night.promoted]
    show_table(f"The night after {night.business_date}", columns, [row], night.said)


def backfill(
    start: First, end: Last, force: Force = False, seed: Seed = 7, catalog: Catalog = None, as_json: Json = False
) -> None:
    """Fill what is missing or stale between two business dates, in order, and leave the rest alone.

    Missing days are played at the prices in force on them, cells follow their decisions, and the day after the newest
    one is priced. Stopped or killed, the same command goes on.
    """
    prepare()
    with orchestrated(), progress_bars():
        from flows.backfill import backfill as flow

        filled = flow(start.date(), end.date(), force, seed, text_of(catalog))
    if as_json:
        emit({"dates": [vars(day) for day in filled]})
        return
    rows = [[day.business_date, day.decisions, day.cells, day.prices] for day in filled]
    title = f"Business dates {start:%Y-%m-%d} to {end:%Y-%m-%d}"
    show_table(title, ["date", "decisions", "demand cells", "prices of the day after"], rows)


def health(catalog: Catalog = None, as_json: Json = False) -> None:
    """Check that decisions, cells, prices and champion are fresh, the registry answers and every file is proven.

    Exit 1 when a check failed; a warning does not fail. `shelfprice up` does it on a schedule.
    """
    prepare()
    with progress_bars():
        from flows.checks import check_up
        from flows.progress import tell
        from flows.workspace import open_workspace, registry_of

        workspace = open_workspace(text_of(catalog))
        checks = check_up(workspace, registry_of(workspace), lambda done, total: tell("checking files", done, total))
    failed = [check.name for check in checks if check.state == "failed"]
    if as_json:
        emit({"healthy": not failed, "checks": [vars(check) for check in checks]})
    else:
        rows = [[check.name, check.state, check.found, check.remedy] for check in checks]
        show_table("How the store is", ["check", "state", "found", "what to do"], rows)
    if failed:
        raise DataError(f"{len(failed)} of {len(checks)} checks failed: {', '.join(failed)}; each says what to do")
    remark("everything is in order" if all(check.state == "ok" for check in checks) else "nothing failed")
