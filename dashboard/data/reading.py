"""The only reader of the warehouse: read-only, cached by what stands in the lake, shared by all browsers.

A result is kept until a partition that it was read from is published again. Publishing renames files, and a rename
changes the folder's time of modification, so the stamp of a day costs a look at one folder and no Parquet is opened.
"""

import datetime as dt
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from threading import Lock

import duckdb
import pandas as pd

from catalog.errors import LakeError
from catalog.settings import Settings
from warehouse import history
from warehouse.connection import read_only
from warehouse.sql_files import queries_beside

Parameter = str | int | float | dt.date | None
Stamp = tuple[int, ...]

_query = queries_beside(__file__, history.__file__)
_KEPT_RESULTS = 96


@dataclass
class _Kept:
    """One result and the stamp it was read under; `lock` lets one thread read while others wait for it."""

    lock: Lock = field(default_factory=Lock)
    stamp: Stamp | None = None
    frame: pd.DataFrame = field(default_factory=pd.DataFrame)


class Reader:
    """Answers the named queries of `dashboard/data/queries`, and of `warehouse/queries`, from the file of views."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = Lock()
        self._results: OrderedDict[tuple[object, ...], _Kept] = OrderedDict()
        self._reading = Lock()  # one query at a time: each uses every core
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._opened = 0

    def stamp(self, *tables: str, date: dt.date | None = None) -> Stamp:
        """Return what changes whenever one of the tables is published, on one date if given.

        Parameters
        ----------
        tables
            Names of tables of the lake.
        date
            Look at this business date alone.
        """
        warehouse = modified(self._settings.warehouse_file)
        return (warehouse, *(_newest(self._settings.lake / table, date) for table in tables))

    def dates(self, *tables: str) -> list[dt.date]:
        """Return the business dates on which at least one of the tables holds a partition, ascending."""
        found = {
            dt.date.fromisoformat(folder.name.removeprefix("business_date="))
            for table in tables
            for folder in (self._settings.lake / table).glob("business_date=*")
            if any(part.stem != "part-contract" for part in folder.glob("part-*.parquet"))
        }
        return sorted(found)

    def holds(self, table: str, date: dt.date, group: str) -> bool:
        """Tell whether a table holds a partition."""
        return (self._settings.lake / table / f"business_date={date}" / f"part-{group}.parquet").exists()

    def ask(
        self, query: str, tables: tuple[str, ...], *, on: dt.date | None = None, **parameters: Parameter
    ) -> pd.DataFrame:
        """Answer one named query, from memory when none of its tables has changed.

        Parameters
        ----------
        query
            Name of a file in one of those folders, without its ending.
        tables
            The tables that the query reads.
        on
            The one business date that the query reads, when it reads one.
        parameters
            Values of the query's `$parameters`.

        Returns
        -------
        pandas.DataFrame
            Shared by everyone who asks: never change it.

        Raises
        ------
        LakeError
            When there is no warehouse, or a file cannot be read twice in a row.
        """
        key = (query, tuple(sorted(parameters.items())))
        with self._lock:
            kept = self._results.setdefault(key, _Kept())
            self._results.move_to_end(key)
            while len(self._results) > _KEPT_RESULTS:
                self._results.popitem(last=False)
        with kept.lock:
            stamp = self.stamp(*tables, date=on)  # before reading: what comes during it is read next time
            if kept.stamp != stamp:
                kept.frame = self._read(query, parameters)
                kept.stamp = stamp
            return kept.frame

    def _read(self, query: str, parameters: dict[str, Parameter]) -> pd.DataFrame:
        with self._reading:
            try:
                return self._read_once(query, parameters)
            except duckdb.Error:  # a partition was replaced between listing and opening it
                self._close()
            try:
                return self._read_once(query, parameters)
            except duckdb.Error as error:
                self._close()
                reason = str(error).partition("\n")[0]
                raise LakeError(
                    f"the warehouse cannot answer {query!r} ({reason}); run `shelfprice transform` to bring its views "
                    "up to date, and `shelfprice verify`"
                ) from error

    def _read_once(self, query: str, parameters: dict[str, Parameter]) -> pd.DataFrame:
        return self._open().execute(_query(query), parameters).df()

    def _open(self) -> duckdb.DuckDBPyConnection:
        """Return the connection; opening takes longer than most queries, so it is kept until the file is replaced."""
        stamp = modified(self._settings.warehouse_file)
        if self._connection is None or stamp != self._opened:
            self._close()  # first: DuckDB would hand out the old file again while a connection to it lives
            self._connection = read_only(self._settings)
            self._connection.execute("set enable_external_file_cache = false")  # partitions are replaced under it
            self._connection.execute("set memory_limit = '1GB'")
            self._opened = stamp
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _newest(table: Path, date: dt.date | None) -> int:
    if date is not None:
        return modified(table / f"business_date={date.isoformat()}")
    return max((modified(folder) for folder in (table, *table.glob("business_date=*"))), default=0)


def modified(path: Path) -> int:
    """Return when a file or folder changed last, nanoseconds; 0 when it is not there."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0
