"""Stage an export: its rows, typed, in a DuckDB database on disk, and its unreadable rows with a reason.

Rows are read a block at a time and asked for a date at a time, so memory never holds the whole file. The database is in
a folder of its own, which is removed when the work is done or, after a kill, before the next export is staged.
"""

import hashlib
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.clocks import local_us, zone_of
from catalog.currency import EUR, Currency
from catalog.errors import DataError
from etl.transform import ahead
from etl.validate import LONGEST_TEXT, MISSING, PROPENSITY, PURCHASED, row_texts
from plugins.own_store.files.block import Block, shown
from plugins.own_store.files.decimals import MORE_THAN_A_NUMBER
from plugins.own_store.history.columns import Grain, StoreZones
from plugins.own_store.history.grain import settled
from plugins.own_store.history.read import Export
from plugins.own_store.history.rows import RowReader, connect, query, table_of

NO_DATE = -1
US_PER_DAY = 86_400_000_000
_US_PER_HOUR = 3_600_000_000
_AFTER_CALENDARS = int(np.datetime64("2101-01-01", "us").astype(np.int64))
"""Microseconds since 1970; zones are known until then, and no date is made of anything later."""
_MOST_REJECTED = 1_000_000
_MEMORY = "600MB"  # the rest goes to the disk
_STORE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
_SKU = re.compile(r"[^\x00-\x1f\x7f]{1,64}")


def store_id_of(word: str) -> str:
    """Return a store's id: its name where that is a valid id, else the valid part of it with a hash."""
    return word if _STORE_ID.fullmatch(word) else _shortened(re.sub(r"[^A-Za-z0-9_.-]", "-", word), word, 23)


def sku_of(word: str) -> str:
    """Return a product's sku: its number or name where that is valid, else the valid part of it with a hash."""
    return word if _SKU.fullmatch(word) else _shortened(re.sub(r"[\x00-\x1f\x7f]", "-", word), word, 55)


def _shortened(kept: str, word: str, most: int) -> str:
    digest = hashlib.sha256(word.encode()).hexdigest()[:8]
    return f"{kept[:most].lstrip('_.-') or 'x'}-{digest}"


@dataclass(frozen=True)
class StagedExport:
    """A staged export.

    Attributes
    ----------
    connection
        Its database. `staged` has the rows that can be read, as `judge_rows.sql` makes them, `aside` the others with
        `line`, `date`, `reason` and `text`; `date` is in days since 1970, local, and `NO_DATE` where it cannot be read.
        `prices` and `products` say how often each price was seen, and what is known of each product.
    theirs
        The file's name of each column that it has, by ours.
    """

    connection: duckdb.DuckDBPyConnection
    theirs: dict[str, str]
    grain: Grain

    @cached_property
    def spans(self) -> list[int]:
        """The dates of rows that can be read, ascending."""
        return [date for (date,) in self.connection.execute(query("dates_of_rows")).fetchall()]

    @cached_property
    def stores(self) -> list[str]:
        """The names of its stores, in order of appearance."""
        return [word for (word,) in self.connection.execute(query("stores_of_rows")).fetchall()]

    @cached_property
    def products(self) -> list[dict[str, Any]]:
        """The rows of `products`, in order of appearance."""
        return table_of(self.connection, "products_of_rows").to_pylist()

    @cached_property
    def seen(self) -> dict[str, Any]:
        """What it says about a store's day; see `seen.sql`."""
        is_sales, has_hours = self.grain != "visits", self.grain == "units"
        found: dict[str, Any] = table_of(self.connection, "seen", is_sales=is_sales, has_hours=has_hours).to_pylist()[0]
        return found

    def aside_on(self, date: int | None) -> pa.Table:
        """Return `line`, `reason` and `text` of the unreadable rows of a date, or of all."""
        return table_of(self.connection, "rows_aside", date=date, is_newest=[date] == self.spans[-1:])


