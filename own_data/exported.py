"""Exported decisions: their prices were set by somebody else, for reasons that were not logged."""

import datetime as dt

import duckdb
import pandas as pd

from warehouse.sql_files import queries_beside

query = queries_beside(__file__)


def exported_cells(connection: duckdb.DuckDBPyConnection, through: dt.date) -> pd.DataFrame:
    """Return what was sold at exported prices up to a date, where there was stock: visits and unit sales alike.

    Returns
    -------
    pd.DataFrame
        One row per `sku`, `store_id`, `business_date`, `hour` (local, null for a whole day) and `price_offered` (EUR);
        no rows where no file was ingested. Of visits, `n_offered` counts those that saw the price and `n_purchased`
        those that bought. Where `is_count` is true, `n_purchased` is units, and `n_offered` their exposure: shoppers in
        the store where that is known, else days. `is_promotion` is null where nothing is known of promotions.
    """
    if not _count(connection, "files_up_to", {"through": through}):
        return pd.DataFrame()
    return connection.execute(query("exported_cells"), {"through": through}).df()


def drawn_by_owner(connection: duckdb.DuckDBPyConnection, through: dt.date) -> pd.DataFrame:
    """Return what sold at prices that a file says were drawn, up to a date; see `queries/drawn_by_owner.sql`."""
    return connection.execute(query("drawn_by_owner"), {"through": through}).df()


def holds_exported(connection: duckdb.DuckDBPyConnection, trained_through: dt.date, judged_through: dt.date) -> bool:
    """Tell whether any held-out decision was made at a price that somebody else set."""
    if not _count(connection, "files_up_to", {"through": judged_through}):
        return False
    span = {"trained_through": trained_through, "judged_through": judged_through}
    return _count(connection, "exported_holdout", span) > 0


def _count(connection: duckdb.DuckDBPyConnection, name: str, span: dict[str, dt.date]) -> int:
    [(count,)] = connection.execute(query(name), span).fetchall()
    return int(count)
