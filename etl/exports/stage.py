"""Stage an export: type its rows and keep them on disk in a few bytes each, and keep unreadable rows with a reason.

A file of any size becomes one memory-mapped table, in the order of the file within each date. From it the shelf is
estimated and the dates are published. The table is in a folder of its own, which is removed when the work is done or,
after a kill, before the next export is staged.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from catalog.arrays import Flags, Ints
from catalog.errors import DataError
from etl.exports.block import Block
from etl.exports.codes import CodedWords
from etl.exports.decimals import NumberFormat
from etl.exports.parse import flags, moments, numbers, shopper_numbers
from etl.exports.read import Export
from etl.validate import LONGEST_TEXT, MISSING, PURCHASED, row_texts

NO_DATE = -1
_US_PER_DAY = 86_400_000_000
_MOST_REJECTED = 1_000_000
_NUMBERS = ("price_offered", "base_price", "unit_cost", "inventory_level", "budget_multiplier", "propensity")
_ROWS = pa.schema(
    [
        ("date", pa.int32()),
        ("line", pa.int64()),
        ("store", pa.int32()),
        ("seen_at", pa.int64()),
        ("shopper", pa.int64()),
        ("product", pa.int32()),
        ("purchased", pa.bool_()),
    ]
)
_ASIDE = pa.schema([("date", pa.int32()), ("line", pa.int64()), ("reason", pa.string()), ("text", pa.string())])


@dataclass(frozen=True)
class StagedExport:
    """A staged export.

    Attributes
    ----------
    rows
        `date` (days since 1970), `line`, `store` and `product` (positions in the words), `seen_at` (microseconds since
        1970, UTC), `shopper` (null where the file names none), `purchased`, and the numbers that the file has.
    aside
        Rows that cannot be read: `date` (`NO_DATE` where the date cannot be read), `line`, `reason`, `text`.
    spans
        For each date its ranges of `rows`, (first, end) each, in the order of the file.
    """

    rows: pa.Table
    aside: pa.Table
    spans: dict[int, list[tuple[int, int]]]
    stores: CodedWords
    products: CodedWords

    def on(self, date: int) -> pa.Table:
        """Return the rows of one date in the order of the file."""
        return pa.concat_tables([self.rows.slice(first, end - first) for first, end in self.spans.get(date, [])])


@contextmanager
def stage_export(export: Export, folder: Path, on_share: Callable[[float], None]) -> Iterator[StagedExport]:
    """Stage an export, and remove the folder at the end; what a killed run left there is removed first.

    Raises
    ------
    DataError
        When the file as a whole cannot be read, or more than a million of its rows cannot.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        with pa.OSFile(str(folder / "rows.arrow"), "wb") as rows, pa.OSFile(str(folder / "aside.arrow"), "wb") as aside:
            stager = _Stager(export, rows, aside)
            for block in export.blocks():
                stager.add(block)
                on_share(block.read)
            stager.close()
        with pa.memory_map(str(folder / "rows.arrow")) as kept, pa.memory_map(str(folder / "aside.arrow")) as bad:
            read, unread = (pa.ipc.open_file(file).read_all() for file in (kept, bad))
            yield StagedExport(read, unread, stager.spans, stager.stores, stager.products)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Stager:
    """Types block after block and writes them to disk."""

    def __init__(self, export: Export, rows: pa.NativeFile, aside: pa.NativeFile) -> None:
        self.export, self.theirs, self.where = export, export.columns.theirs, export.where
        self.numbers = [name for name in _NUMBERS if name in self.theirs]
        schema = pa.schema([*_ROWS, *(pa.field(name, pa.float64()) for name in self.numbers)])
        self.rows, self.aside = pa.ipc.new_file(rows, schema), pa.ipc.new_file(aside, _ASIDE)
        self.schema = schema
        self.stores = CodedWords("store_id")
        self.products = CodedWords("sku" if "sku" in self.theirs else "product_name")
        self.spans: dict[int, list[tuple[int, int]]] = {}
        self.format = NumberFormat(export.reading.decimal)
        self.n_rows = self.n_aside = 0

    def add(self, block: Block) -> None:
        columns = {ours: block.rows[theirs].combine_chunks() for ours, theirs in self.theirs.items()}
        written = {self.theirs[name]: columns[name] for name in self.numbers}
        decimal = self.format.sign_in(written, block.lines, self.where)
        typed, faults = self._typed(columns, block.lines, decimal)
        typed["line"] = pa.array(block.lines)
        reason = np.zeros(len(block.lines), np.int8)  # number of the first reason, from 1; 0 for none
        for number, (fails, _) in reversed(list(enumerate(faults, start=1))):
            reason[fails] = number
        good = reason == 0
        self._keep_aside(block, typed["date"], reason, ["", *(sentence for _, sentence in faults)])
        rows = pa.table([typed[name] for name in self.schema.names], schema=self.schema).filter(pa.array(good))
        date = rows["date"].to_numpy()
        if (date[1:] < date[:-1]).any():
            order = np.argsort(date, kind="stable")
            rows, date = rows.take(order), date[order]
        starts = np.flatnonzero(np.r_[True, date[1:] != date[:-1]]) if len(date) else np.array([], np.int64)
        for first, end in zip(starts, np.append(starts[1:], len(date)), strict=False):
            self.spans.setdefault(int(date[first]), []).append((self.n_rows + int(first), self.n_rows + int(end)))
        self.n_rows += rows.num_rows
        self.rows.write_table(rows)

    def close(self) -> None:
        self.format.refuse_unread(self.n_rows + self.n_aside, self.theirs, self.where)
        self.rows.close()
        self.aside.close()

    def _typed(
        self, columns: dict[str, pa.Array], lines: Ints, decimal: str
    ) -> tuple[dict[str, pa.Array], list[tuple[Flags, str]]]:
        """Return the typed columns, and the reasons why rows cannot be read, each with its rows."""
        n_rows, reading = len(columns["purchased"]), self.export.reading
        faults: list[tuple[Flags, str]] = []
        typed: dict[str, pa.Array] = {}
        seen_at, doubtful = moments(columns["seen_at"], reading)
        moment = _filled(seen_at.cast(pa.int64()))
        typed["seen_at"] = pa.array(moment)
        date = np.where(_missing(seen_at) | (moment < _US_PER_DAY), NO_DATE, moment // _US_PER_DAY)
        typed["date"] = pa.array(date.astype(np.int32))
        product = self.products.coded_with_names(columns, self.where)
        store = self.stores.coded(columns["store_id"], self.where) if "store_id" in columns else self._one_store(n_rows)
        shopper = shopper_numbers(columns["shopper_id"]) if "shopper_id" in columns else pa.nulls(n_rows, pa.int64())
        purchased = flags(columns["purchased"])
        typed["purchased"] = pc.equal(purchased, 1.0)
        needed = ("seen_at", "price_offered", "purchased", "propensity", "shopper_id")
        lacks = [_missing(columns[name]) for name in needed if name in columns]
        faults.append((np.logical_or.reduce([*lacks, product < 0, store < 0]), MISSING))
        faults.append((_missing(seen_at), "the time cannot be read"))
        faults.append((date == NO_DATE, "the time is before 1970"))
        faults.append((doubtful, f"the local time does not exist or happens twice in {reading.time_zone}"))
        for name in self.numbers:
            typed[name] = numbers(columns[name], decimal)
            faults += self.format.faults(name, columns[name], typed[name], lines, decimal)
        faults.append((_missing(purchased), PURCHASED))
        typed |= {"product": pa.array(product), "store": pa.array(store), "shopper": shopper}
        return typed, faults

    def _one_store(self, n_rows: int) -> NDArray[np.int32]:
        self.stores.codes.setdefault("S01", 0)
        return np.zeros(n_rows, np.int32)

    def _keep_aside(self, block: Block, date: pa.Array, reason: NDArray[np.int8], sentences: list[str]) -> None:
        bad, ragged = np.flatnonzero(reason), block.ragged
        if not len(bad) and not ragged:
            return
        lines = np.r_[block.lines[bad], [row.line for row in ragged]].astype(np.int64)
        columns = [
            np.r_[date.to_numpy()[bad], np.full(len(ragged), NO_DATE)].astype(np.int32),
            lines,
            [*(sentences[number] for number in reason[bad]), *(row.reason for row in ragged)],
            [*row_texts(block.rows, bad), *(row.text[:LONGEST_TEXT] for row in ragged)],
        ]
        self.aside.write_table(pa.table(columns, schema=_ASIDE))
        self.n_aside += len(lines)
        if self.n_aside > _MOST_REJECTED:
            raise DataError(
                f"{self.where}: more than {_MOST_REJECTED:,} rows cannot be read, such as line {lines[0]}: "
                f"{columns[2][0]}; are columns and formats the right ones? nothing was published"
            )


def _missing(column: pa.Array) -> Flags:
    return np.asarray(column.is_null().to_numpy(zero_copy_only=False))


def _filled(column: pa.Array) -> Ints:
    return np.asarray(pc.fill_null(column, 0).to_numpy(), dtype=np.int64)
