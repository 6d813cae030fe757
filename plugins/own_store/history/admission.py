"""An export on its way into the lake, date by date, whatever its grain: each date is checked, then committed whole."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from catalog.load import Catalog
from catalog.spread import Progress
from catalog.tables.contracts import TABLES
from etl.transform import ahead
from plugins.own_store.history.columns import PROMOTIONS as COLUMNS
from plugins.own_store.history.rows import query, table_of
from plugins.own_store.history.shelf import places_on
from plugins.own_store.history.stage import StagedExport, store_id_of
from warehouse.lake import Lake, Partition
from warehouse.origin import GROUPED, SOLD

EPOCH = dt.date(1970, 1, 1)
CHANGES = "it changes a row that is in the lake; replace the day with --replace DATE"
REPLACED = "replaced"
"""Name of the remark on what a date of a file took the place of."""
OF_A_FILE = ("rejected", "promotions", "unit_sales", "interactions")
"""Tables that hold a file's partitions, in the order in which they are published: what says that a day is done last."""


@dataclass(frozen=True)
class Replaced:
    """What a file takes the place of on one date: partitions of earlier files, and the rows and units they hold."""

    parts: frozenset[str] = frozenset()
    rows: int = 0
    units: float = 0.0


NOTHING_REPLACED = Replaced()


@dataclass(frozen=True)
class FileAdmission:
    """An export on its way into the lake.

    Attributes
    ----------
    source, part
        The file's name, and the name of its partitions in the lake.
    inputs
        Fingerprint of everything that the partitions are made from.
    not_after
        Latest time at which a decision can have been made.
    replaced
        For each date what this file takes the place of.
    """

    lake: Lake
    catalog: Catalog
    staged: StagedExport
    source: str
    part: str
    inputs: str
    not_after: dt.datetime
    replaced: Mapping[dt.date, Replaced] = field(default_factory=dict)

    def dates(self) -> list[int]:
        """Return the dates of the export as days since 1970, also dates on which no row could be read."""
        return [date for (date,) in self.staged.connection.execute(query("dates_of_file")).fetchall()]

    def look_up_names(self) -> list[str]:
        """Let queries find `shops` and `shelf`: ids of stores, and products of the shelf, by their names in the file.

        Returns
        -------
        list of str
            The ids of its stores, which `code` counts.
        """
        words, places = self.staged.stores, places_on(self.catalog, self.staged)
        of_word = [store_id_of(word) for word in words]
        ids = sorted(set(of_word))
        shops = {"store": words, "store_id": of_word, "code": [ids.index(own) for own in of_word]}
        found = [self.catalog.products[place] for place in places.values()]
        shelf = {"product": list(places), "place": list(places.values())}
        shelf |= {"sku": [own.sku for own in found], "product_name": [own.name for own in found]}
        kinds = {"code": pa.int64(), "place": pa.int64()}
        for name, columns in (("shops", shops), ("shelf", shelf)):
            arrays = {column: pa.array(values, kinds.get(column, pa.string())) for column, values in columns.items()}
            self.staged.connection.register(name, pa.table(arrays))
        return ids

    def others(self, table: str, day: dt.date) -> list[Partition]:
        """Return the partitions of other files on a date that stay."""
        gone = {self.part, *self.replaced.get(day, NOTHING_REPLACED).parts}
        return [own for own in self.lake.partitions_on(table, day) if own.group not in gone]

    def checked(self, date: int, tables: Mapping[str, pa.Table], valid: int, counts: Mapping[str, float]) -> "Checked":
        """Return a date with its unreadable rows, and with what the file says beside its prices."""
        refused, staged, own = tables["rejected"], self.staged, dict(tables)
        aside = staged.aside_on(date)
        unread = pa.table(
            [pa.repeat(self.source, aside.num_rows), aside["line"], aside["reason"], aside["text"]],
            names=TABLES["rejected"].schema.names,
        ).cast(TABLES["rejected"].schema)
        own["rejected"] = pa.concat_tables([refused, unread]).unify_dictionaries().sort_by("row_number")
        if date in staged.spans and not set(COLUMNS).isdisjoint(staged.theirs):
            staged.connection.register("refused", pa.table({"line": refused["row_number"]}))
            beside = table_of(staged.connection, "promotions", date=date, has_event="event" in staged.theirs)
            own["promotions"] = beside = beside.cast(TABLES["promotions"].schema)
            is_any = pc.field("promotion") | pc.field("display") | pc.field("leaflet") | (pc.field("event") != "")
            counts = {**counts, "promoted": beside.filter(is_any).num_rows}
        return Checked(EPOCH + dt.timedelta(days=date), own, valid, counts)


