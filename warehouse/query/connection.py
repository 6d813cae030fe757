"""DuckDB over the lake: a file of views for everyone who reads, and connections in memory for those who compute.

DuckDB lets one process write a file or many read it. So no work is done in the file: it holds views alone, is written
under another name and renamed, and flows compute in memory. Nobody ever waits for a writer. Who opens a connection
first finishes what a kill left of a commit, so that no query sees a part of one.
"""

import hashlib
import os
from collections.abc import Callable, Iterable
from functools import cache
from itertools import chain
from pathlib import Path
from threading import Lock

import duckdb
import pyarrow as pa

from catalog import hooks
from catalog.errors import LakeError
from catalog.settings import Settings
from catalog.tables.contracts import TABLES, described_columns
from warehouse.checks.proof import prove_all
from warehouse.lake import Lake
from warehouse.partition import Within
from warehouse.query.advice import remedy
from warehouse.query.views import create_table_views, create_views_of_dates, set_files, view_names
from warehouse.stores.folder import LocalStore


def queries_beside(*modules: str) -> Callable[[str], str]:
    """Return a function that reads a query by name from the folder `queries` beside a module's `__file__`.

    Of several modules, the first that has the query counts.
    """
    paths = {
        path.stem: path for module in reversed(modules) for path in (Path(module).parent / "queries").glob("*.sql")
    }
    return cache(lambda name: paths[name].read_text(encoding="utf-8"))


_HERE = Path(__file__).parent
MACROS = _HERE / "macros"
_COMMENTS = _HERE / "comments"
VIEWS, MARTS = _HERE / "views", _HERE / "marts"
VIEW_FOLDERS = (VIEWS, MARTS, *hooks.VIEWS.all())
_query = queries_beside(__file__)
_PARSED: dict[Path, list[duckdb.Statement]] = {}
_LOCKING = Lock()
_FOR_READING: dict[str, str | bool] = {
    "enable_external_file_cache": False,  # partitions are replaced under it
    "python_enable_replacements": False,  # a name in a query is a view, never a variable of this program
    "temp_directory": "",  # the disk belongs to the flows
    "TimeZone": "UTC",
}
_MEMORY = "1GB"
"""What a connection that computes holds in memory; more is spilled to a folder in the home."""

_STORAGE_VERSION = "v1.5.0"  # the DuckDB CLI on PyPI reads no newer one


def workbench(settings: Settings, within: Within | None = None) -> duckdb.DuckDBPyConnection:
    """Return a connection in memory with a view of every table of the lake.

    Marts are for people: a connection that computes does without them, and opens a third sooner. It holds a gigabyte in
    memory and spills the rest to a folder in the home.

    Parameters
    ----------
    within
        Which business dates are worked on. With it, tables by day show these dates alone, and no file of another date
        is opened, however many there are. Days that are being sold, receipts, what nights make (versions,
        champions, books, curves, beliefs) and what is kept for people alone are not shown then.
    """
    lake = Lake(settings)
    lake.finish_interrupted()
    computing = {"temp_directory": str(settings.spill), "memory_limit": _MEMORY}
    connection = duckdb.connect(config=_config(settings) | computing)
    try:
        lake.store.let_open(connection)
        run_scripts(connection, [MACROS])
        if within is None:
            create_table_views(connection, lake)
            run_scripts(connection, [lake.store.views, VIEWS])
        else:
            create_views_of_dates(connection, lake, within)
            run_script(connection, VIEWS / "decisions_with_stock.sql")
    except duckdb.Error:
        connection.close()
        prove_all(lake, chain.from_iterable(map(lake.partitions, TABLES)), sets_aside=False)
        raise
    return connection


def workbench_with_marts(settings: Settings) -> duckdb.DuckDBPyConnection:
    """Return a connection in memory with a view of every table of the lake, and every mart of core and plugins."""
    connection = workbench(settings)
    run_scripts(connection, VIEW_FOLDERS[1:])
    return connection


def run_scripts(connection: duckdb.DuckDBPyConnection, folders: Iterable[Path], *, with_comments: bool = False) -> None:
    """Run every .sql file of some folders, in order of folder and name.

    Comments on views and columns are for people: a connection that computes does without them, and opens sooner.
    """
    for path in _scripts(folders):
        run_script(connection, path, with_comments=with_comments)


def run_script(connection: duckdb.DuckDBPyConnection, path: Path, *, with_comments: bool = False) -> None:
    """Run one .sql file, as `run_scripts` does."""
    for statement in _statements(connection, path):
        if with_comments or statement.type == duckdb.StatementType.CREATE:
            connection.execute(statement)


