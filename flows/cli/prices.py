"""The commands that turn decisions into prices step by step: demand cells, a price book.

They call plain functions, with no orchestrator.
"""

import datetime as dt
from typing import Annotated

from catalog.errors import Declined
from flows.cli.command import RUN_AGAIN, command
from flows.cli.console import emit, say, show_table
from flows.cli.failures import refuse_without_cells
from flows.cli.options import Catalog, Json, date_of, date_option, text_of

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
        from flows.train import price as make

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
        from warehouse.sold import money_of

        money = money_of(Lake(read_settings()))
        title = f"Prices for {made_for}, {book.policy}, model version {book.model_version}, {money.code}"
        show_prices(price_rows(book), title, money)
        if priced.said:
            say(f"Note: {priced.said}")
    if priced.old_prices_hold:
        raise Declined(f"the book of {made_for} stays in force: {priced.old_prices_hold}")
