"""Replay a day from what the ledger says was in force, and hold every byte against its receipt.

Everything is rebuilt in a scratch lake: the price book from the registered model version and the log before its date,
the decisions from seed, catalog and book, the features from those decisions. Nothing in the lake is changed.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from catalog.decisions.pricing import Policy
from catalog.errors import CatalogError, DamagedError, DataError, LakeError, ModelError
from catalog.load import Catalog
from catalog.settings import Settings
from catalog.spread import Progress, silent
from etl.batches import is_committed
from etl.ledger import LedgerRow, in_force_in, kept_catalog
from etl.load import DayRows, load_rows, products_of, rows_of
from etl.open_days import taught
from etl.stock import kept_before
from etl.twin.store_day import Stretch
from etl.twin.visits import draw_visits
from features.cells import definition_of, grouping_connection, groups_of
from plugins.desk.live_shelf import standing_after, units_after
from plugins.live.days import joined
from plugins.operations.checks.belonging import is_mixed
from serving.book.make import known_before, publish_book
from serving.book.store import BookInForce, OpenBook, book_in_force, book_with, catalog_of, read_book
from serving.champion import load_champion
from serving.learning.outlook import WITHOUT_CHAMPION
from serving.limits.orders import orders_on
from serving.optimise.policies import policy_without_model
from serving.store.in_force import pricing_on
from serving.store.storefront import storefront, storefront_before_champion
from warehouse.checks.whole import parts_of_book
from warehouse.lake import CODE_VERSION, Lake, Partition


@dataclass(frozen=True)
class Part:
    """One rebuilt part of a day.

    Attributes
    ----------
    part, batch
        What it is, and of which batch or price book.
    rebuilt, recorded
        SHA-256 of the rebuilt bytes and of those on record; None when there are none.
    remark
        Why they differ or could not be rebuilt; empty when they are the same.
    """

    part: str
    batch: str
    rebuilt: str | None
    recorded: str | None
    remark: str = ""

    @property
    def is_same(self) -> bool | None:
        """Whether the bytes are the same; None when the part was not rebuilt, for a reason that is no fault."""
        return None if self.rebuilt is None and self.recorded is None else self.rebuilt == self.recorded


@dataclass(frozen=True)
class UsedBook:
    """A price book that a day was, or would have been, sold from, and the catalog of that day, if it is known.

    `model_version` is None where no champion was behind it.
    """

    sha256: str
    made_for: dt.date
    model_version: str | None
    catalog: str | None


def _version_of(lake: Lake, row: LedgerRow) -> str | None:
    """Return the champion behind the book of a stretch; a kind of stores sells without it from the same book."""
    assert row.book_sha256 is not None  # noqa: S101 - asked of stretches with a book
    assert row.book_made_for is not None  # noqa: S101
    kept = book_with(lake, row.book_made_for, row.book_sha256)
    if kept is None:
        return row.model_version
    return None if kept.book.model_version == WITHOUT_CHAMPION else kept.book.model_version


def books_of(lake: Lake, date: dt.date, batches: list[Partition]) -> list[UsedBook]:
    """Return the price books behind a day; for batches nobody played here, the one in force."""
    rows = [row for batch in batches for row in in_force_in(lake, date, batch.group)]
    used = {
        row.book_sha256: UsedBook(row.book_sha256, row.book_made_for, _version_of(lake, row), row.catalog)
        for row in rows
        if row.book_sha256 and row.book_made_for
    }
    if all(in_force_in(lake, date, batch.group) for batch in batches):
        return list(used.values())
    book = book_in_force(lake, date)
    if book is not None:
        version = None if book.book.model_version == WITHOUT_CHAMPION else book.book.model_version
        used.setdefault(book.sha256, UsedBook(book.sha256, book.book.published_at.date(), version, None))
    return list(used.values())


_NAMES = {
    "belief_updates": "belief",
    "repricings": "price decisions",
    "rejected": "rejected rows",
    "stock_movements": "stock movements",
    "substitutions": "substitutes taken",
    "interactions": "decisions",
}
_TAMPERED = "the bytes on record are not those of their receipt: run `shelfprice health --files`"


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
        self._books: dict[str, BookInForce] = {}

    def book(self, used: UsedBook) -> list[Part]:
        """Rebuild a price book and its demand curves from the model version and the log before its date."""
        name, (book, curves, _) = f"made for {used.made_for}", parts_of_book(used.made_for)
        receipt = self._lake.receipt(book)
        is_kept = receipt is not None and receipt.sha256 == used.sha256
        try:
            self._rebuild(used, is_kept=is_kept)
        except (CatalogError, DataError, ModelError, DamagedError) as error:
            return [Part("price book", name, None, used.sha256, str(error))]
        self._books[used.sha256] = read_book(self._scratch, used.made_for)
        if not is_kept:
            rebuilt = self._scratch.receipt(book)
            sha256 = rebuilt.sha256 if rebuilt else None
            remark = "" if sha256 == used.sha256 else "another book took its place, or it is damaged"
            return [Part("price book", name, sha256, used.sha256, remark)]
        why = self._why_the_book_differs(book)
        return [
            replace(self._compared(what, part, why), batch=name)
            for what, part in (("demand curves", curves), ("price book", book))
        ]

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
            yield self._compared(_NAMES[there.table], there, why)
        yield self._features(batch, rows, self._scratch)

    def _rebuild(self, used: UsedBook, *, is_kept: bool) -> None:
        fingerprint = catalog_of(self._lake, used.made_for) if is_kept else used.catalog
        if fingerprint is None:
            raise CatalogError("nobody kept which catalog the book was worked out under, so it is not worked out again")
        catalog = kept_catalog(self._lake, fingerprint)
        model = None if used.model_version is None else load_champion(self._settings, used.model_version)
        if model is None and used.model_version is not None:
            raise ModelError(f"the model registry does not have version {used.model_version} any more")
        by_model = known_before(self._lake, model, catalog, used.made_for, products_of(catalog), sets_aside=False)
        publish_book(self._scratch, catalog, by_model.curves, by_model.visits, used.made_for, by_model.belief)

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
                return storefront(catalog, policy_without_model(catalog, "static"), orders)
            return storefront_before_champion(catalog, row.policy, orders)
        cached, kept = self._books.get(row.book_sha256), book_with(self._lake, row.book_made_for, row.book_sha256)
        if cached is None or (kept is not None and cached.sha256 != row.book_sha256):
            cached = kept
        if cached is None:
            raise DataError("its price book is neither kept nor could it be worked out again")
        greedy = "greedy" if row.policy == "greedy" and cached.book.policy != "greedy" else None
        opened = OpenBook(catalog, cached)
        return pricing_on(self._lake, catalog, self._date, greedy, row.stores, row.at_once, lambda *_: opened).policy

    def _features(self, batch: Partition, rows: tuple[LedgerRow, ...], source: Lake) -> Part:
        """Rebuild the demand cells under the catalog that those on record were grouped under."""
        cells = Partition("demand_cells", self._date, batch.group)
        receipt = self._lake.receipt(cells)
        if receipt is None:
            return Part("features", batch.group, None, None, "not grouped yet: run `shelfprice transform`")
        if not rows and not self._lake.is_proven(batch):
            return Part("features", batch.group, None, receipt.sha256, _TAMPERED)
        try:
            catalog = self._grouped_under(receipt.inputs)
        except CatalogError as error:
            return Part("features", batch.group, None, receipt.sha256, str(error))
        with grouping_connection(products_of(catalog)) as connection:
            groups = groups_of(connection, source, batch)
        self._scratch.publish(cells, groups[cells.table], inputs="replay")
        otherwise = "the decisions are others, or their features are defined otherwise now"
        return self._compared("features", cells, self._mixed(batch) or _other_version(rows) or otherwise)

    def _grouped_under(self, inputs: str) -> Catalog:
        for catalog in kept_catalogs(self._lake):
            if inputs.endswith(f":{definition_of(catalog)}"):
                return catalog
        raise CatalogError("grouped under a catalog that was not kept, or by another definition of the features")

    def _compared(self, part: str, place: Partition, why: str) -> Part:
        """Compare a partition of the scratch lake with that of the lake, whose bytes are read again."""
        rebuilt, receipt = self._scratch.receipt(place), self._lake.receipt(place)
        sha256 = rebuilt.sha256 if rebuilt else None
        recorded = self._lake.sha256(place) if self._lake.holds(place) else None
        is_proven = receipt is not None and receipt.sha256 == recorded
        remark = "" if sha256 == recorded else (why if is_proven else _TAMPERED)
        return Part(part, place.group, sha256, recorded, remark)

    def _why_the_book_differs(self, book: Partition) -> str:
        rebuilt, receipt = self._scratch.receipt(book), self._lake.receipt(book)
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


def kept_catalogs(lake: Lake) -> Iterator[Catalog]:
    """Yield every kept catalog that this version of the project can still read."""
    for partition in lake.partitions("catalogs"):
        receipt = lake.receipt(partition)
        if receipt is not None:
            try:
                yield kept_catalog(lake, receipt.inputs)
            except CatalogError:
                continue