def read_only(settings: Settings, memory_limit: str | None = None) -> duckdb.DuckDBPyConnection:
    """Open the file of views read-only; any number of processes may do so while flows write.

    The connection reads the lake and no other file or address, loads no extension, spills nothing to the disk, sees no
    variable of this program, and its settings cannot be changed. Who passes on what people wrote asks
    `warehouse.query.questions` first: of the files in the lake, DuckDB alone would also write some.

    Parameters
    ----------
    memory_limit
        As DuckDB writes it, such as `1GB`; by default four fifths of the machine's. Of several connections to one file
        in one process, the first one decides.

    Raises
    ------
    LakeError
        When there is no warehouse yet.
    """
    if not settings.warehouse_file.exists():
        raise LakeError(
            f"{settings.warehouse_file}: there is no warehouse yet, so nothing was read; {remedy(settings)}"
        )
    lake = Lake(settings)
    lake.finish_interrupted()
    connection = duckdb.connect(str(settings.warehouse_file), read_only=True, config=_config(settings) | _FOR_READING)
    show_newest(connection, lake)
    with _LOCKING:
        if connection.execute("select current_setting('lock_configuration')").fetchall() != [(True,)]:
            _lock(connection, lake, memory_limit)
    return connection


def show_newest(connection: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    """Let the views of a connection that stays open show what is in force now; in a plain folder they always do."""
    if not isinstance(lake.store, LocalStore):
        lake.store.let_open(connection)
        set_files(connection, lake)


def _lock(connection: duckdb.DuckDBPyConnection, lake: Lake, memory_limit: str | None) -> None:
    """Leave a connection with the lake alone."""
    connection.execute("set allowed_directories = $1", [lake.store.folders])
    connection.execute("set enable_external_access = false")
    if memory_limit is not None:
        connection.execute("set memory_limit = $1", [memory_limit])
    connection.execute("set lock_configuration = true")


def build_file(settings: Settings, view_folders: Iterable[Path]) -> bool:
    """Build the file of views unless the one in place was built from the same definitions and products.

    Parameters
    ----------
    view_folders
        Folders of view definitions, in order; views of the tables themselves come before them.

    Returns
    -------
    bool
        Whether a new file was built.
    """
    lake = Lake(settings)
    folders = [lake.store.views, *view_folders]
    products = [lake.receipt(partition) for partition in lake.partitions("products")]
    columns = described_columns()
    scripts = [path.read_text(encoding="utf-8") for path in _scripts([MACROS, *folders, _COMMENTS])]
    definitions = [*scripts, _query("dictionary"), str(view_names()), str(columns.to_pylist()), str(products)]
    fingerprint = hashlib.sha256("\n".join(definitions).encode()).hexdigest()
    target = settings.warehouse_file
    if target.exists() and _fingerprint_of(settings) == fingerprint:
        return False
    target.parent.mkdir(parents=True, exist_ok=True)  # a machine that is new to a lake that is elsewhere
    draft = target.with_suffix(f".{os.getpid()}.new")
    draft.unlink(missing_ok=True)
    _write_file(draft, lake, folders, columns, fingerprint)
    draft.replace(target)
    return True


def _write_file(draft: Path, lake: Lake, folders: Iterable[Path], columns: pa.Table, fingerprint: str) -> None:
    connection = duckdb.connect(
        str(draft), config=_config(lake.settings) | {"storage_compatibility_version": _STORAGE_VERSION}
    )
    try:
        lake.store.let_open(connection)
        connection.begin()  # else each of hundreds of statements waits for the disk
        run_scripts(connection, [MACROS])
        create_table_views(connection, lake)
        run_scripts(connection, [*folders, _COMMENTS], with_comments=True)
        connection.register("contract_columns", columns)
        connection.execute(_query("dictionary"))
        connection.unregister("contract_columns")
        connection.execute("create table about as select $1 as definitions_fingerprint", [fingerprint])
        connection.commit()
    finally:
        connection.close()


def _fingerprint_of(settings: Settings) -> str | None:
    try:
        with read_only(settings) as connection:
            row = connection.execute("select definitions_fingerprint from about").fetchone()
    except duckdb.Error:
        return None  # not ours or damaged: build it anew
    return str(row[0]) if row else None


def _scripts(folders: Iterable[Path]) -> Iterable[Path]:
    for folder in folders:
        yield from sorted(folder.glob("*.sql"))


def _statements(connection: duckdb.DuckDBPyConnection, path: Path) -> list[duckdb.Statement]:
    """Return the statements of a file; parsing them is a sixth of opening a connection, so it is done once."""
    if path not in _PARSED:
        _PARSED[path] = connection.extract_statements(path.read_text(encoding="utf-8"))
    return _PARSED[path]


def _config(settings: Settings) -> dict[str, str | bool | int | float | list[str]]:
    return {
        "file_search_path": str(settings.home),
        "autoinstall_known_extensions": False,
        "allow_community_extensions": False,
    }
