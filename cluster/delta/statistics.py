"""What the log says of the rows of a file, so that engines skip files that cannot hold what they look for.

Taken from the footer of the Parquet file. Bounds must be true of every row: Parquet leaves out NaN, which engines sort
above all numbers, so a column with one has no bounds; nor has text that is long, or a number that JSON cannot write.
"""

import datetime as dt
import json
import math
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

_LONGEST_TEXT = 64  # characters
_MILLISECOND = dt.timedelta(milliseconds=1)


def statistics_of(content: bytes | memoryview, rows: pa.Table | None = None) -> str:
    """Return the number of rows, of nulls, and the bounds of columns, in the words of Delta's protocol.

    Parameters
    ----------
    content
        The bytes of a Parquet file.
    rows
        What it holds, read from it if not given.
    """
    file = pq.ParquetFile(pa.BufferReader(content))
    rows = file.read() if rows is None else rows
    said: dict[str, Any] = {"numRecords": len(rows), "minValues": {}, "maxValues": {}, "nullCount": {}}
    for field in rows.schema:
        if pa.types.is_nested(field.type):
            continue
        said["nullCount"][field.name] = rows[field.name].null_count
        is_bounded = not pa.types.is_floating(field.type) or not pc.any(pc.is_nan(rows[field.name])).as_py()
        bounds = _bounds(file.metadata, field.name) if is_bounded else []
        low, high = (_text_of(min(bounds)), _text_of(max(bounds), is_highest=True)) if bounds else (None, None)
        if low is not None and high is not None:
            said["minValues"][field.name], said["maxValues"][field.name] = low, high
    return json.dumps(said)


def _bounds(metadata: pq.FileMetaData, name: str) -> list[Any]:
    """Return the lowest and the highest value of a column in each group of rows; nothing where one is unknown."""
    groups = map(metadata.row_group, range(metadata.num_row_groups))
    columns = (group.column(number) for group in groups for number in range(group.num_columns))
    found = [one.statistics for one in columns if one.path_in_schema == name]
    if not all(one and (one.has_min_max or one.num_values == 0) for one in found):  # 0 values: nulls alone
        return []
    return [value for one in found if one.has_min_max for value in (one.min, one.max)]


def _text_of(value: Any, *, is_highest: bool = False) -> Any:
    """Return a bound as JSON has it, None for one that it has not; moments have milliseconds, rounded outwards."""
    if isinstance(value, dt.datetime):
        rounded = value.replace(microsecond=value.microsecond // 1000 * 1000)
        rounded += _MILLISECOND if is_highest and rounded < value else dt.timedelta()
        return rounded.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, str):
        return value if len(value) <= _LONGEST_TEXT else None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number and math.isfinite(value) else None
