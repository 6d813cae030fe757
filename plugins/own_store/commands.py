"""The command that loads a retailer's own sales; those of drawn prices stand beside it. They start no service."""

import csv
import datetime as dt
import io
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from catalog.errors import DataError
from catalog.settings import read_settings
from flows.cli.command import RUN_AGAIN, Catalog, Json, command, text_of
from flows.cli.console import emit, remark
from flows.cli.failures import admit
from flows.progress import tell
from plugins.own_store.drawn_commands import COMMANDS as DRAWN_PRICES
from plugins.own_store.ingest_report import show_ingested

if TYPE_CHECKING:
    from plugins.own_store.history.ingest import Ingested

File = Annotated[
    Path,
    typer.Argument(help="CSV, CSV.gz, Parquet or .xlsx with visits, receipts or units. - is standard input."),
]
MapFile = Annotated[Path | None, typer.Option("--map", metavar="FILE", help="YAML file that holds the options below.")]
Column = Annotated[
    list[str] | None,
    typer.Option("--column", metavar="OURS=THEIRS", help="Map a column, such as seen_at=sold_on. Repeatable."),
]
TimeZone = Annotated[
    str | None,
    typer.Option(help="Zone of times without an offset, such as Europe/Berlin.", show_default="the stores' own"),
]
TimeFormat = Annotated[
    str | None, typer.Option(help="Format of times, in strptime's notation.", show_default="ISO, or 31.12.2026 18:30")
]
Decimal = Annotated[Literal[".", ","] | None, typer.Option(help="Decimal sign of numbers.", show_default="detected")]
Delimiter = Annotated[str | None, typer.Option(help="Separator of the fields of a CSV.", show_default="detected")]
Encoding = Annotated[str | None, typer.Option(help="Encoding of a CSV.", show_default="utf-8")]
Header = Annotated[
    str | None,
    typer.Option(metavar="A,B,C", help="Names of the columns, in order, of a file without a header."),
]
Sheet = Annotated[str | None, typer.Option(help="Sheet of a workbook.", show_default="the first one")]

Grain = Annotated[
    Literal["visits", "receipts", "units"] | None,
    typer.Option(
        help="What a row is: a shopper who looked, bought or not; a line of a receipt; or units of a store, product "
        "and day or hour.",
        show_default="detected",
    ),
]
PriceUnit = Annotated[
    Literal["euros", "cents"] | None,
    typer.Option(
        help="What money in the file is written in; in another currency, its whole units or its smallest ones.",
        show_default="euros",
    ),
]
Replace = Annotated[
    str | None,
    typer.Option(metavar="DATES", help="Replace these days of earlier files whole: a date, or 2026-01-05..2026-01-07."),
]
AddStores = Annotated[bool, typer.Option("--add-stores", help="Add stores that store.yaml lacks to it.")]


