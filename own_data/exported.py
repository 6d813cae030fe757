"""Exported decisions: their prices were set by somebody else, for reasons that were not logged."""

import datetime as dt

import duckdb
import pandas as pd

from warehouse.sql_files import queries_beside

query = queries_beside(__file__)


def sold_by_week(connection: duckdb.DuckDBPyConnection, through: dt.date) -> pd.DataFrame:
    """Return what was sold at prices that somebody else set, up to a date; see `queries/sold_by_week.sql`."""
    return connection.execute(query("sold_by_week"), {"through": through}).df()


def holds_exported(connection: duckdb.DuckDBPyConnection, trained_through: dt.date, judged_through: dt.date) -> bool:
    """Tell whether any held-out decision was made at a price that somebody else set."""
    if not _count(connection, "files_up_to", {"through": judged_through}):
        return False
    span = {"trained_through": trained_through, "judged_through": judged_through}
    return _count(connection, "exported_holdout", span) > 0


def _count(connection: duckdb.DuckDBPyConnection, name: str, span: dict[str, dt.date]) -> int:
    [(count,)] = connection.execute(query(name), span).fetchall()
    return int(count)
