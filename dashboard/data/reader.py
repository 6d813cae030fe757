"""The only reader of the warehouse: read-only, and shared by all browsers.

A result is kept until a partition that it was read from is published again.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from functools import partial
from threading import Lock
from typing import TypeVar

import duckdb
import pandas as pd
import pyarrow as pa

from catalog.errors import LakeError, first_line
from catalog.settings import Settings
from catalog.tables.contracts import TABLES
from dashboard.cache import Cache
from warehouse.files import modified_at
from warehouse.lake import Lake
from warehouse.query import questions
from warehouse.query.advice import situation_of, views_again
from warehouse.query.connection import queries_beside, read_only, show_newest

Parameter = str | int | float | dt.date | None
Parameters = Mapping[str, Parameter | list[str]]
Stamp = tuple[int, ...]
_Answer = TypeVar("_Answer")

_query = queries_beside(__file__, questions.__file__)
_MOST_RESULTS = 96
_MOST_MEMORY = "1GB"


class Reader:
    """Answers the named queries of `dashboard/data/queries`, and of `warehouse/queries`, from the file of views."""

    def __init__(self, settings: Settings) -> None:
        self.lake = Lake(settings)
        self._settings = settings
        self._views = Views(self.lake)
        self._results = Cache[pd.DataFrame](_MOST_RESULTS)
        self._dates = Cache[list[dt.date]](len(TABLES))

    def stamp(self, *tables: str, date: dt.date | None = None) -> Stamp:
        """Return what changes whenever one of the tables is published, on one date if given.

        Parameters
        ----------
        tables
            Names of tables of the lake.
        date
            Look at this business date alone.
        """
        warehouse = modified_at(self._settings.warehouse_file)
        return (warehouse, *(self.lake.changed_at(table, date) for table in tables))

    def has_warehouse(self) -> bool:
        """Tell whether there is a file of views to ask."""
        return self._settings.warehouse_file.exists()

    def dates(self, *tables: str) -> list[dt.date]:
        """Return the business dates on which at least one of the tables holds a partition, ascending."""
        kept = (
            self._dates.get(table, partial(self.lake.dates, table), partial(self.lake.changed_at, table))
            for table in tables
        )
        return sorted({date for dates in kept for date in dates})

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
        self.lake.finish_interrupted()
        return self._results.get(
            (query, tuple(sorted(parameters.items()))),
            lambda: self._views.answer(query, parameters, duckdb.DuckDBPyRelation.df),
            lambda: self.stamp(*tables, date=on),
        )

    def columns(self, query: str, **parameters: Parameter | list[str]) -> pa.Table:
        """Answer one named query as columns, which are not kept; it raises as `ask`."""
        self.lake.finish_interrupted()
        return self._views.answer(query, parameters, duckdb.DuckDBPyRelation.to_arrow_table)


class Views:
    """The connection to the file of views; one query at a time, because each uses every core."""

    def __init__(self, lake: Lake) -> None:
        self._lake, self._settings = lake, lake.settings
        self._lock = Lock()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._opened = 0

    def answer(self, query: str, parameters: Parameters, read: Callable[[duckdb.DuckDBPyRelation], _Answer]) -> _Answer:
        """Run one named query, and once more when a partition was replaced between listing and opening it.

        Raises
        ------
        LakeError
            When there is no warehouse, or a file cannot be read twice in a row.
        """
        with self._lock:
            try:
                return self._run(query, parameters, read)
            except duckdb.Error:
                self._close()
            try:
                return self._run(query, parameters, read)
            except duckdb.Error as error:
                self._close()
                raise LakeError(
                    f"the warehouse cannot answer {query!r} ({first_line(error)}); run "
                    f"`{views_again(situation_of(self._settings))}` to bring its views up to date, and "
                    "`shelfprice health --files`"
                ) from error

    def _run(self, query: str, parameters: Parameters, read: Callable[[duckdb.DuckDBPyRelation], _Answer]) -> _Answer:
        connection = self._open()
        show_newest(connection, self._lake)
        return read(connection.sql(_query(query), params=parameters))

    def _open(self) -> duckdb.DuckDBPyConnection:
        """Return the connection; opening takes longer than most queries, so it is kept until the file is replaced."""
        stamp = modified_at(self._settings.warehouse_file)
        if self._connection is None or stamp != self._opened:
            self._close()  # first: DuckDB would hand out the old file again while a connection to it lives
            self._connection = read_only(self._settings, _MOST_MEMORY)
            self._opened = stamp
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