@command(when_stopped=RUN_AGAIN)
def ingest(
    file: File,
    map_file: MapFile = None,
    column: Column = None,
    time_zone: TimeZone = None,
    time_format: TimeFormat = None,
    decimal: Decimal = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    grain: Grain = None,
    price_unit: PriceUnit = None,
    replace: Replace = None,
    add_stores: AddStores = False,
    header: Header = None,
    sheet: Sheet = None,
    catalog: Catalog = None,
    as_json: Json = False,
) -> None:
    """Load your own sales: read a file, reject bad rows with their reasons, and profile the rest.

    A file holds visits, receipts or units of a store, product and day; --grain says which. Columns are recognised by
    their names, and the mapping is printed; --column sets it, for sku, product_name, seen_at, price_offered (or
    revenue) and purchased or units, and where present store_id, hour, receipt, shopper_id, category, brand, tier,
    base_price, regular_price, unit_cost, inventory_level, traffic, promotion, display, leaflet, event and propensity.
    Without --catalog, a catalog is estimated from the file and written where you can correct it. Loading the same file
    again changes nothing; a new edition of it replaces its days. See docs/ingest.md.

    For example:
      shelfprice ingest visits.csv --column seen_at=sold_on
      shelfprice ingest visits.csv.gz --map columns.yaml
    """
    from catalog.load import load
    from plugins.own_store.history.columns import read_reading, zones_of
    from plugins.own_store.history.corrections import CorrectionRequest, dates_of
    from plugins.own_store.history.grain import settled
    from plugins.own_store.history.read import open_export

    options = {"time_zone": time_zone, "time_format": time_format, "decimal": decimal, "encoding": encoding}
    options |= {"grain": grain, "price_unit": price_unit, "sheet": sheet}
    options |= {"delimiter": "\t" if delimiter == r"\t" else delimiter}
    reading = read_reading(map_file, {**options, "columns": _columns(column or []), "header": _names(header)})
    folder = text_of(catalog)
    asked = CorrectionRequest(dates_of(replace) if replace else (), add_stores)
    with _on_disk(file) as path:
        opened = settled(open_export(path, reading))  # a wrong header or a doubt is refused before anything starts
        admit("retailer")
        with ingest.working():
            from plugins.own_store.history.ingest import ingest as load_file
            from plugins.own_store.price_response import with_guesses

            shelf, now = Path(folder) if folder else None, dt.datetime.now(dt.UTC)
            done = load_file(read_settings(), path, reading, shelf, now, tell, asked)
            done.row["profile"] = with_guesses(read_settings(), done.row["profile"])
    next_steps = _next_steps(done.shelf, [product["sku"] for product in done.row["profile"]])
    if as_json:
        emit({**vars(done), "next": next_steps})
        return
    if opened.sheet is not None and opened.sheet.others:
        remark(f"The sheet {opened.sheet.name!r} was read; {opened.sheet.others} more can be named with --sheet.")
    store = load(done.shelf).store
    show_ingested(done.row, zones_of(reading, store).as_written, store.money)
    _say_what_is_next(opened.where, done, next_steps)


@contextmanager
def _on_disk(file: Path) -> Iterator[Path]:
    """Return the file, or the one that standard input was written to while it is needed."""
    if str(file) != "-":
        yield file
        return
    from plugins.own_store.history.read import spooled

    if sys.stdin is None or sys.stdin.isatty():
        raise DataError("-: expected a file on standard input, found none; nothing was read: add < FILE")
    settings = read_settings()
    with spooled(sys.stdin.buffer, settings.incoming, settings.locks) as path:
        yield path


def _names(header: str | None) -> list[str] | None:
    """Return the names that were said for the columns: as in a line of a CSV, so that a name may hold a comma."""
    if header is None:
        return None
    try:
        names = [name.strip() for name in next(csv.reader(io.StringIO(header, newline="")), [])]
    except csv.Error as error:
        raise DataError(f"--header: cannot be read as a line of a CSV ({error}); nothing was read") from error
    if not names or not all(names):
        raise DataError(f"--header {header}: expected a name for each column, such as date,sku,price; nothing was read")
    return names


def _say_what_is_next(where: str, done: "Ingested", next_steps: list[str]) -> None:
    if done.action == "unchanged":
        remark(f"{where} is in the lake already, with the same mapping: nothing was done.")
    origin = "was estimated from the file: check and correct it" if done.is_estimated else "was used as it is"
    remark(f"The catalog in {done.shelf} {origin}.")
    remark("Next, with .venv/bin before each command:\n  " + "\n  ".join(next_steps))


def _columns(mappings: list[str]) -> dict[str, str]:
    columns = {}
    for text in mappings:
        ours, equals, theirs = text.partition("=")
        if not equals:
            raise DataError(f"--column {text}: expected OURS=THEIRS, such as seen_at=sold_on; nothing was read")
        if ours.strip() in columns:
            raise DataError(f"--column {text}: {ours.strip()} was mapped before; nothing was read: map it once")
        columns[ours.strip()] = theirs
    return columns


def _next_steps(shelf: Path, skus: list[str]) -> list[str]:
    quotes = [f"quote --sku {shlex.quote(sku)} --stock 20" for sku in skus[:1]]
    return [f"shelfprice {command} --catalog {shlex.quote(str(shelf))}" for command in ("transform", *quotes)]


COMMANDS = (ingest, *DRAWN_PRICES)
