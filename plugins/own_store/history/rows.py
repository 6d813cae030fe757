"""Reads blocks of a file as numbers, flags and times, in SQL: each column is text first, also where it has a type.

Numbers and times are read strictly, by the declared rules. What cannot be read is null, and gets a reason when the rows
are staged.
"""

from dataclasses import dataclass, field

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.currency import EUR, Currency
from catalog.errors import DataError, first_line
from plugins.own_store.files.block import Block, shown
from plugins.own_store.files.decimals import NumberFormat
from plugins.own_store.history.columns import NUMBERS, Columns, Reading
from warehouse.query.connection import queries_beside

NAMES = frozenset(
    {
        *("sku", "product_name", "category", "brand", "tier"),
        *("store_id", "shopper_id", "receipt", "event", "time_of_day"),
    }
)
"""Our columns in which numbers are names: 17.0 is 17."""
_NEEDED = ("seen_at", "purchased", "shopper_id", "units", "receipt", "hour")
query = queries_beside(__file__)


def connect(database: str = ":memory:", **config: str | int) -> duckdb.DuckDBPyConnection:
    """Return a connection that knows how the text of a file is read."""
    connection = duckdb.connect(database, config={"python_enable_replacements": False, **config})
    connection.execute(query("macros"))
    return connection


def table_of(connection: duckdb.DuckDBPyConnection, name: str, **given: object) -> pa.Table:
    """Return the rows of a query, which is named."""
    return connection.sql(query(name), params=given).to_arrow_table()


@dataclass
class RowReader:
    """Reads one block after another; what the numbers have shown so far counts for the blocks that follow."""

    connection: duckdb.DuckDBPyConnection
    columns: Columns
    reading: Reading
    where: str
    money: Currency = EUR
    numbers: NumberFormat = field(init=False)
    decimal: str = "."

    def __post_init__(self) -> None:
        self.numbers = NumberFormat(self.reading.decimal)

    @property
    def is_sales(self) -> bool:
        """Whether rows are units or lines of receipts."""
        return self.columns.grain in ("receipts", "units")

    def parsed(self, block: Block) -> pa.Table:
        """Return the rows of a block as `parse_rows.sql` reads them, in their order."""
        theirs, form = self.columns.theirs, self.reading.time_format
        columns = {ours: _decoded(block.rows[name].combine_chunks()) for ours, name in theirs.items()}
        written = {theirs[ours]: column for ours, column in columns.items() if ours in NUMBERS}
        self.decimal = self.numbers.sign_in(written, block.lines, self.where)
        texts = {ours: self._text(ours, column) for ours, column in columns.items()}
        missing = [texts[name].is_null() for name in self._needed() if name in theirs]
        texts["is_missing"] = np.logical_or.reduce([column.to_numpy(zero_copy_only=False) for column in missing])
        self.connection.register("block", pa.table({"line": block.lines, **texts}))
        given = {
            "decimal": self.decimal,
            "divisor": self.money.scale if self.reading.price_unit == "cents" else 1,
            "scale": self.money.scale,
            "time_format": form,
            "has_offset": form is not None and "%z" in form,
            "has_time_of_day": "time_of_day" in theirs,
            "has_stores": "store_id" in theirs,
            "has_units": "units" in theirs,
            "has_revenue": "revenue" in theirs,
            "is_sales": self.is_sales,
        }
        try:
            return table_of(self.connection, "parse_rows", **given)
        except duckdb.InvalidInputException as error:
            raise DataError(
                f"{self.where}: expected a form of times for --time-format, such as '%d/%m/%Y %H:%M', found {form!r} "
                f"({first_line(error)}); nothing was read"
            ) from error

    def _needed(self) -> tuple[str, ...]:
        """Return columns without which a row says nothing; where no unit was sold, a price may be left out."""
        product = "sku" if "sku" in self.columns.theirs else "product_name"
        return (*_NEEDED, product, "store_id", *(() if self.is_sales else ("price_offered",)))

    def _text(self, ours: str, column: pa.Array) -> pa.Array:
        """Return one of our columns as text without spaces around it, null where there is none."""
        if not pa.types.is_string(column.type):
            column = as_text(ours, column, has_time="time_of_day" in self.columns.theirs)
            if ours in NUMBERS and self.decimal == ",":
                column = pc.replace_substring(column, ".", ",")
        text = pc.utf8_trim_whitespace(column)
        return pc.if_else(pc.equal(text, ""), None, text)


