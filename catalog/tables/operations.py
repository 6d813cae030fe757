"""What people and other systems did: price changes, what tills and labels show, alerts, and ingested files."""

from dataclasses import replace

import pyarrow as pa

from catalog.tables.table import LONG_TEXT, MOMENT, PRICE, SKU, STORE, Column, Table

_WITHOUT_MODEL = "of a store day in the ticks of its first date; null without a model"
_PREDICTIONS = (
    Column(
        "expected_p_sale", pa.float64(), "chance of sale at the price, as predicted then; null as below", "probability"
    ),
    Column("expected_units", pa.float64(), f"predicted units {_WITHOUT_MODEL}", "units per store day"),
    Column("expected_revenue", pa.float64(), "predicted revenue, alike", "EUR per store day"),
    Column("expected_profit", pa.float64(), "predicted revenue less the cost of the units, alike", "EUR per store day"),
    Column(
        "expected_gain",
        pa.float64(),
        "predicted gain against the alternative, in what the catalog maximises, alike",
        "EUR per store day",
    ),
    Column(
        "otherwise_price",
        pa.float64(),
        "the alternative: the old price of a proposal, else what the policy opens with; null as above",
        "EUR",
    ),
    Column("otherwise_p_sale", pa.float64(), "chance of sale at the alternative, alike", "probability"),
)
PREDICTED = tuple(column.name for column in _PREDICTIONS)
"""Columns of what was predicted of a price change when it was asked for."""

PRICE_CHANGES = Table(
    "price_changes",
    "one event of a price change, with the terms that hold from then on; null is every product, or every store",
    ("number", "change", "event"),
    (
        Column("number", pa.int64(), "number of the action that the event was part of, from 1", "number"),
        Column("change", LONG_TEXT, "id of the price change"),
        Column("event", LONG_TEXT, "proposed, approved, rejected or withdrawn"),
        Column("recorded_at", MOMENT, "when it was recorded, by the clock", "UTC"),
        Column("effective_at", MOMENT, "from when it counts in the first store, in the time of the stores", "UTC"),
        Column(
            "effective_in",
            pa.list_(pa.struct([("store_id", pa.string()), ("effective_at", MOMENT)])),
            "stores in which it counts from another moment: each follows at its own next tick; null where none does",
            "UTC",
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
            "what it is expected to earn less than the plan of the price book; null where nobody knows",
            "EUR per day",
            nullable=True,
        ),
        *(replace(column, nullable=True) for column in _PREDICTIONS),
    ),
)


ALERTS = Table(
    "alerts",
    "one event of an alert: raised when it began, over when it ended; nothing is ever removed",
    ("number", "kind", "subject", "event"),
    (
        Column("number", pa.int64(), "number of the look at the store, from 1", "number"),
        Column("kind", LONG_TEXT, "which rule: below_cost, drift, late_night, nights_refused, override_days and so on"),
        Column("subject", LONG_TEXT, "what it is about, such as a store and a product"),
        Column("event", LONG_TEXT, "raised or over"),
        Column("happened_at", MOMENT, "when, in the time of the stores", "UTC"),
        Column("recorded_at", MOMENT, "when it was recorded, by the clock", "UTC"),
        Column("sentence", LONG_TEXT, "what was found, and what to do"),
    ),
)


NOTIFICATIONS = Table(
    "notifications",
    "one message that was sent, or that a webhook or a mail server did not take; a failure that goes on is kept once",
    ("number", "channel", "kind", "subject", "said_at"),
    (
        Column("number", pa.int64(), "number of the sending that it was part of, from 1", "number"),
        Column("channel", LONG_TEXT, "webhook or email"),
        Column("kind", LONG_TEXT, "rule of the alert; digest, or test"),
        Column("subject", LONG_TEXT, "what it is about; of a digest, the business date whose morning it tells of"),
        Column("said_at", MOMENT, "when what it says was found, in the time of the stores", "UTC"),
        Column("is_sent", pa.bool_(), "whether it was taken"),
        Column("problem", LONG_TEXT, "why not; null where it was taken", nullable=True),
        Column("recorded_at", MOMENT, "when it was recorded, by the clock", "UTC"),
    ),
)


