"""Find what does not belong together: a batch or a book of which one part is from another run than the rest.

Every commit has a record of its parts, and each part is held against it. Where a record was damaged and set aside, the
receipts of the parts of a batch, or of a book, must name the same inputs and the same seed.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import replace

from catalog.errors import LakeError
from catalog.names import EXPORT_GROUP
from plugins.operations.checks.lake_files import Finding, about
from warehouse.commits.locks import is_held
from warehouse.commits.record import (
    CommitRecord,
    final_names,
    final_record,
    pending_names,
    pending_record_name,
    read_record,
    record_name,
)
from warehouse.lake import Lake, Partition
from warehouse.partition import Within, name_of
from warehouse.receipts import Receipt

BATCH = ("repricings", "rejected", "belief_updates", "stock_movements", "substitutions")

LEDGER = "days_in_force"
"""Tables that are committed with the decisions of a batch, which come last: see `etl.load`."""

_PLAY_AGAIN = "play the day again with `shelfprice doctor --fix`"

_INGEST_AGAIN = "ingest its file again"

_PRICE_AGAIN = "make it again with `shelfprice price`"


def what_does_not_belong(
    lake: Lake, within: Within | None = None, commits: Iterable[str] | None = None
) -> Iterator[Finding]:
    """Yield a finding for each damaged or unfinished commit, and for each part that is not of its commit.

    Parameters
    ----------
    within, commits
        The business dates, and the commits beside those of their partitions, that are looked at; by default all.
    """
    for name in pending_names(lake.notes):
        if not is_held(lake.locks, name):
            said = f"the commit {name} cannot be finished: run `shelfprice doctor --fix`"
            yield Finding(pending_record_name(name), "unfinished", said)
    for name in final_names(lake.notes) if commits is None else sorted(commits):
        try:
            record = read_record(lake.notes, record_name(name))
        except LakeError as error:
            yield Finding(record_name(name), "damaged", str(error))
            continue
        if record is not None and not is_held(lake.locks, name):
            yield from _parts_of_others(lake, record)
    sold = tuple(lake.partitions("interactions", within))
    yield from _mixed_without_record(lake, sold, BATCH, ("inputs", "seed"), _PLAY_AGAIN)
    yield from _mixed_without_record(lake, sold, (LEDGER,), ("seed",), _PLAY_AGAIN)
    books = lake.partitions("booked_prices", within)
    yield from _mixed_without_record(lake, books, ("demand_curves",), ("inputs",), _PRICE_AGAIN)
    yield from _without_decisions(lake, within)


def is_mixed(lake: Lake, date: dt.date, group: str) -> bool:
    """Tell whether the tables of a batch are of different runs."""
    of_batch = {Partition(table, date, group) for table in (*BATCH, LEDGER, "interactions")}
    return any(found.kind == "mixed" and found.partition in of_batch for found in what_does_not_belong(lake))


def _parts_of_others(lake: Lake, record: CommitRecord) -> Iterator[Finding]:
    """Yield the parts of a commit that are neither as it left them nor whole parts of another commit."""
    for part in record.parts:
        if part.receipt is None:
            continue
        now = lake.receipt(part.partition)
        if now == part.receipt or (now is not None and _is_of_another(lake, record, part.partition, now)):
            continue
        if now is None and lake.holds(part.partition):
            continue  # damaged, which its own receipt tells
        if now is None:
            yield about(part.partition, "missing", f"it is part of {record.name}: {_remedy_of(part.partition)}")
        else:
            yield about(
                part.partition, "mixed", f"it is of another run than {record.name}: {_remedy_of(part.partition)}"
            )


def _is_of_another(lake: Lake, record: CommitRecord, partition: Partition, now: Receipt) -> bool:
    if now.commit is None or now.commit == record.name:
        return False
    other = final_record(lake.notes, now.commit)
    return other is not None and any(part.partition == partition and part.receipt == now for part in other.parts)


def _remedy_of(partition: Partition) -> str:
    if partition.group.startswith(EXPORT_GROUP):
        return _INGEST_AGAIN
    return _PRICE_AGAIN if partition.table in {"booked_prices", "demand_curves"} else _PLAY_AGAIN


def _mixed_without_record(
    lake: Lake, last: Iterable[Partition], others: tuple[str, ...], alike: tuple[str, ...], remedy: str
) -> Iterator[Finding]:
    """Yield the parts that do not belong to the one that was published last of them, where no commit has them."""
    for partition in last:
        receipt = lake.receipt(partition)
        if receipt is None or _has_record(lake, receipt) or is_held(lake.locks, partition.lock_name):
            continue
        for table in others:
            part = Partition(table, partition.business_date, partition.group)
            own = lake.receipt(part)
            if own is not None and any(getattr(own, name) != getattr(receipt, name) for name in alike):
                said = f"it is of another run than {name_of(partition)}: {remedy}"
                yield about(part, "mixed", said)


def _without_decisions(lake: Lake, within: Within | None) -> Iterator[Finding]:
    """Yield what stands of a batch whose commit has no record and brought no decisions: it was never finished."""
    for table in (*BATCH, LEDGER):
        for partition in lake.partitions(table, within):
            receipt = lake.receipt(partition)
            if receipt is None or receipt.commit is None or _has_record(lake, receipt):
                continue
            if not lake.holds(replace(partition, table="interactions")) and not is_held(lake.locks, receipt.commit):
                said = f"it is of {receipt.commit}, which was never finished: {_PLAY_AGAIN}"
                yield about(partition, "mixed", said)


def _has_record(lake: Lake, receipt: Receipt) -> bool:
    """Tell whether the commit of a part has a record, be it damaged or still pending."""
    names = (record_name, pending_record_name)
    return receipt.commit is not None and any(lake.notes.changed_at(name(receipt.commit)) for name in names)
