"""Rows of a Parquet file in batches whose memory is bounded: a text that is stored once may stand in every row."""

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from catalog.errors import DataError
from etl.files.bounds import MOST_UNPACKED

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
