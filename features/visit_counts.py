"""Visit counts: how many came to each product, tick and price, to each store, and to both by the hour.

Beliefs, footfall and the range of our own prices need no more of a decision than these counts, and a partition has a
few thousand of them however many decisions it holds. So learning and pricing read counts, not decisions.

What must hold: a count is taken for the decisions that it was made from and for no others. Decisions whose counts are
missing, or were made from other bytes, are counted when they are read; so nobody has to transform first, and the
numbers are the same.
"""

import hashlib
from functools import cache
from pathlib import Path

import duckdb

from warehouse.lake import Lake, Partition, empty_partition
from warehouse.origin import COUNTS
from warehouse.partition import Within
from warehouse.query.connection import MACROS, queries_beside, run_scripts

COUNTED_VIEWS = Path(__file__).parent / "counted"
_DECISIONS = "interactions"
_query = queries_beside(__file__)


def counts_beside(decisions: Partition) -> tuple[Partition, ...]:
    """Return the partitions that count some decisions, in the order of publishing; none for unit sales."""
    if decisions.table != _DECISIONS:
        return ()
    return tuple(Partition(name, decisions.business_date, decisions.group) for name in COUNTS)


def counts_inputs(sha256: str) -> str:
    """Return what the counts of decisions of these bytes are made from."""
    return f"{sha256}:{definition_of_counts()}"


@cache
def definition_of_counts() -> str:
    """Return the fingerprint of what counts depend on beside the decisions: their SQL; base prices do not matter."""
    definition = hashlib.sha256()
    for name in COUNTS:
        definition.update(_query(name).encode())
    for macro in ("count_visits", "count_in_context", "is_external"):
        definition.update((MACROS / f"{macro}.sql").read_bytes())
    return definition.hexdigest()


def show_visits(connection: duckdb.DuckDBPyConnection, lake: Lake, within: Within | None) -> None:
    """Create the views `visits`, `visits_of_stores` and `visits_in_context` of decisions, of some dates if asked.

    Receipts are read, and no row.
    """
    counted: dict[str, list[Partition]] = {name: [] for name in COUNTS}
    uncounted = []
    for decisions in lake.partitions(_DECISIONS, within):
        counts = counts_beside(decisions)
        if _are_current(lake, decisions, counts):
            for part in counts:
                counted[part.table].append(part)
        else:
            uncounted.append(decisions)
    for name, partitions in counted.items():
        _show(connection, lake, partitions, name, f"current_{name}")
    _show(connection, lake, uncounted, _DECISIONS, "uncounted_interactions")
    run_scripts(connection, [COUNTED_VIEWS])


def _are_current(lake: Lake, decisions: Partition, counts: tuple[Partition, ...]) -> bool:
    receipt = lake.receipt(decisions)
    if receipt is None:
        return False
    inputs = counts_inputs(receipt.sha256)
    return all(lake.is_current(part, inputs) for part in counts)


def _show(
    connection: duckdb.DuckDBPyConnection, lake: Lake, partitions: list[Partition], table: str, view: str
) -> None:
    files = lake.places((empty_partition(table), *partitions))  # the empty one carries the columns
    connection.table_function("lake_by_day", [files]).create_view(view)
