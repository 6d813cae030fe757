"""The command that lists the stickers to print."""

import csv as writing
import datetime as dt
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from catalog.settings import read_settings
from flows.cli.command import command
from flows.cli.console import emit, say, show_table
from flows.cli.options import Catalog, Json, OneStore, date_of, date_option, text_of

if TYPE_CHECKING:
    from catalog.records.store import Store

ForDate = Annotated[
    dt.datetime | None, date_option("--date", help="Business date; by default the next one to open in each store.")
]
Csv = Annotated[bool, typer.Option("--csv", help="Comma-separated values on stdout.")]


_ONE_DAY = dt.timedelta(days=1)


@command(group="desk")
def markdowns(
    date: ForDate = None, store: OneStore = None, csv: Csv = False, catalog: Catalog = None, as_json: Json = False
) -> None:
    """List the stickers to print for a morning: units on their last day that go for less than younger ones.

    By default it is the morning of each store's own next business date, as on its price tags. The stickers are what the
    stores then show, by the book in force, what people ordered and the units they have. Of a date that is over, they
    are those that were worked out in the night before.

    For example:
      shelfprice markdowns
      shelfprice markdowns --store S01 --csv
    """
    import pyarrow as pa

    from catalog.load import load
    from etl.live.store_now import stores_now
    from flows.clock import now_of
    from serving.markdowns import markdowns_of
    from warehouse.advice import own_shelf
    from warehouse.lake import Lake
    from warehouse.workspace import Workspace

    if csv and as_json:
        raise typer.BadParameter("expected one of --csv and --json, found both: choose one")
    text_of(catalog)
    settings = read_settings()
    shelf, lake = load(catalog or own_shelf(settings)), Lake(settings)
    if store is not None and store not in shelf.store.stores:
        raise typer.BadParameter(
            f"expected one of {', '.join(shelf.store.stores[:5])}, found {store}",
            param_hint="'--store'",
        )
    stores, asked = shelf.store.stores if store is None else (store,), date_of(date)
    if asked is None:
        clocks = stores_now(lake, shelf, stores, now_of(Workspace(settings, shelf, lake)))
        mornings = {name: _opens_next(shelf.store, now.date) for name, now in clocks.items()}
    else:
        mornings = dict.fromkeys(stores, asked)
    dates, parts = sorted(set(mornings.values())), list[pa.Table]()
    for on in dates:
        part = markdowns_of(lake, shelf, on, [name for name in stores if mornings[name] == on])
        parts.append(part.add_column(0, "business_date", pa.array([on.isoformat()] * len(part), pa.string())))
    rows, days = pa.concat_tables(parts), " and ".join(map(str, dates))
    found = [row | {"product_name": shelf.product(row["sku"]).name} for row in rows.to_pylist()]
    if as_json:
        emit({"business_date": dates[0].isoformat(), "currency": shelf.store.currency, "markdowns": found})
    elif csv:
        lines = writing.writer(sys.stdout, lineterminator="\n")
        lines.writerow(rows.column_names)
        amounts = ("price", "sticker_eur", "expected_saving_eur")
        table = rows.to_pandas()
        table[list(amounts)] = table[list(amounts)].round(shelf.store.money.digits)
        lines.writerows(table.to_numpy().tolist())
    elif not found:
        why = "" if shelf.uses_stickers else "; the catalog sticks none, see policies.stickers in docs/stock.md"
        say(f"No sticker to print for {days}{why}.")
    else:
        money = shelf.store.money
        columns = [f"{name}, {money.code}" for name in ("label", "sticker", "expected saving")]
        names = ("store_id", "product_name", "units", "price", "sticker_eur", "expected_saving_eur")
        table = [[row[name] for name in names] for row in found]
        caption = "Stick them before opening, on units whose last day this is; they stay until closing."
        show_table(
            f"Stickers for {days}", ["store", "product", "units", *columns], table, caption, columns, money.digits
        )


def _opens_next(store: "Store", date: dt.date) -> dt.date:
    """Return the first date from one on that the stores open."""
    while not store.is_open_on(date):
        date += _ONE_DAY
    return date
