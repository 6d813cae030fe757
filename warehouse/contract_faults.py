"""Hold the columns and the number of rows of a Parquet file against the contract of its table, and its receipt."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.contracts import TABLES
from warehouse.parquet import is_readable_as


def contract_faults(source: Path | pa.NativeFile, table: str, rows: int) -> Iterator[str]:
    """Yield what is wrong with a file, as sentences with the remedy.

    Parameters
    ----------
    rows
        What its receipt says.
    """
    try:
        described = pq.read_metadata(source)
    except (OSError, pa.ArrowException) as error:
        yield f"not readable as Parquet ({error}): make the partition again"
        return
    if described.num_rows != rows:
        yield f"it holds {described.num_rows} rows, its receipt says {rows}: make the partition again"
    if not is_readable_as(described.schema.to_arrow_schema(), TABLES[table]):
        yield "its columns are not those of the contract: make the partition again"
