"""Reads a Parquet file row group by row group. Only the columns that are used must have a type that fits."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from catalog.errors import DataError
from etl.files.block import Block, without_blank_rows
from etl.files.bounds import refuse_large_parquet
from etl.files.parquet import bounded_batches, opened

NAMES = frozenset({"sku", "product_name", "store_id", "shopper_id", "category", "receipt", "event"})
"""Our columns that name something: numbers there are names, so 17.0 is 17."""
YES_OR_NO = frozenset({"purchased", "promotion", "display", "leaflet"})
TIMES = frozenset({"seen_at"})
TIME_OF_DAY = "time_of_day"
_CALENDAR = (-62_135_596_800, 253_402_300_799)  # seconds since 1970 of the years 1 to 9999
_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000}
_REMEDIES = (
    (pa.types.is_nested, "write its parts as columns of their own"),
    (pa.types.is_binary, "write it as text"),
    (pa.types.is_large_binary, "write it as text"),
    (pa.types.is_binary_view, "write it as text"),
    (pa.types.is_fixed_size_binary, "write it as text"),
    (pa.types.is_time, "write date and time as one column of timestamps"),
    (pa.types.is_integer, "write timestamps: a number does not say what it counts"),
    (pa.types.is_floating, "write timestamps: a number does not say what it counts"),
)


def names_of(path: Path, where: str) -> tuple[str, ...]:
    """Return the names of a file's columns.

    Raises
    ------
    DataError
        When it cannot be read as Parquet.
    """
    with _opened(path, where) as file:
        return tuple(file.schema_arrow.names)


def refuse_types(path: Path, where: str, theirs: Mapping[str, str]) -> None:
    """Refuse a file in which a column that is used has a type that cannot be read as what it was taken for.

    Parameters
    ----------
    theirs
        The name of each used column in the file, by ours.

    Raises
    ------
    DataError
        With the column, its type and what to do.
    """
    with _opened(path, where) as file:
        schema = file.schema_arrow
    for ours, name in theirs.items():
        kind = schema.field(name).type
        if not _fits(ours, _value_type(kind)):
            otherwise = "write timestamps" if ours in TIMES else "write it as text or numbers"
            todo = next((todo for is_kind, todo in _REMEDIES if is_kind(kind)), otherwise)
            raise DataError(
                f"{where}: expected {_expected(ours)} in the column {name!r}, taken for {ours}, found the type {kind}; "
                f"nothing was read: {todo}, or say which column it is with --column {ours}=NAME"
            )


def parquet_blocks(path: Path, where: str, theirs: Mapping[str, str]) -> Iterator[Block]:
    """Yield the rows of the columns that are used, in order.

    Raises
    ------
    DataError
        When the file cannot be read to its end.
    """
    names = list(theirs.values())
    with _opened(path, where) as file:
        total, done = max(1, file.metadata.num_rows), 0
        for rows in bounded_batches(file, where, names):
            lines = np.arange(done + 1, done + 1 + rows.num_rows)
            done += rows.num_rows
            plain = [_plain(ours, rows[name]) for ours, name in theirs.items()]
            yield without_blank_rows(Block(pa.table(plain, names=names), lines, (), done / total))


def as_names(numbers: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return floats as texts, whole ones without a decimal point, and null for what is not a number."""
    numbers = pc.if_else(pc.is_nan(numbers), None, numbers)
    whole = pc.and_(pc.equal(numbers, pc.trunc(numbers)), pc.less(pc.abs(numbers), float(2**53)))
    return pc.if_else(
        pc.fill_null(whole, pa.scalar(value=False)),
        pc.if_else(whole, numbers, None).cast(pa.int64()).cast(pa.string()),
        numbers.cast(pa.string()),
    )


def _value_type(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)


def _fits(ours: str, kind: pa.DataType) -> bool:
    if _is_text(kind) or pa.types.is_null(kind):
        return True
    if ours in TIMES:
        return pa.types.is_timestamp(kind) or pa.types.is_date(kind)
    if ours == TIME_OF_DAY and pa.types.is_time(kind):
        return True
    return _is_number(kind) or (ours in YES_OR_NO and pa.types.is_boolean(kind))


def _expected(ours: str) -> str:
    if ours in TIMES:
        return "times or text"
    if ours in NAMES:
        return "text or numbers"
    return "0 and 1, true and false, or text" if ours in YES_OR_NO else "numbers or text"


def _plain(ours: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return text instead of codes, one text type everywhere, and floats instead of decimals."""
    kind = _value_type(column.type)
    if _is_text(kind) or pa.types.is_null(kind):
        return column.cast(pa.string())
    column = column.cast(kind)
    if pa.types.is_time(kind):
        return column.cast(pa.string())
    if ours in TIMES:
        return _within_calendar(column)
    if ours in NAMES and pa.types.is_decimal(kind) and kind.scale == 0:
        return column.cast(pa.string())
    if ours in NAMES and not pa.types.is_integer(kind):
        return as_names(column.cast(pa.float64()))
    return column if pa.types.is_integer(kind) or not _is_number(kind) else column.cast(pa.float64())


def _within_calendar(times: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return times, as text where one is not in the years 1 to 9999: its row can then be rejected with it."""
    moments = times.cast(pa.timestamp("s"), safe=False) if pa.types.is_date(times.type) else times
    unit = moments.type.unit
    if unit == "ns":
        return times  # 64 bits of nanoseconds end in 2262
    ends = pc.min_max(moments.cast(pa.int64())).as_py()
    first, last = (second * _PER_SECOND[unit] for second in _CALENDAR)
    if ends["min"] is None or (first <= ends["min"] and ends["max"] <= last):
        return times
    return moments.cast(pa.timestamp(unit, tz=moments.type.tz and "UTC")).cast(pa.string())


@contextmanager
def _opened(path: Path, where: str) -> Iterator[pq.ParquetFile]:
    try:
        with opened(path) as file:
            refuse_large_parquet(file, path.stat().st_size, where)
            yield file
    except (OSError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(
            f"{where}: cannot be read as Parquet ({reason}); nothing was published: write or download it again"
        ) from error
