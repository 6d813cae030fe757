"""When demand changed: the dates from which shoppers answered prices otherwise, as the drift checks found them."""

import datetime as dt

import duckdb

from features.cells import query


def demand_shifts(
    connection: duckdb.DuckDBPyConnection, through: dt.date, model_version: str | None = None
) -> tuple[dt.date, ...]:
    """Return the dates, ascending, that checks up to a date found.

    Parameters
    ----------
    model_version
        Only those that were found against this champion; None for all.
    """
    asked = {"through": through, "model_version": model_version}
    return tuple(date for (date,) in connection.execute(query("demand_shifts"), asked).fetchall())
