"""The views that show a table of the lake as it is, made from the contracts.

A view of a table needs no file of its own: its columns, and whether it is kept by day, stand in its contract. Views
that do more than show a table are files, and stand on these.
"""

import duckdb

from catalog.contracts import TABLES
from catalog.table import Table
from warehouse.lake import Lake, empty_partition
from warehouse.within import Within

_CLOSED = ("interactions", "repricings")
_NEWEST_SHOWN = ("price_book", "demand_curves", "policy_results", "learning_results", "regret_by_day", "drift_results")
TABLES_THAT_GAINED_COLUMNS = (
    "price_book",
    "replaced_price_book",
    "demand_curves",
    "replaced_demand_curves",
    "nights",
    "model_versions",
    "ingested_files",
)
_MADE_BY_NIGHT = ("model_versions", "champions", "nights", "price_book", "demand_curves", "beliefs")
_POOL = "shoppers"
_LIVE = ("live_interactions", "live_repricings")


def view_names() -> dict[str, str]:
    """Return the table that each generated view shows, by the name of the view.

    The plain name belongs to a file where more is shown than the table (days that are being sold are added to the
    closed ones) or less (the newest of a history; live days that have not closed; shoppers where they are known).
    """
    return {_view_of(name): name for name in TABLES if name not in _LIVE}


def create_table_views(connection: duckdb.DuckDBPyConnection) -> None:
    """Create a view of each table of the lake; the macros that read the lake must be there."""
    for view, name in view_names().items():
        macro, arguments = _rows_of(TABLES[name])
        connection.table_function(macro, list(arguments)).create_view(view)


def create_views_of_dates(connection: duckdb.DuckDBPyConnection, lake: Lake, within: Within) -> None:
    """Create the same views of some business dates alone, but for what nights make: that is read by its name."""
    for view, name in view_names().items():
        if name in _MADE_BY_NIGHT:
            continue
        macro, (files, has_gained) = _rows_of(TABLES[name])
        if TABLES[name].by == "day":  # the empty partition carries the columns where no date has a file
            files = lake.places((empty_partition(name), *lake.partitions(name, within)))
        connection.table_function(macro, [files, has_gained]).create_view(view)


def _view_of(table: str) -> str:
    if table in _CLOSED:
        return f"closed_{table}"
    if table == _POOL:
        return "shopper_pool"
    return f"{table}_history" if table in _NEWEST_SHOWN else table


def _rows_of(table: Table) -> tuple[str, tuple[str | list[str], bool]]:
    """Return the macro that reads a table and its arguments; files are relative to the home."""
    has_gained = table.name in TABLES_THAT_GAINED_COLUMNS
    if table.by == "day":
        return "lake_by_day", (f"lake/{table.name}/*/*.parquet", has_gained)
    return "lake_by_key", (f"lake/{table.name}/*.parquet", has_gained)
