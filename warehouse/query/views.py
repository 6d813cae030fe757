"""The views that show a table of the lake as it is, made from the contracts.

A view of a table needs no file of its own: its columns, and whether it is kept by day, stand in its contract. Views
that do more than show a table are files, and stand on these.
"""

import duckdb

from catalog.names import LIVE_GROUP
from catalog.tables.contracts import TABLES
from catalog.tables.table import Table
from warehouse.lake import Lake, empty_partition
from warehouse.partition import Within
from warehouse.receipts import RECEIPT_ENDING, RECEIPTS
from warehouse.stores.folder import LocalStore

_CLOSED = ("interactions", "repricings")
_NEWEST_SHOWN = ("demand_curves",)
_MADE_BY_NIGHT = (
    *("model_versions", "champions", "nights", "demand_curves", "beliefs", "said_beforehand", "booked_prices"),
)
_FOR_PEOPLE = (
    "belief_updates",
    "days_in_force",
    "catalogs",
    "live_interactions",
    "live_repricings",
    "rejected",
    "markdowns",
    "alerts",
    "notifications",
    "export_batches",
    "label_states",
)
"""What is kept for people and for replay: no learning or pricing reads it, and each view takes milliseconds."""
_WITH_RECEIPTS = ("interactions", "unit_sales", "repricings", "demand_cells")
_POOL = "shoppers"
_LIVE = ("live_interactions", "live_repricings")


def view_names() -> dict[str, str]:
    """Return the table that each generated view shows, by the name of the view.

    The plain name belongs to a file where more is shown than the table (days that are being sold are added to the
    closed ones) or less (the newest of a history; live days that have not closed; shoppers where they are known).
    """
    return {_view_of(name): name for name in TABLES}


def create_table_views(connection: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    """Create a view of each table of the lake; the macros that read the lake must be there.

    In a plain folder a view finds its files itself. Elsewhere a variable of the connection names those of each table,
    see `set_files`.
    """
    in_a_folder = isinstance(lake.store, LocalStore)
    if not in_a_folder:
        set_files(connection, lake)
    for view, name in view_names().items():
        macro, pattern = _rows_of(TABLES[name])
        files: str | list[str] = pattern
        source = (macro, [files]) if in_a_folder else (f"{macro}_in", [name])
        connection.table_function(*source).create_view(view)


def set_files(connection: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    """Name the files that are in force in a lake that is not a plain folder, at one consistent moment."""
    files: dict[str, list[str]] = {name: [] for name in (*TABLES, "receipts", "closed_live_days")}
    for partition, place in sorted(lake.store.snapshot().items()):
        files[partition.table].append(place)
        if partition.table in _WITH_RECEIPTS:
            lake_folder, _, file = place.rpartition(f"/{partition.table}/")
            name = f"{partition.table}/{file.removesuffix('.parquet')}{RECEIPT_ENDING}"
            files["receipts"].append(f"{lake_folder}/{RECEIPTS}/{name}")
        if partition.table in _CLOSED and partition.group.startswith(LIVE_GROUP):
            files["closed_live_days"].append(place)
    connection.execute("set variable lake_files = $files", {"files": files})


def create_views_of_dates(connection: duckdb.DuckDBPyConnection, lake: Lake, within: Within) -> None:
    """Create the same views of some business dates alone, but for what nights make, and for what people alone read."""
    for view, name in view_names().items():
        if name in _MADE_BY_NIGHT or name in _FOR_PEOPLE:
            continue
        macro, pattern = _rows_of(TABLES[name])
        files: str | list[str] = pattern
        if TABLES[name].by == "day" or not isinstance(lake.store, LocalStore):
            # the empty partition carries the columns where no date has a file, or where the first one is damaged
            files = lake.places((empty_partition(name), *lake.partitions(name, within)))
        connection.table_function(macro, [files]).create_view(view)


def _view_of(table: str) -> str:
    if table in _CLOSED:
        return f"closed_{table}"
    if table == _POOL:
        return "shopper_pool"
    if table in _LIVE:
        return f"{table}_published"
    return f"{table}_history" if table in _NEWEST_SHOWN else table


def _rows_of(table: Table) -> tuple[str, str]:
    """Return the macro that reads a table, and its files relative to the home."""
    if table.by == "day":
        return "lake_by_day", f"lake/{table.name}/*/*.parquet"
    return "lake_by_key", f"lake/{table.name}/*.parquet"
