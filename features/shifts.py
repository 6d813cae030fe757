"""When demand changed: the dates from which shoppers responded to prices differently, as the drift checks found."""

import datetime as dt

import duckdb

from features.cells import query


def demand_shifts(
    connection: duckdb.DuckDBPyConnection, through: dt.date, model_version: str | None = None
) -> tuple[dt.date, ...]:
    """Return the dates of change, ascending, that the checks up to a date found.

    Parameters
    ----------
    model_version
        Only changes that were found against this champion; None for all.
    """
    asked = {"through": through, "model_version": model_version}
    return tuple(date for (date,) in connection.execute(query("demand_shifts"), asked).fetchall())
