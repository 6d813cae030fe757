"""What exported sales change for a belief: their prices were not randomised, and promotions lay beside them."""

import datetime as dt

import duckdb

from catalog.load import Catalog
from warehouse.checks.proof import Span
from warehouse.lake import Lake
from warehouse.query.connection import queries_beside

_query = queries_beside(__file__)


def holds_exported(connection: duckdb.DuckDBPyConnection, catalog: Catalog, after: dt.date, through: dt.date) -> bool:
    """Return whether a decision after a date, up to another, met the owner's price; hourly stores count only ours."""
    if catalog.store.is_priced_hourly or not _count(connection, "files_up_to", {"through": through}):
        return False
    return _count(connection, "exported_holdout", {"trained_through": after, "judged_through": through}) > 0


def spans_of_exports(lake: Lake, date: dt.date) -> tuple[Span, ...]:
    """Return the promotions of all the log before a date; empty where no sales were exported."""
    if not any(lake.partitions("ingested_files")):
        return ()
    return (Span("promotions", dt.date.min, date - dt.timedelta(days=1)),)


def _count(connection: duckdb.DuckDBPyConnection, name: str, span: dict[str, dt.date]) -> int:
    [(count,)] = connection.execute(_query(name), span).fetchall()
    return int(count)
