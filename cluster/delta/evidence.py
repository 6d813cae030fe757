"""Hold the objects in force against their receipts and contracts."""

import datetime as dt
import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pyarrow as pa

from cluster.delta.naming import in_table
from warehouse.finding import Finding, about
from warehouse.parquet import contract_faults
from warehouse.partition import Partition, partition_named

if TYPE_CHECKING:
    from cluster.delta.in_force import DeltaReading


def check(store: "DeltaReading", name: str) -> tuple[list[Finding], int]:
    """Return what is wrong with the object in force of a partition, by its name, and how many rows it proves."""
    partition = partition_named(name)
    standing = store.standing(partition) if partition else None
    if partition is None or standing is None:
        return list(_of_another_program(store, name)), 0
    receipt = store.receipt_of(partition, standing)
    if receipt is None:
        return [about(partition, "damaged", "its receipt is missing or damaged: make the partition again")], 0
    try:
        content = store.content(partition)
    except FileNotFoundError:
        return [about(partition, "missing", "the log names it, the object is not there: make the partition again")], 0
    if hashlib.sha256(content).hexdigest() != receipt.sha256:
        said = "its bytes differ from its receipt: set it aside and make the partition again"
        return [about(partition, "damaged", said)], 0
    return list(_of_contract(partition, content, receipt.rows)), receipt.rows


def _of_another_program(store: "DeltaReading", name: str) -> Iterator[Finding]:
    """Yield a finding about a file that another program has put in force; one that is gone by now is none."""
    if log := store.log_with_foreign(name):
        said = log.addition_of(in_table(name))
        who = " ".join(filter(None, (said.get("userName"), said.get("engineInfo", "another program"))))
        at = said.get("timestamp")
        when = f" at {dt.datetime.fromtimestamp(at / 1000, dt.UTC):%Y-%m-%d %H:%M} UTC" if at else ""
        why = f"{who} added it{when} ({said.get('operation', 'how is unknown')}); it has no receipt"
        yield Finding(name, "orphaned", f"{why}, and other engines read it where we do not: set it aside")


def _of_contract(partition: Partition, content: bytes, rows: int) -> Iterator[Finding]:
    for said in contract_faults(pa.BufferReader(content), partition.table, rows):
        yield about(partition, "damaged", said)
