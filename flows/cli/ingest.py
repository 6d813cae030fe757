"""The command that brings a retailer's own export in."""

import shlex
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from catalog.errors import DataError
from flows.cli.console import emit, progress_bars, remark, show_table
from flows.cli.options import Catalog, Json, text_of
from flows.environment import orchestrated, prepare

File = Annotated[Path, typer.Argument(help="CSV, CSV.gz or Parquet: one row per visit of a shopper to a product.")]
MapFile = Annotated[
    Path | None, typer.Option("--map", metavar="FILE", help="YAML file that says the same as the options below.")
]
Column = Annotated[
    list[str] | None,
    typer.Option("--column", metavar="OURS=THEIRS", help="What a column means, such as seen_at=sold_on. Repeatable."),
]
TimeZone = Annotated[
    str | None, typer.Option(help="Zone of times without an offset, such as Europe/Berlin.", show_default="UTC")
]
TimeFormat = Annotated[
    str | None, typer.Option(help="How times are written, as strptime has it.", show_default="ISO, or 31.12.2026 18:30")
]
Decimal = Annotated[Literal[".", ","] | None, typer.Option(help="Decimal sign of numbers.", show_default="found out")]
Delimiter = Annotated[str | None, typer.Option(help="Between fields of a CSV.", show_default="found out")]
Encoding = Annotated[str | None, typer.Option(help="Encoding of a CSV.", show_default="utf-8")]


def ingest(
    file: File,
    map_file: MapFile = None,
    column: Column = None,
    time_zone: TimeZone = None,
    time_format: TimeFormat = None,
    decimal: Decimal = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    catalog: Catalog = None,
    as_json: Json = False,
) -> None:
    """Bring your own decisions: read a file, keep bad rows aside with their reasons, and profile the rest.

    What columns mean is found out from their names and told; --column says it, for sku, product_name, seen_at,
    price_offered and purchased, and where there are such store_id, shopper_id, category, base_price, unit_cost,
    inventory_level and propensity. Without --catalog a shelf is estimated from the file and written where you can mend
    it. The same file again changes nothing. docs/ingest.md tells more.
    """
    from etl.exports.columns import read_reading
    from etl.exports.read import open_export

    said = {
        "columns": _columns(column or []),
        "time_zone": time_zone,
        "time_format": time_format,
        "decimal": decimal,
        "delimiter": "\t" if delimiter == r"\t" else delimiter,
        "encoding": encoding,
    }
    reading = read_reading(map_file, said)
    folder = text_of(catalog)
    open_export(file, reading)  # what is refused by its header is refused before anything starts
    prepare()
    with orchestrated("flows.ingest"), progress_bars():
        from flows.ingest import ingest as flow

        done = flow(file, reading, folder)
    next_steps = _next_steps(done.shelf)
    if as_json:
        emit({**vars(done), "next": next_steps})
        return
    _show(done.row, reading.time_zone)
    if done.action == "unchanged":
        remark(f"{file} is in the lake already, read in the same way: nothing was done.")
    origin = "was estimated from the file: read it and mend it" if done.is_estimated else "was taken as it is"
    remark(f"The shelf in {done.shelf} {origin}.")
    remark("Next, with .venv/bin before each command:\n  " + "\n  ".join(next_steps))


def _columns(said: list[str]) -> dict[str, str]:
    columns = {}
    for text in said:
        ours, equals, theirs = text.partition("=")
        if not equals:
            raise DataError(f"--column {text}: expected OURS=THEIRS, such as seen_at=sold_on; nothing was read")
        if ours.strip() in columns:
            raise DataError(f"--column {text}: {ours.strip()} was said before; nothing was read: say it once")
        columns[ours.strip()] = theirs
    return columns


def _show(row: dict[str, Any], time_zone: str) -> None:
    taken = row["columns"]
    remark("Taken for what: " + ", ".join(f"{theirs} as {ours}" for ours, theirs in taken.items()))
    remark(f"Times without an offset were taken as {time_zone}.")
    for ours, consequence in _WITHOUT.items():
        if ours not in taken:
            remark(f"There is no {ours}: {consequence}.")
    counts = ["rows", "valid", "rejected", "first_date", "last_date"]
    show_table(f"{row['file']}, as the lake holds it", counts, [[row[name] for name in counts]])
    if row["reasons"]:
        reasons = sorted(row["reasons"].items(), key=lambda item: -item[1][0])
        columns = ["reason", "rows", "first in line"]
        show_table("Kept out, in the table rejected", columns, [[reason, *found] for reason, found in reasons])
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
        f"{enough} of {len(products)} products vary enough to learn from; whether prices are the cause, train says"
    )
    show_table("Products, money in EUR", names, products, caption, money=("lowest", "commonest", "highest"))


_WITHOUT = {
    "inventory_level": "stock is kept as unknown, and a full shelf is assumed where a policy asks for it",
    "unit_cost": "prices can earn revenue, not margin",
    "base_price": "the usual price stands for it, the one in the middle of all visits",
    "shopper_id": "visits to one product at one moment are numbered, so a row that is there twice cannot be told",
    "store_id": "everything is one store, S01",
    "propensity": "how often the file shows a price stands for the chance of showing it, which proves no cause",
}
"""What follows where a file lacks a column."""


def _next_steps(shelf: Path) -> list[str]:
    commands = ("transform", "train", "price", "quote --sku SKU --stock 20")
    return [f"shelfprice {command} --catalog {shlex.quote(str(shelf))}" for command in commands]
