"""The desk's tables: prices of rivals, price changes that people ordered, alerts, and messages that were sent."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from catalog.tables.table import LONG_TEXT, MOMENT, SKU, STORE, TEXT, Column, Table

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


COMPETITOR_PRICES = Table(
    "competitor_prices",
    "one price of a rival for a product of the shelf, as somebody saw it; it counts from the business date on",
    ("rival", "sku", "seen_at"),
    (
        Column("rival", TEXT, "name of the rival"),
        SKU,
        Column("ean", LONG_TEXT, "EAN by which the product was named; null where it was named by sku", nullable=True),
        Column("price_eur", pa.float64(), "price that was seen", "EUR"),
        Column("unit", TEXT, "what that price buys: `pack`, one as we sell it, or one kg, l, m or piece"),
        Column("comparable_price_eur", pa.float64(), "price of as much as one of our packs holds", "EUR"),
        Column("seen_at", MOMENT, "when it was seen", "UTC"),
        Column("fresh_until", pa.date32(), "last business date on which it counts"),
        Column("source", LONG_TEXT, "where it was seen, such as a leaflet; null where nobody said", nullable=True),
        Column("taken_at", MOMENT, "when it was taken in, by the clock of this machine", "UTC"),
        Column("taken_from", TEXT, "who sent it: the name of a token, or of a file"),
    ),
)


TABLES = (COMPETITOR_PRICES, PRICE_CHANGES, ALERTS, NOTIFICATIONS)

VIEWS = Path(__file__).parent / "views"
"""Views over these tables, and what one row of each is."""