INGESTED_FILES = Table(
    "ingested_files",
    "one file that was ingested whole",
    ("part",),
    (
        Column("part", LONG_TEXT, "name of its partitions in the tables of what was sold, made from its bytes"),
        Column("file", LONG_TEXT, "name of the file, without its folder"),
        Column("sha256", LONG_TEXT, "SHA-256 of its bytes, hexadecimal"),
        Column("rows", pa.int64(), "rows in the file", "rows"),
        Column("valid", pa.int64(), "rows that were used: decisions, or sales that units were summed from", "rows"),
        Column("rejected", pa.int64(), "rows that were rejected", "rows"),
        Column("first_date", pa.date32(), "first business date with a row that was used"),
        Column("last_date", pa.date32(), "last business date with a row that was used"),
        Column("columns", LONG_TEXT, "column mapping, as a JSON object from our names to theirs"),
        Column("reasons", LONG_TEXT, "why rows were rejected, as a JSON object from reason to rows and first line"),
        Column("profile", LONG_TEXT, "what the file says about each product, as a JSON object"),
        Column("grain", LONG_TEXT, "what a row is: visits, receipts or units"),
        Column("summary", LONG_TEXT, "what else happened to its rows, as a JSON object"),
        Column("ingested_at", MOMENT, "when its last partition was published", "UTC"),
    ),
    by="key",
)


_BATCH = Column("batch", LONG_TEXT, "id of the batch: a fingerprint of what is in it")
_STORE = Column("store_id", LONG_TEXT, STORE.meaning)
_SKU = Column("sku", LONG_TEXT, SKU.meaning)
_RECORDED_AT = Column("recorded_at", MOMENT, "when it was recorded, by the clock", "UTC")
_EFFECTIVE_AT = Column("effective_at", MOMENT, "the next tick of the store then, in the time of the stores", "UTC")

EXPORT_BATCHES = Table(
    "export_batches",
    "one price of a batch that is sent to the till and the label of a store; it is recorded before it is sent",
    ("batch", "sku"),
    (
        Column("number", pa.int64(), "number of the export that made the batch, from 1", "number"),
        _BATCH,
        Column("after", LONG_TEXT, "id of the store's batch before it; null for the first one", nullable=True),
        _STORE,
        _SKU,
        PRICE,
        Column(
            "till_price",
            pa.float64(),
            "price that the till has to charge: the lower one while the label may still show another",
            "EUR",
        ),
        Column(
            "unit_price",
            pa.float64(),
            "price of one unit of measure; null where the catalog has no measure",
            "EUR",
            nullable=True,
        ),
        Column("unit", LONG_TEXT, "the unit of measure, such as kg; null where there is none", nullable=True),
        Column(
            "prior_price",
            pa.float64(),
            "price that an announced reduction has to name; null where none is announced",
            "EUR",
            nullable=True,
        ),
        Column("valid_from", MOMENT, "from when the price stands, in the time of the stores", "UTC"),
        _RECORDED_AT,
        _EFFECTIVE_AT,
        Column("time_zone", LONG_TEXT, "time zone of the store"),
        Column("currency", LONG_TEXT, "currency of the prices"),
    ),
)

LABEL_STATES = Table(
    "label_states",
    "one thing that a till or a label said of one price of a batch; what was said last, by `said_at`, holds",
    ("number", "position"),
    (
        Column("number", pa.int64(), "number of the acknowledgement that it was part of, from 1", "number"),
        Column("position", pa.int64(), "position in that acknowledgement, from 0", "number"),
        _BATCH,
        _STORE,
        _SKU,
        Column("device", LONG_TEXT, "till or label"),
        Column("shown_price", pa.float64(), "price that it shows; null when it does not say", "EUR", nullable=True),
        Column("is_ok", pa.bool_(), "whether it could do what the batch asked for"),
        Column("error", LONG_TEXT, "what went wrong, in its words; null when nothing did", nullable=True),
        Column("said_at", MOMENT, "when it said so, by its own clock", "UTC"),
        _RECORDED_AT,
        _EFFECTIVE_AT,
        Column("by", LONG_TEXT, "who handed it over: a person, or the name of a token"),
    ),
)