@dataclass(frozen=True)
class Checked:
    """One date, before it is published.

    Attributes
    ----------
    tables
        Its rows by table of the lake, `rejected` among them.
    valid
        Rows of the file that can be used.
    counts
        What happened to them, such as units that were brought back, by name.
    """

    business_date: dt.date
    tables: Mapping[str, pa.Table]
    valid: int
    counts: Mapping[str, float] = field(default_factory=dict)

    def lines_of(self, reason: str) -> list[int]:
        """Return the lines of the rows that are rejected for a reason, ascending."""
        rejected = self.tables["rejected"]
        own = rejected.filter(pc.equal(rejected["reason"].cast(pa.string()), reason))
        return sorted(own["row_number"].to_pylist())

    @property
    def reasons(self) -> dict[str, tuple[int, int]]:
        """The rejected rows and the first line of each reason."""
        rejected = self.tables["rejected"]
        grouped = rejected.group_by("reason").aggregate([("row_number", "count"), ("row_number", "min")])
        counts = (grouped[name].to_pylist() for name in ("reason", "row_number_count", "row_number_min"))
        return {reason: (rows, line) for reason, rows, line in zip(*counts, strict=True)}


@dataclass(frozen=True)
class Admitted:
    """The result for one date: rows that are used and rows in the lake, rejected rows by reason, and other counts.

    `replaced` says, as plain values, what it took the place of; None where it took the place of nothing.
    """

    business_date: dt.date
    valid: int
    kept: int
    rejected: dict[str, tuple[int, int]]
    counts: Mapping[str, float]
    replaced: Mapping[str, Any] | None = None


class Admitting(Protocol):
    """Checks one date of an export after another."""

    @property
    def given(self) -> FileAdmission:
        """The export."""
        ...

    def begin(self) -> None:
        """Begin at the first date."""
        ...

    def check(self, date: int) -> Checked:
        """Validate one date; nothing is published."""
        ...


def admit_dates(admitting: Admitting, progress: Progress) -> list[Admitted]:
    """Admit every date of an export in order, and remove what an earlier reading of the file published on others."""
    given, days = admitting.given, list[Admitted]()
    dates = given.dates()
    admitting.begin()
    for checked in ahead(map(admitting.check, dates)):
        days.append(published(given, checked))
        progress("publishing dates", len(days), len(dates))
    clear_other_dates(given)
    return days


def published(given: FileAdmission, checked: Checked) -> Admitted:
    """Commit one date: its rows of every table, the removal of what it replaces, and a remark on what that was.

    A date without a row that can be used replaces nothing. What an earlier run of the same file replaced, one that was
    killed among them, is known from its remark.
    """
    day, kept = checked.business_date, 0
    replaced = given.replaced.get(day, NOTHING_REPLACED) if checked.valid else NOTHING_REPLACED
    with given.lake.commit(f"file-{day}-{given.part}", inputs=given.inputs) as commit:
        remark = commit.remarks.get(REPLACED) if checked.valid else None
        if replaced.parts:
            remark = {"rows": replaced.rows, "units": replaced.units}
        if remark:
            commit.remark(**{REPLACED: remark})
        for part in sorted(replaced.parts):
            for table in (*GROUPED, *OF_A_FILE):
                commit.remove(Partition(table, day, part))
        for table in OF_A_FILE:
            rows, partition = checked.tables.get(table), Partition(table, day, given.part)
            if rows is None:
                commit.remove(partition)
            elif rows.num_rows or given.lake.receipt(partition):
                commit.publish(partition, rows)
            if rows is not None and table in SOLD:
                kept += rows.num_rows
    return Admitted(day, checked.valid, kept, checked.reasons, checked.counts, _change(checked, remark))


def rows_and_units(table: str, rows: pa.Table) -> tuple[int, float]:
    """Return the rows of a table of sales, and the units that they sold."""
    units = pc.sum(rows["purchased" if table == "interactions" else "units"]).as_py()
    return rows.num_rows, float(units or 0.0)


def _change(checked: Checked, before: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return what was replaced on a date, and by what."""
    if before is None:
        return None
    table = next(name for name in SOLD if name in checked.tables)
    rows, units = rows_and_units(table, checked.tables[table])
    return {
        "date": checked.business_date.isoformat(),
        "rows_before": before["rows"],
        "rows_after": rows,
        "units_before": before["units"],
        "units_after": units,
    }


def clear_other_dates(given: FileAdmission) -> None:
    """Remove what an earlier reading of the same file published on dates that it does not have now."""
    days = {EPOCH + dt.timedelta(days=date) for date in given.dates()}
    for table in (*OF_A_FILE, *GROUPED):
        for partition in list(given.lake.partitions(table)):
            if partition.group == given.part and partition.business_date not in days:
                given.lake.remove(partition)
