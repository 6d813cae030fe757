"""The command that makes the price book of a business date."""

import datetime as dt
from pathlib import Path
from typing import Annotated, Any

import typer

from catalog.errors import Declined
from catalog.settings import read_settings
from flows.cli.console import emit, progress_bars
from flows.cli.options import Catalog, Json, date_of, in_calendar, text_of
from flows.cli.refusals import refuse_without_cells
from flows.environment import orchestrated, prepare

ForDate = Annotated[
    dt.datetime | None,
    typer.Option(
        "--for",
        formats=["%Y-%m-%d"],
        metavar="DATE",
        help="Business date to price; by default the day after the newest.",
        callback=in_calendar,
    ),
]


def price(for_date: ForDate = None, catalog: Catalog = None, as_json: Json = False) -> None:
    """Make the price book of a business date, from the champion, or without one from the belief.

    For example:
      shelfprice price --for 2026-01-19
    """
    folder = text_of(catalog)
    if for_date is None:
        refuse_without_cells()
    prepare()
    with orchestrated(), progress_bars():
        from flows.price import price as flow

        priced = flow(date_of(for_date), folder)
    from catalog.load import load
    from warehouse.advice import own_shelf

    shelf = load(Path(folder) if folder else own_shelf(read_settings()))
    book, kept = priced.book, _stores_that_keep(priced.book, shelf)
    made_for = f"{book.published_at:%Y-%m-%d}"
    if as_json:
        emit(
            {
                "made_for": made_for,
                "policy": book.policy,
                "model_version": book.model_version,
                "old_prices_hold": priced.old_prices_hold,
                "kept_prices": kept,
            }
        )
    else:
        from flows.cli.price_table import price_rows, show_kept_prices, show_prices

        money = shelf.store.money
        title = f"Prices for {made_for}, {book.policy}, model version {book.model_version}, {money.code}"
        show_prices(price_rows(book), title, money)
        if kept:
            show_kept_prices(kept, money)
    if priced.old_prices_hold:
        raise Declined(f"the book of {made_for} stays in force: {priced.old_prices_hold}")


def _stores_that_keep(book: Any, catalog: Any) -> list[dict[str, Any]]:
    """Return the products that move on exported sales alone, with the stores that keep the old price."""
    from serving.book_store import book_in_force
    from serving.small_steps import stores_that_keep
    from warehouse.lake import Lake

    settings, date = read_settings(), book.published_at.date()
    found = book_in_force(Lake(settings), date)
    return [] if found is None else stores_that_keep(catalog, found.curves, found.book, date)
