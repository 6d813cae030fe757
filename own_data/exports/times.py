"""The times of an export: joined where date and time of day are two columns, and refused where nobody understands them.

A time of day is `18:30`, `18:30:05`, or the digits of one without colons, as tills write it: `1830` or `183005`.
"""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.errors import DataError
from etl.files.block import Block
from etl.files.shown import shown
from own_data.exports.columns import Reading
from own_data.exports.parse import moments

_HAS_DATE = r"\d[-/]\d|\d\.\d+\."
_MIDNIGHT = r"[ T]00:00(:00(\.0+)?)?$"
_HOURS_MINUTES, _WITH_SECONDS = 4, 6  # digits


def with_times(block: Block, theirs: Mapping[str, str]) -> Block:
    """Return rows whose dates have the time of day of the column beside them; a row that lacks either has no time."""
    if "time_of_day" not in theirs:
        return block
    name = theirs["seen_at"]
    date, time = (block.rows[theirs[ours]].combine_chunks() for ours in ("seen_at", "time_of_day"))
    time = _time_of_day(time)
    day = pc.replace_substring_regex(_day(date), _MIDNIGHT, "")
    both = pc.binary_join_element_wise(day, time, " ")
    is_whole = pc.fill_null(pc.match_substring_regex(time, _HAS_DATE), pa.scalar(value=False))
    moment = pc.if_else(is_whole, time, both)
    rows = block.rows.set_column(block.rows.column_names.index(name), name, moment)
    return Block(rows, block.lines, block.ragged, block.read)


def refuse_unread_times(block: Block, theirs: Mapping[str, str], reading: Reading, where: str) -> None:
    """Refuse a file in which most of the first times cannot be read, or all of them where its grain was said.

    Raises
    ------
    DataError
        With the column, the first such value and its line, and what is understood.
    """
    column = block.rows[theirs["seen_at"]].combine_chunks()
    read = moments(column, reading.model_copy(update={"time_zone": "UTC"}))[0]
    unread = np.asarray(pc.and_(pc.is_valid(column), pc.is_null(read)).to_numpy(zero_copy_only=False))
    count = int(unread.sum())
    n_written = len(column) - column.null_count
    if 2 * count <= n_written or (reading.grain is not None and count < n_written):
        return  # what a row is can be told, and the rows that are not understood are rejected one by one
    first = int(np.argmax(unread))
    understood = (
        "2026-12-31, 2026-12-31 18:30:00, also with an offset such as +01:00, and 31.12.2026 18:30"
        if reading.time_format is None
        else f"the form {reading.time_format!r}"
    )
    raise DataError(
        f"{where} line {block.lines[first]}: expected dates or times in {theirs['seen_at']!r}, found "
        f"{shown(column[first].as_py())}, as in {count:,} of the first {len(column):,} rows; nothing was published. "
        f"Understood are {understood}: say another form with --time-format, such as --time-format '%d/%m/%Y %H:%M', or "
        "another column with --column seen_at=NAME"
    )


def _day(column: pa.Array) -> pa.Array:
    if pa.types.is_timestamp(column.type):
        return pc.strftime(column, "%Y-%m-%d")
    return pc.utf8_trim_whitespace(column.cast(pa.string()))


def _time_of_day(column: pa.Array) -> pa.Array:
    """Return times as text with colons."""
    if pa.types.is_floating(column.type):
        column = column.cast(pa.int64(), safe=False)
    if pa.types.is_timestamp(column.type):
        return pc.strftime(column, "%H:%M:%S")
    text = pc.utf8_trim_whitespace(column.cast(pa.string()))
    few = pc.utf8_lpad(text, _HOURS_MINUTES, "0")
    many = pc.utf8_lpad(text, _WITH_SECONDS, "0")
    hours = pc.replace_substring_regex(few, r"^(\d\d)(\d\d)$", r"\1:\2")
    seconds = pc.replace_substring_regex(many, r"^(\d\d)(\d\d)(\d\d)$", r"\1:\2:\3")
    text = pc.if_else(pc.match_substring_regex(text, r"^\d{1,4}$"), hours, text)
    return pc.if_else(pc.match_substring_regex(text, r"^\d{5,6}$"), seconds, text)