def _decoded(column: pa.Array) -> pa.Array:
    """Return text instead of codes, and one type of text everywhere."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    is_text = pa.types.is_large_string(kind) or pa.types.is_string_view(kind) or pa.types.is_null(kind)
    return column.cast(pa.string() if is_text else kind)


def as_text(ours: str, column: pa.Array, *, has_time: bool = False) -> pa.Array:
    """Return typed values as the text that reads back as the same values.

    Parameters
    ----------
    has_time
        Whether the file has a time of day beside its date.
    """
    kind = column.type
    if pa.types.is_timestamp(kind):
        if ours == "time_of_day" or (ours == "seen_at" and has_time):
            return pc.strftime(column, "%H:%M:%S" if ours == "time_of_day" else "%Y-%m-%d")
        unit = "us" if kind.unit == "ns" else kind.unit  # finer parts are cut off
        return column.cast(pa.timestamp(unit, kind.tz and "UTC"), safe=False).cast(pa.string())
    if pa.types.is_date(kind):
        return column.cast(pa.date32()).cast(pa.string())
    if pa.types.is_decimal(kind) and not (ours in NAMES and kind.scale == 0):
        column = column.cast(pa.float64())
    if not pa.types.is_floating(column.type):
        return column.cast(pa.string())
    numbers = column.cast(pa.float64())
    if ours not in NAMES:
        return numbers.cast(pa.string())
    numbers = pc.if_else(pc.is_nan(numbers), None, numbers)
    is_whole = pc.and_(pc.equal(numbers, pc.trunc(numbers)), pc.less(pc.abs(numbers), float(2**53)))
    whole = pc.if_else(is_whole, numbers, None).cast(pa.int64()).cast(pa.string())
    return pc.coalesce(whole, numbers.cast(pa.string()))


def refuse_unread_times(block: Block, parsed: pa.Table, theirs: dict[str, str], reading: Reading, where: str) -> None:
    """Refuse a file in which most of the first times cannot be read, or all of them where its grain was said.

    Raises
    ------
    DataError
        With the column, the first such value and its line, and what is understood.
    """
    column = block.rows[theirs["seen_at"]].combine_chunks()
    is_read = pc.or_(pc.is_valid(parsed["exact_us"]), pc.is_valid(parsed["local_us"])).combine_chunks()
    unread = np.asarray(pc.and_not(pc.is_valid(column), is_read).to_numpy(zero_copy_only=False))
    count, n_written = int(unread.sum()), len(column) - column.null_count
    if 2 * count <= n_written or (reading.grain is not None and count < n_written):
        return  # what a row is can be told, and the rows that are not understood are rejected one by one
    first = int(np.argmax(unread))
    [found] = _decoded(column.slice(first, 1)).cast(pa.string()).to_pylist()
    understood = (
        "2026-12-31, 2026-12-31 18:30:00, also with an offset such as +01:00, and 31.12.2026 18:30"
        if reading.time_format is None
        else f"the form {reading.time_format!r}"
    )
    raise DataError(
        f"{where} line {block.lines[first]}: expected dates or times in {theirs['seen_at']!r}, found "
        f"{shown(found)}, as in {count:,} of the first {len(column):,} rows; nothing was published. "
        f"Understood are {understood}: say another form with --time-format, such as --time-format '%d/%m/%Y %H:%M', or "
        "another column with --column seen_at=NAME"
    )
