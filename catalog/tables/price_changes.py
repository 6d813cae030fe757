"""Price changes: what somebody or a policy wanted to change about a price, and what became of it."""

import pyarrow as pa

from catalog.table import LONG_TEXT, MOMENT, Column, Table
from catalog.tables.columns import SKU, STORE

PRICE_CHANGES = Table(
    "price_changes",
    "one event of a price change, with the terms that hold from then on; null is every product, or every store",
    ("number", "change", "event"),
    (
        Column("number", pa.int64(), "number of the action that the event was part of, from 1"),
        Column("change", LONG_TEXT, "id of the price change"),
        Column("event", LONG_TEXT, "proposed, approved, rejected or withdrawn"),
        Column("recorded_at", MOMENT, "when it was recorded, by the clock", "UTC"),
        Column("effective_at", MOMENT, "from when it counts in the first store, in the time of the stores", "UTC"),
        Column(
            "effective_in",
            pa.list_(pa.struct([("store_id", pa.string()), ("effective_at", MOMENT)])),
            "stores in which it counts from another moment: each follows at its own next tick; null where none does",
            nullable=True,
        ),
        Column("done_by", LONG_TEXT, "who did it: a person, a policy, or the rule of the catalog"),
        Column(
            "kind",
            LONG_TEXT,
            "price (what a policy proposes for a day), override, freeze, or kill_switch (base prices)",
        ),
        Column("sku", LONG_TEXT, SKU.meaning, nullable=True),
        Column("store_id", LONG_TEXT, STORE.meaning, nullable=True),
        Column("old_price", pa.float64(), "what stands without the change; null when unknown", "EUR", nullable=True),
        Column("new_price", pa.float64(), "price that is wanted; null for base prices", "EUR", nullable=True),
        Column("valid_from", MOMENT, "from when the price is wanted, in the time of the stores", "UTC"),
        Column("valid_until", MOMENT, "until when; null until it is withdrawn", "UTC", nullable=True),
        Column("announced", pa.bool_(), "whether the price is announced as a reduction"),
        Column(
            "prior_price",
            pa.float64(),
            "price that the announcement has to name: see docs/lawful-pricing.md; null where none is announced",
            "EUR",
            nullable=True,
        ),
        Column("reason", LONG_TEXT, "why, in a sentence"),
        Column(
            "accepted_cost",
            pa.float64(),
            "cost plus minimum margin when somebody accepted a price below it or below the floor; else null",
            "EUR",
            nullable=True,
        ),
        Column(
            "expected_cost",
            pa.float64(),
            "what it is expected to cost against the policy's price; null without a model",
            "EUR per day",
            nullable=True,
        ),
    ),
)
