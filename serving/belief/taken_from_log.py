"""What rows of the table `beliefs` say of the log, told without the belief that is made of them.

Who reads a price book needs it, and none of what a belief is worked out with.
"""

import hashlib

import pyarrow as pa

_FROM_THE_LOG = ("sku", "base_price", "met", "bought", "visits_per_day", "profile", "store_days", "day_spread")


def without_the_champions_word(table: pa.Table) -> str:
    """Return a fingerprint of what a belief took from the log: not what a champion made of it."""
    rows = table.select([*_FROM_THE_LOG, "price_ratios", "model_version"]).to_pylist()
    facts = (rows, kinds) if (kinds := stores_of_kinds(table)) else rows
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def stores_of_kinds(table: pa.Table) -> tuple[tuple[str, ...], ...]:
    """Return the stores of each kind; nothing while all are alike."""
    first = table["kinds"].slice(0, 1).to_pylist()[0]
    return tuple(tuple(kind["stores"]) for kind in first or ())
