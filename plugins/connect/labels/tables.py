"""The tables of tills and labels: which prices were sent, and what the devices acknowledged."""

from pathlib import Path

import pyarrow as pa

from catalog.tables.table import LONG_TEXT, MOMENT, PRICE, SKU, STORE, Column, Table

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


TABLES = (EXPORT_BATCHES, LABEL_STATES)

VIEWS = Path(__file__).parent / "views"
"""What one row of each table is."""
