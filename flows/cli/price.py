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
        from flows.cli.price_table import price_rows, show_kept_prices, show_prices, show_store_prices

        money = shelf.store.money
        title = f"Prices for {made_for}, {book.policy}, model version {book.model_version}, {money.code}"
        own = _at_opening(book, shelf)
        if own is None:
            show_prices(price_rows(book), title, money)
        else:
            show_store_prices(own, title, money)
        if kept:
            show_kept_prices(kept, money)
    if priced.old_prices_hold:
        raise Declined(f"the book of {made_for} stays in force: {priced.old_prices_hold}")


def _at_opening(book: Any, catalog: Any) -> list[list[Any]] | None:
    """Return what a retailer's stores open with; None where all stores have the book's prices.

    For each product and rule it is the lowest and the highest price, how many stores have one, and why.
    """
    from catalog.pricing import RULES
    from etl.live.store_now import StoreNow
    from own_data.shelf_price import shelf_prices
    from serving.standing.standing import standings
    from warehouse.lake import Lake

    lake, date = Lake(read_settings()), book.published_at.date()
    if shelf_prices(lake, catalog, date) is None:
        return None
    clock, found = catalog.store.clock_of, dict[tuple[str, str], list[float]]()
    now = {store: StoreNow(store, date, 0, clock(store).moment_of(date, 0), None) for store in catalog.store.stores}
    for held in standings(lake, catalog, now).values():
        for one in held:
            found.setdefault((one.sku, one.rule), []).append(one.price)
    order = sorted(found.items(), key=lambda own: catalog.skus.index(own[0][0]))
    return [[sku, min(prices), max(prices), len(prices), RULES[rule]] for (sku, rule), prices in order]


def _stores_that_keep(book: Any, catalog: Any) -> list[dict[str, Any]]:
    """Return the products that move on exported sales alone, with the stores that keep the old price."""
    from own_data.small_steps import stores_that_keep
    from serving.book_store import book_in_force
    from warehouse.lake import Lake

    settings, date = read_settings(), book.published_at.date()
    found = book_in_force(Lake(settings), date)
    return [] if found is None else stores_that_keep(catalog, found.curves, found.book, date)
