"""Stage an export: type its rows and keep them on disk in a few bytes each, and keep unreadable rows with a reason.

A file of any size becomes one file of batches, each with rows of one date in the order of the file. Rows are read one
date at a time, so memory never holds the whole. From them the shelf is estimated and the dates are
published. The file is in a folder of its own, which is removed when the work is done or, after a kill, before the next
export is staged.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.currency import EUR, Currency
from catalog.errors import DataError
from etl.files.block import Block, ahead
from etl.validate import LONGEST_TEXT, row_texts
from own_data.exports.codes import CodedWords
from own_data.exports.columns import Grain
from own_data.exports.grain import settled
from own_data.exports.read import Export
from own_data.exports.typed import NO_DATE, RowTyper
from own_data.exports.zones import StoreZones

_MOST_REJECTED = 1_000_000
_HELD = 1_000_000  # rows that are sorted by date at once: a file in another order has few batches of a date so
_ASIDE = pa.schema([("date", pa.int32()), ("line", pa.int64()), ("reason", pa.string()), ("text", pa.string())])


@dataclass(frozen=True)
class StagedExport:
    """A staged export.

    Attributes
    ----------
    rows
        Reads the batches of rows: `date` (days since 1970, local), `line`, `store` and `product` (positions in the
        words), `seen_at` (microseconds since 1970, UTC), `price_offered`, and what the file has of other numbers and of
        promotions (`event` is a position, -1 for none). Of visits also `shopper` (null where the file names none) and
        `purchased`; of sales `units` (negative for returns) and `receipt`, a number; of units also `hour`, local,
        `NO_HOUR` for a whole day.
    aside
        Rows that cannot be read: `date` (`NO_DATE` where the date cannot be read), `line`, `reason`, `text`.
    spans
        For each date the numbers of its batches, in the order of the file.
    """

    rows: pa.ipc.RecordBatchFileReader
    aside: pa.Table
    spans: dict[int, list[int]]
    stores: CodedWords
    products: CodedWords
    events: CodedWords
    grain: Grain

    def on(self, date: int) -> pa.Table:
        """Return the rows of one date in the order of the file."""
        return pa.Table.from_batches(map(self.rows.get_batch, self.spans.get(date, [])), self.rows.schema)


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
    try:
        with pa.OSFile(str(folder / "rows.arrow"), "wb") as rows, pa.OSFile(str(folder / "aside.arrow"), "wb") as aside:
            stager = _Stager(export, zones or StoreZones(written=export.reading.time_zone), money, rows, aside)
            for block in ahead(export.blocks()):
                stager.add(block)
                on_share(block.read)
            stager.close()
        with pa.OSFile(str(folder / "rows.arrow")) as kept, pa.memory_map(str(folder / "aside.arrow")) as bad:
            typer, unread = stager.typer, pa.ipc.open_file(bad).read_all()
            words, grain = (typer.stores, typer.products, typer.events), typer.columns.grain or "visits"
            yield StagedExport(pa.ipc.open_file(kept), unread, stager.spans, *words, grain)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Stager:
    """Types block after block and writes them to disk, some blocks at a time, as a batch for each date."""

    def __init__(
        self, export: Export, zones: StoreZones, money: Currency, rows: pa.NativeFile, aside: pa.NativeFile
    ) -> None:
        self.theirs, self.where = export.columns.theirs, export.where
        self.typer = RowTyper(export.columns, export.reading, self.where, zones=zones, money=money)
        self.schema = self.typer.schema
        self.rows, self.aside = pa.ipc.new_file(rows, self.schema), pa.ipc.new_file(aside, _ASIDE)
        self.spans: dict[int, list[int]] = {}
        self.held: list[pa.Table] = []
        self.n_held = self.n_rows = self.n_aside = self.n_batches = 0

    def add(self, block: Block) -> None:
        columns = {ours: block.rows[theirs].combine_chunks() for ours, theirs in self.theirs.items()}
        typed, faults = self.typer.typed(columns, block.lines)
        typed["line"] = pa.array(block.lines)
        reason = np.zeros(len(block.lines), np.int8)  # number of the first reason, from 1; 0 for none
        for number, (fails, _) in reversed(list(enumerate(faults, start=1))):
            reason[fails] = number
        good = reason == 0
        self._keep_aside(block, typed["date"], reason, ["", *(sentence for _, sentence in faults)])
        rows = pa.table([typed[name] for name in self.schema.names], schema=self.schema)
        self.held.append(rows if good.all() else rows.filter(pa.array(good)))
        self.n_held += self.held[-1].num_rows
        if self.n_held >= _HELD:
            self._write()

    def _write(self) -> None:
        """Write the rows that are held."""
        rows = pa.concat_tables([self.schema.empty_table(), *self.held])
        date = rows["date"].to_numpy()
        if (date[1:] < date[:-1]).any():
            order = np.argsort(date, kind="stable")
            rows, date = rows.take(order), date[order]
        starts = np.flatnonzero(np.diff(date, prepend=NO_DATE))
        for first, end in zip(starts, [*starts[1:], len(date)], strict=False):
            self.rows.write_batch(rows.slice(first, end - first).combine_chunks().to_batches()[0])
            self.spans.setdefault(int(date[first]), []).append(self.n_batches)
            self.n_batches += 1
        self.n_rows += self.n_held
        self.held, self.n_held = [], 0

    def close(self) -> None:
        self._write()
        self.typer.format.refuse_unread(self.n_rows + self.n_aside, self.theirs, self.where)
        self.rows.close()
        self.aside.close()

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
