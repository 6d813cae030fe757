"""The command that loads a retailer's own export."""

import csv
import io
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from catalog.errors import DataError
from catalog.settings import read_settings
from flows.cli.console import emit, progress_bars, remark, show_table
from flows.cli.options import AllowMixture, Catalog, Json, text_of
from flows.cli.origin import admit
from flows.environment import orchestrated, prepare

File = Annotated[
    Path,
    typer.Argument(
        help="CSV, CSV.gz, Parquet or .xlsx: one row per visit of a shopper to a product. - is standard input."
    ),
]
MapFile = Annotated[Path | None, typer.Option("--map", metavar="FILE", help="YAML file that holds the options below.")]
Column = Annotated[
    list[str] | None,
    typer.Option("--column", metavar="OURS=THEIRS", help="Map a column, such as seen_at=sold_on. Repeatable."),
]
TimeZone = Annotated[
    str | None, typer.Option(help="Zone of times without an offset, such as Europe/Berlin.", show_default="UTC")
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


def ingest(
    file: File,
    map_file: MapFile = None,
    column: Column = None,
    time_zone: TimeZone = None,
    time_format: TimeFormat = None,
    decimal: Decimal = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    header: Header = None,
    sheet: Sheet = None,
    catalog: Catalog = None,
    allow_mixture: AllowMixture = False,
    as_json: Json = False,
) -> None:
    """Load your own decisions: read a file, reject bad rows with their reasons, and profile the rest.

    Columns are recognised by their names, and the mapping is printed; --column sets it, for sku, product_name, seen_at,
    price_offered and purchased, and where present store_id, shopper_id, category, base_price, unit_cost,
    inventory_level and propensity. Without --catalog, a catalog is estimated from the file and written where you can
    correct it. Loading the same file again changes nothing. See docs/ingest.md.

    For example:
      shelfprice ingest visits.csv --column seen_at=sold_on
      shelfprice ingest visits.csv.gz --map columns.yaml
    """
    from etl.exports.columns import read_reading
    from etl.exports.read import open_export

    options = {"time_zone": time_zone, "time_format": time_format, "decimal": decimal, "encoding": encoding}
    separator = "\t" if delimiter == r"\t" else delimiter
    options |= {"delimiter": separator, "sheet": sheet}
    reading = read_reading(map_file, {**options, "columns": _columns(column or []), "header": _names(header)})
    folder = text_of(catalog)
    with _on_disk(file) as path:
        opened = open_export(path, reading)  # a file with a wrong header is refused before anything starts
        admit("retailer", allow_mixture=allow_mixture)
        prepare()
        with orchestrated("flows.ingest"), progress_bars():
            from flows.ingest import ingest as flow

            done = flow(path, reading, folder)
    next_steps = _next_steps(done.shelf, [product["sku"] for product in done.row["profile"]])
    if as_json:
        emit({**vars(done), "next": next_steps})
        return
    if opened.sheet is not None and opened.sheet.others:
        remark(f"The sheet {opened.sheet.name!r} was read; {opened.sheet.others} more can be named with --sheet.")
    _show(done.row, reading.time_zone)
    if done.action == "unchanged":
        remark(f"{opened.where} is in the lake already, with the same mapping: nothing was done.")
    _say_what_is_next(done.shelf, next_steps, is_estimated=done.is_estimated)


@contextmanager
def _on_disk(file: Path) -> Iterator[Path]:
    """Return the file, or the one that standard input was written to while it is needed."""
    if str(file) != "-":
        yield file
        return
    from etl.exports.standard_input import spooled

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


def _say_what_is_next(shelf: Path, next_steps: list[str], *, is_estimated: bool) -> None:
    origin = "was estimated from the file: check and correct it" if is_estimated else "was used as it is"
    remark(f"The catalog in {shelf} {origin}.")
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


def _show(row: dict[str, Any], time_zone: str) -> None:
    taken = row["columns"]
    remark("Columns: " + ", ".join(f"{theirs} as {ours}" for ours, theirs in taken.items()))
    remark(f"Times without an offset were read as {time_zone}.")
    for ours, consequence in _WITHOUT.items():
        if ours not in taken:
            remark(f"There is no column for {ours}: {consequence}.")
    counts = ["rows", "valid", "rejected", "first_date", "last_date"]
    show_table(f"{row['file']}, as stored in the lake", counts, [[row[name] for name in counts]])
    if row["reasons"]:
        reasons = sorted(row["reasons"].items(), key=lambda item: -item[1][0])
        columns = ["reason", "rows", "first at line"]
        show_table("Rejected rows, in the table rejected", columns, [[reason, *found] for reason, found in reasons])
    products = [
        [
            product["sku"],
            product["name"],
            product["decisions"],
            round(product["purchase_rate"], 4),
            product["prices"],
            product["lowest"],
            product["commonest"],
            product["highest"],
            product["verdict"],
        ]
        for product in row["profile"]
    ]
    names = ["sku", "product", "decisions", "bought", "prices", "lowest", "commonest", "highest", "verdict"]
    enough = sum(product["why_not"] is None for product in row["profile"])
    caption = (
        f"{enough} of {len(products)} products vary enough to learn from; `train` tests whether price is the cause"
    )
    show_table("Products, money in EUR", names, products, caption, money=("lowest", "commonest", "highest"))


_WITHOUT = {
    "inventory_level": "stock is stored as unknown, and policies assume a full shelf",
    "unit_cost": "prices can earn revenue, not margin",
    "base_price": "the median price over all visits is used",
    "shopper_id": "visits to one product at one moment are numbered, so duplicate rows cannot be detected",
    "store_id": "all rows belong to one store, S01",
    "propensity": "price frequency is used as propensity; effects are not causal",
}
"""What follows where a file lacks a column."""


def _next_steps(shelf: Path, skus: list[str]) -> list[str]:
    quotes = [f"quote --sku {shlex.quote(sku)} --stock 20" for sku in skus[:1]]
    commands = ("transform", "train", "price", *quotes)
    return [f"shelfprice {command} --catalog {shlex.quote(str(shelf))}" for command in commands]