@contextmanager
def stage_export(
    export: Export,
    folder: Path,
    on_share: Callable[[float], None],
    zones: StoreZones | None = None,
    money: Currency = EUR,
) -> Iterator[StagedExport]:
    """Stage an export, and remove the folder at the end; what a killed run left there is removed first.

    Parameters
    ----------
    zones
        Zones of the stores; by default they keep UTC, whatever the times of the file are in.
    money
        The currency of the shelf, whose smallest units a file may be written in.

    Raises
    ------
    DataError
        When the file as a whole cannot be read, or more than a million of its rows cannot.
    """
    export = settled(export) if export.columns.grain is None else export
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    connection = connect(str(folder / "staged.duckdb"), memory_limit=_MEMORY, temp_directory=str(folder / "spill"))
    try:
        stager = _Stager(connection, export, zones or StoreZones(written=export.reading.time_zone), money)
        for block in ahead(export.blocks()):
            stager.add(block)
            on_share(block.read)
        yield stager.staged()
    finally:
        connection.close()
        shutil.rmtree(folder, ignore_errors=True)


class _Stager:
    """Reads block after block into the tables of the database."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, export: Export, zones: StoreZones, money: Currency
    ) -> None:
        self.connection, self.zones, self.where = connection, zones, export.where
        self.theirs, self.grain = export.columns.theirs, export.columns.grain or "visits"
        self.reader = RowReader(connection, export.columns, export.reading, export.where, money)
        self.has_times: bool | None = None
        self.n_aside = 0
        connection.execute(query("tables"))
        self.columns = set(connection.table("staged").columns)

    def add(self, block: Block) -> None:
        """Read a block."""
        parsed = self.reader.parsed(block)
        timed, zones = self._with_moments(parsed)
        self.connection.register("parsed", timed)
        given = {
            "is_sales": self.reader.is_sales,
            "is_units": self.grain == "units",
            "has_hour": "hour" in self.theirs,
            "decimal": self.reader.decimal,
            "zones": zones,
            "after_calendars": _AFTER_CALENDARS,
            "with_unit": MORE_THAN_A_NUMBER,
            "missing": MISSING,
            "not_a_flag": PURCHASED,
            "not_a_chance": PROPENSITY,
        }
        bad = table_of(self.connection, "judge_rows", **given)
        self.connection.register("bad", bad)
        kept = [name for name in timed.column_names if name in self.columns and timed[name].null_count < len(timed)]
        self.connection.register("readable", timed.select(kept))
        self.connection.execute(query("keep_rows"))
        self._keep_aside(block, bad)

    def _with_moments(self, parsed: pa.Table) -> tuple[pa.Table, str]:
        """Return rows with `seen_at`, `local` and `is_doubtful`, and the zones of times without an offset, in words."""
        coded = parsed["store"].combine_chunks().dictionary_encode()
        code = pc.fill_null(coded.indices, -1).to_numpy()
        own = [self.zones.of(store_id_of(word)) for word in coded.dictionary.to_pylist()]
        written = [self.zones.written or name for name in own] or [self.zones.written or self.zones.chain]
        said = pc.coalesce(parsed["exact_us"], parsed["local_us"])
        lacks = said.is_null().to_numpy()
        moment = pc.fill_null(said, 0).to_numpy().copy()
        is_local = parsed["exact_us"].is_null().to_numpy() & ~lacks
        is_doubtful = np.zeros(len(moment), dtype=bool)
        if self.reader.is_sales and self.has_times is None:
            self.has_times = "hour" in self.theirs or bool((moment % US_PER_DAY != 0).any())
        local = moment
        if self.has_times or not self.reader.is_sales:
            if "hour" in self.theirs:
                hour = np.nan_to_num(parsed["hour"].to_numpy().astype(float))
                moment, is_local = moment // US_PER_DAY * US_PER_DAY + hour.astype(np.int64) * _US_PER_HOUR, ~lacks
            place = np.array(written)[code]
            for zone in dict.fromkeys(written):
                rows = np.flatnonzero(is_local & (place == zone))
                moment[rows], is_doubtful[rows] = zone_of(zone).moments_us(moment[rows])
            local = local_us(own, code, moment)
        hours = local // _US_PER_HOUR % 24 if self.grain == "units" and self.has_times else np.full(len(local), -1)
        columns = {name: parsed[name] for name in parsed.column_names} | {
            "seen_at": pa.array(moment, mask=lacks),
            "local": pa.array(local),
            "date": pa.array((local // US_PER_DAY).astype(np.int32)),
            "is_doubtful": pa.array(is_doubtful),
            "hour_of_row": pa.array(hours.astype(np.int8)),
        }
        return pa.table(columns), ", ".join(dict.fromkeys(written))

    def _keep_aside(self, block: Block, bad: pa.Table) -> None:
        if not bad.num_rows and not block.ragged:
            return
        at = np.searchsorted(block.lines, bad["line"].to_numpy())
        own = bad.append_column("text", pa.array(row_texts(block.rows, at), pa.string()))
        ragged = pa.table(
            {
                "line": pa.array([row.line for row in block.ragged], pa.int64()),
                "date": pa.array([NO_DATE] * len(block.ragged), pa.int32()),
                "reason": pa.array([row.reason for row in block.ragged], pa.string()),
                "text": pa.array([row.text[:LONGEST_TEXT] for row in block.ragged], pa.string()),
            }
        )
        rows = pa.concat_tables([own, ragged], promote_options="default")
        self.connection.register("bad", rows)
        self.connection.execute(query("keep_aside"))
        self.n_aside += rows.num_rows
        if self.n_aside > _MOST_REJECTED:
            raise DataError(
                f"{self.where}: more than {_MOST_REJECTED:,} rows cannot be read, such as line {rows['line'][0]}: "
                f"{rows['reason'][0]}; are columns and formats the right ones? nothing was published"
            )

    def staged(self) -> StagedExport:
        """Return what was staged, unless the file as a whole says that it was misread."""
        self._refuse_unread_numbers()
        is_sales = {"is_sales": self.reader.is_sales}
        self.connection.execute(query("prices"), is_sales)
        self.connection.execute(query("products"), is_sales)
        for column, most, found in self.connection.execute(query("count_words")).fetchall():
            name = self._product if column == "product" else column
            raise DataError(
                f"{self.where}: expected at most {most:,} distinct values of {name}, found {found:,}; nothing was "
                "published: export fewer of them, such as the products that sell most, or say which column is meant "
                f"with --column {name}=NAME"
            )
        self._refuse_rounded_numbers()
        return StagedExport(self.connection, self.theirs, self.grain)

    @property
    def _product(self) -> str:
        """Our name of the column that identifies products."""
        return "sku" if "sku" in self.theirs else "product_name"

    def _refuse_unread_numbers(self) -> None:
        """Refuse a file of which more than half of the rows cannot be read for one reason."""
        for reason, ours, count, total, line, text in self.connection.execute(query("unread_numbers")).fetchall():
            raise DataError(
                f"{self.where} line {line}: {reason}, found {shown(text)} in {self.theirs[ours]!r}, as in {count:,} of "
                f"{total:,} rows; nothing was published: write plain numbers, say the decimal sign with --decimal, or "
                f"say which column it is with --column {ours}=NAME"
            )

    def _refuse_rounded_numbers(self) -> None:
        """Refuse numbers that name products or receipts and that a spreadsheet rounded, such as 4.00638E+12.

        Several of them share one name then, and nothing in the file tells them apart any more. `5E12` without a sign
        may be an article's name, unless products of several names share it.
        """
        for column, line, word, names in self.connection.execute(query("rounded_numbers")).fetchall():
            both = f" of both {shown(names[0])} and {shown(names[1])}" if len(names) > 1 else ""
            ours = self._product if column == "sku" else column
            raise DataError(
                f"{self.where} line {line}: expected whole numbers or names in {self.theirs[ours]!r}, found "
                f"{shown(word)}{both}, a number that a spreadsheet rounded, so several may have become one; nothing "
                "was published: format the column as text, or as a number without decimals, and export again"
            )
