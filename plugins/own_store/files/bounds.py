"""Bounds on what a file unpacks to, and Parquet read in batches of bounded memory.

Sales shrink to a tenth when they are compressed, a hostile file to a thousandth. So the bound follows the size of the
file, and is checked before anything is unpacked where the file says what it holds.
"""

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from catalog.errors import DataError

MOST_COLUMNS = 1_000
"""Of a CSV or a Parquet file."""
MOST_RATIO = 100
"""How many times its size a file may unpack to, beyond what any file may."""
MOST_UNPACKED, MOST_OF_WORKBOOK = 256 << 20, 64 << 20
"""Bytes that any file, and any workbook, may unpack to; a workbook takes ten times as much memory."""
_VALUE = 8  # bytes of memory for a value of Parquet, at least


def most_unpacked(size: int, least: int | None = None) -> int:
    """Return the bytes that a file of some size may unpack to."""
    return max(MOST_UNPACKED if least is None else least, MOST_RATIO * size)


def refuse_columns(count: int, where: str, most: int = MOST_COLUMNS) -> None:
    """Refuse a file with too many columns.

    Raises
    ------
    DataError
        When it has more.
    """
    if count > most:
        raise DataError(
            f"{where}: expected at most {most:,} columns, found {count:,}; nothing was read: export fewer columns"
        )


def refuse_large_parquet(file: pq.ParquetFile, size: int, where: str) -> None:
    """Refuse a Parquet file that says that it holds more than a file of its size may.

    Dictionary codes and run lengths store a column of equal values in a few bytes, so the values count as well.

    Raises
    ------
    DataError
        When it has too many columns, or unpacks to too many bytes.
    """
    found = file.metadata
    refuse_columns(found.num_columns, where)
    stored = sum(found.row_group(at).total_byte_size for at in range(found.num_row_groups))
    unpacked, most = max(stored, found.num_rows * found.num_columns * _VALUE), most_unpacked(size)
    if unpacked > most:
        raise DataError(
            f"{where}: expected Parquet of {size:,} bytes to unpack to at most {MOST_RATIO} times its size, or "
            f"{MOST_UNPACKED >> 20} MB, found {found.num_rows:,} rows of {unpacked >> 20:,} MB; nothing was read: "
            "export fewer rows to a file"
        )


_ROWS = 131_072
_LONG = 1_000  # bytes of a text


def opened(source: object) -> pq.ParquetFile:
    """Open a file so that texts stay codes until `bounded_batches` has looked at them."""
    with pq.ParquetFile(source) as file:
        texts = [field.name for field in file.schema_arrow if pa.types.is_string(field.type)]
    return pq.ParquetFile(source, read_dictionary=texts)


def bounded_batches(file: pq.ParquetFile, where: str, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """Yield some rows at a time.

    Raises
    ------
    DataError
        When texts of a batch unpack to more bytes than any file may.
    """
    for batch in file.iter_batches(_ROWS, columns=columns):
        rows = pa.Table.from_batches([batch])
        unpacked = sum(map(_bytes_of_text, rows.columns))
        if unpacked > MOST_UNPACKED:
            raise DataError(
                f"{where}: expected at most {MOST_UNPACKED >> 20} MB of text in {rows.num_rows:,} rows, found "
                f"{unpacked >> 20:,} MB; nothing was published: leave out columns of long texts"
            )
        yield rows


def _bytes_of_text(column: pa.ChunkedArray) -> int:
    """Return the bytes of the texts of a column of codes; short ones are not counted."""
    total = 0
    for chunk in column.chunks if pa.types.is_dictionary(column.type) else ():
        if not pa.types.is_string(chunk.dictionary.type):
            continue
        lengths = pc.binary_length(chunk.dictionary)
        if (pc.max(lengths).as_py() or 0) > _LONG:
            total += pc.sum(lengths.take(chunk.indices)).as_py() or 0
    return total
