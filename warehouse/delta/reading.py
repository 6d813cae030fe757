"""Let DuckDB read the objects of a bucket, which it does through a file system of Python, without an extension."""

from typing import Any

from catalog.settings import Settings
from warehouse.delta.address import ATTEMPTS, lake_address, retries, store_options


def duckdb_filesystem(settings: Settings) -> Any | None:
    """Return what `connection.register_filesystem` takes, so that `read_parquet` opens lists of `s3://` addresses.

    It opens addresses that are written out, and finds nothing by a pattern: a pattern would also find objects that are
    not in force. None for a lake in a folder, whose paths DuckDB opens by itself.
    """
    if lake_address(settings).folder is not None:
        return None
    from obstore.fsspec import FsspecStore  # noqa: PLC0415 - it loads an event loop, which nothing else needs

    return FsspecStore("s3", retry_config=retries(ATTEMPTS), **store_options(settings))
