"""The command that does one night. The same flow runs on a schedule, see prefect.yaml."""

import datetime as dt
from typing import Annotated

import typer

from flows.cli.console import emit, progress_bars, show_table
from flows.cli.options import Catalog, Json, Seed, date_of, in_calendar, text_of
from flows.cli.refusals import refuse_night_with_gap
from flows.environment import orchestrated, prepare

Date = Annotated[
    dt.datetime | None,
    typer.Option(
        formats=["%Y-%m-%d"],
        metavar="DATE",
        help="Business date to close; by default the first whose night is not done.",
        callback=in_calendar,
    ),
]


def nightly(date: Date = None, seed: Seed = 7, catalog: Catalog = None, as_json: Json = False) -> None:
    """Close the day, group its decisions, train if the schedule says so, and price tomorrow.

    Without --date it is the store's next night, whatever the clock says: run it repeatedly to go on day by day. A
    night that is done is not repeated. `shelfprice up` runs it on a schedule.
    """
    folder = text_of(catalog)
    refuse_night_with_gap(date_of(date))
    prepare()
    with orchestrated(), progress_bars():
        from flows.nightly import nightly as flow

        night = flow(date_of(date), seed, folder)
    if as_json:
        emit({**vars(night), "prices_for": night.prices_for})
        return
    columns = ["closed", "prices for", "outcome", "priced by version", "judged version", "promoted"]
    row = [night.business_date, night.prices_for, night.outcome, night.priced_by, night.judged_version, night.promoted]
    show_table(f"The night after {night.business_date}", columns, [row], night.said)
