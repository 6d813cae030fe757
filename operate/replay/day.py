"""Replay a day from what the ledger says was in force, and hold every byte against its receipt.

Everything is rebuilt in a scratch lake: the price book from the registered model version and the log before its date,
the decisions from seed, catalog and book, the features from those decisions. Nothing in the lake is changed.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.errors import CatalogError, DamagedError, DataError, LakeError, ModelError
from catalog.load import Catalog
from catalog.pricing import Policy
from catalog.settings import Settings
from catalog.spread import Progress, silent
from etl.batches import is_committed
from etl.ledger import LedgerRow, in_force_in, kept_catalog, kept_catalogs
from etl.live.day import joined, taught
from etl.live.shelf_state import standing_after
from etl.load import DayRows, load_rows, products_of, rows_of
from etl.stock import kept_before, units_after
from features.cells import cells_of, definition_of, feature_workbench
from operate.replay.parts import Part, UsedBook, books_of
from serving.book_store import BookInForce, StoredBook, book_with, catalog_of, in_force_for, publish_book
from serving.champion import load_champion
from serving.day_curves import known_before
from serving.in_force import pricing_by_book, store_before_champion
from serving.open_book import OpenBook
from serving.order_book import orders_on
from serving.storefront import storefront_at_base_prices
from simulation.store_day import Stretch
from simulation.visits import draw_visits
from warehouse.lake import CODE_VERSION, Lake, Partition
from warehouse.mixed import is_mixed
from warehouse.parquet import write_parquet
from warehouse.partition import table_called

_NAMES = {
    "belief_updates": "belief",
    "repricings": "price decisions",
    "rejected": "rejected rows",
    "stock_movements": "stock movements",
    "substitutions": "substitutes taken",
    "interactions": "decisions",
}
_TAMPERED = "the bytes on record are not those of their receipt: run `shelfprice verify`"


def replay(settings: Settings, date: dt.date, progress: Progress = silent) -> list[Part]:
    """Rebuild a day's price books, decisions and features, and compare each with what is on record.

    Raises
    ------
    DataError
        When the date has no decisions that are closed.
    """
    lake = Lake(settings)
    batches = list(lake.partitions_on("interactions", date))
    if not batches:
        raise DataError(
            f"expected decisions of {date} in the lake, found none; nothing was replayed, name another date"
        )
    with TemporaryDirectory(prefix="shelfprice-replay-") as folder:
        day = _Day(settings, lake, Lake(settings.model_copy(update={"home": Path(folder), "lake_address": None})), date)
        books = books_of(lake, date, batches)
        parts = []
        for done, book in enumerate(books, start=1):
            parts += day.book(book)
            progress(f"replaying {date}", done, len(books) + len(batches))
        for done, batch in enumerate(batches, start=1 + len(books)):
            parts += day.batch(batch)
            progress(f"replaying {date}", done, len(books) + len(batches))
    return parts


class _Day:
    """One day that is played again; `scratch` is where what is rebuilt goes."""

    def __init__(self, settings: Settings, lake: Lake, scratch: Lake, date: dt.date) -> None:
        self._settings, self._lake, self._scratch, self._date = settings, lake, scratch, date

    def book(self, used: UsedBook) -> list[Part]:
        """Rebuild a price book and its demand curves from the model version and the log before its date."""
        name, stored = f"made for {used.made_for}", book_with(self._lake, used.sha256)
        try:
            self._rebuild(used, stored)
        except (CatalogError, DataError, ModelError, DamagedError) as error:
            return [Part("price book", name, None, used.sha256, str(error))]
        if stored is None:
            rebuilt = self._scratch.receipt(in_force_for(used.made_for).book)
            remark = "the book itself is not kept any more, or is damaged: run `shelfprice verify`"
            return [Part("price book", name, rebuilt.sha256 if rebuilt else None, used.sha256, remark)]
        ours = in_force_for(used.made_for)
        why = self._why_the_book_differs(ours, stored)
        curves = replace(self._compared("demand curves", ours.curves, stored.curves, why), batch=name)
        if stored.form != ours.form:
            return [curves, Part("price book", name, None, None, "it is kept in the form of an earlier version")]
        return [curves, replace(self._compared("price book", ours.book, stored.book, why), batch=name)]

    def batch(self, batch: Partition) -> Iterator[Part]:
        """Rebuild a batch's decisions and then, from those, its features."""
        rows = in_force_in(self._lake, self._date, batch.group)
        if not rows:
            yield Part("decisions", batch.group, None, None, self._why_not_played(batch))
            yield self._features(batch, rows, self._lake)
            return
        try:
            sold, catalog = self._sold(rows)
        except (CatalogError, DataError, LakeError) as error:
            why = self._mixed(batch) or str(error)
            yield Part("decisions", batch.group, None, self._lake.sha256(batch), why)
            return
        why = (
            self._mixed(batch)
            or _other_version(rows)
            or "another version of a library, or the data behind the price book has changed"
        )
        for published in load_rows(
            self._scratch, catalog, sold, self._date, batch.group, inputs="replay", seed=rows[0].seed
        ):
            there = published.partition
            yield self._compared(_NAMES[there.table], there, there, why)
        yield self._features(batch, rows, self._scratch)

    def _rebuild(self, used: UsedBook, stored: StoredBook | None) -> None:
        fingerprint = catalog_of(self._lake, stored) if stored else used.catalog
        if fingerprint is None:
            raise CatalogError("nobody kept which catalog the book was worked out under, so it is not worked out again")
        catalog = kept_catalog(self._lake, fingerprint)
        model = None if used.model_version is None else load_champion(self._settings, used.model_version)
        if model is None and used.model_version is not None:
            raise ModelError(f"the model registry does not have version {used.model_version} any more")
        known = known_before(self._lake, model, catalog, used.made_for, products_of(catalog), sets_aside=False)
        publish_book(self._scratch, catalog, known.curves, known.visits, used.made_for, known.belief)

    def _sold(self, rows: tuple[LedgerRow, ...]) -> tuple[DayRows, Catalog]:
        """Sell the day again, one stretch after another; return its rows and the catalog at closing."""
        sold: DayRows | None = None
        ends = [*(row.since for row in rows[1:]), None]
        for row, end in zip(rows, ends, strict=True):
            catalog = kept_catalog(self._lake, row.catalog)
            visits = draw_visits(catalog, row.stores, self._date, row.seed)
            kept = kept_before(self._lake, catalog, row.stores, self._date)
            began = None
            if sold:
                picks = visits.picks_in(row.since)
                units = units_after(catalog, sold.interactions, row.stores, self._date, kept, picks, sold.substitutions)
                began = standing_after(sold, catalog, row.since, units)
            policy = taught(self._policy(row, catalog), sold, catalog, row.since)
            stretch = Stretch(catalog, policy, row.stores, self._date, visits, began, kept)
            for _ in range(row.since, len(visits.dice) if end is None else end):
                stretch.sell_tick()
            new = rows_of(stretch.played(), catalog)
            sold = joined(sold, new) if sold else new
        assert sold is not None  # noqa: S101 - there is a first row
        return sold, catalog

    def _policy(self, row: LedgerRow, catalog: Catalog) -> Policy:
        """Return the policy of a stretch: from the rebuilt book when it is the one on record, else from that one."""
        orders = orders_on(self._lake, catalog, self._date, row.stores, row.at_once)
        if row.book_sha256 is None or row.book_made_for is None:
            if catalog.store.guardrails.kill_switch or orders.stops_everything:
                return storefront_at_base_prices(catalog, orders)
            return store_before_champion(catalog, row.policy, orders, row.stores)
        rebuilt, stored = in_force_for(row.book_made_for), book_with(self._lake, row.book_sha256)
        receipt = self._scratch.receipt(rebuilt.book)
        if receipt is not None and (stored is None or receipt.sha256 == row.book_sha256):
            read_from, source = rebuilt, self._scratch
        elif stored is not None:
            read_from, source = stored, self._lake
        else:
            raise DataError("its price book is neither kept nor could it be worked out again")
        book, curves = read_from.read(source)
        is_greedy = row.policy == "greedy" and book.policy != "greedy"
        found = BookInForce(book, curves, row.book_sha256, read_from.read_belief(source))
        return pricing_by_book(catalog, OpenBook(catalog, found), orders, row.stores, is_greedy=is_greedy).policy

    def _features(self, batch: Partition, rows: tuple[LedgerRow, ...], source: Lake) -> Part:
        """Rebuild the demand cells under the catalog that those on record were grouped under."""
        cells = Partition("demand_cells", self._date, batch.group)
        receipt = self._lake.receipt(cells)
        if receipt is None:
            return Part("features", batch.group, None, None, "not grouped yet: run `shelfprice transform`")
        if not rows and not self._lake.is_proven(batch):
            return Part("features", batch.group, None, receipt.sha256, _TAMPERED)
        first = rows[0].first_cells_sha256 if rows else None
        try:
            catalog = kept_catalog(self._lake, rows[0].catalog) if first else self._grouped_under(receipt.inputs)
        except CatalogError as error:
            return Part("features", batch.group, None, first or receipt.sha256, str(error))
        with feature_workbench(self._settings, products_of(catalog), {self._date}.__contains__) as connection:
            rebuilt = self._scratch.publish(cells, cells_of(connection, source.places([batch])[0]), inputs="replay")
        otherwise = "the decisions are others, or their features are defined otherwise now"
        why = self._mixed(batch) or _other_version(rows) or otherwise
        if first is None:
            return self._compared("features", cells, cells, why)
        is_same = rebuilt.receipt.sha256 == first
        return Part("features", batch.group, rebuilt.receipt.sha256, first, "" if is_same else why)

    def _grouped_under(self, inputs: str) -> Catalog:
        for catalog in kept_catalogs(self._lake):
            if inputs.endswith(f":{definition_of(catalog)}"):
                return catalog
        raise CatalogError("grouped under a catalog that was not kept, or by another definition of the features")

    def _compared(self, part: str, ours: Partition, theirs: Partition, why: str) -> Part:
        """Compare a partition of the scratch lake with one of the lake, whose bytes are read again."""
        rebuilt, receipt = self._scratch.receipt(ours), self._lake.receipt(theirs)
        sha256 = rebuilt.sha256 if rebuilt else None
        recorded = self._lake.sha256(theirs) if self._lake.holds(theirs) else None
        is_proven = receipt is not None and receipt.sha256 == recorded
        if is_proven and sha256 not in {None, recorded} and recorded in {*self._as_earlier(theirs, ours)}:
            sha256 = recorded
        remark = "" if sha256 == recorded else (why if is_proven else _TAMPERED)
        return Part(part, theirs.group, sha256, recorded, remark)

    def _as_earlier(self, theirs: Partition, ours: Partition) -> Iterator[str]:
        """Yield the SHA-256 of what was rebuilt, as earlier versions wrote it; nothing where they had no place for it.

        Integers of many values had codes, columns that came later were not there, and before that all text had bounds.
        """
        rows, names = self._scratch.read(ours), pq.read_schema(pa.BufferReader(self._lake.store.content(theirs))).names
        later = [name for name in rows.column_names if name not in names]
        if any(rows[name].null_count < len(rows) for name in later):
            return
        for key in (table_called(ours.table).key, None):
            sink = pa.BufferOutputStream()
            write_parquet(rows.drop_columns(later), sink, key)
            yield hashlib.sha256(sink.getvalue()).hexdigest()

    def _why_the_book_differs(self, ours: StoredBook, stored: StoredBook) -> str:
        rebuilt, receipt = self._scratch.receipt(ours.book), self._lake.receipt(stored.book)
        if rebuilt and receipt and rebuilt.inputs != receipt.inputs:
            return "the decisions before its date are not those it was worked out from, such as after a late batch"
        return (
            f"the same inputs give other bytes: worked out by another version than {CODE_VERSION}, or other libraries"
        )

    def _mixed(self, batch: Partition) -> str | None:
        """Say that the tables of a batch are of different runs, if they are; so no seed can give all of them."""
        is_so = not is_committed(self._lake, batch) and is_mixed(self._lake, self._date, batch.group)
        return "its tables are of different runs, so the day is mixed: run `shelfprice doctor --fix`" if is_so else None

    def _why_not_played(self, batch: Partition) -> str:
        receipt = self._lake.receipt(batch)
        if receipt is not None and not receipt.is_of_the_twin:
            return "real shoppers' decisions cannot be drawn again; features and prices are rebuilt"
        return "played before it was written down what priced it; features and prices are rebuilt"


def _other_version(rows: tuple[LedgerRow, ...]) -> str | None:
    played_by = {row.code_version for row in rows} - {CODE_VERSION}
    return f"played by version {', '.join(sorted(played_by))}, and this is {CODE_VERSION}" if played_by else None
