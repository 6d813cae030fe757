"""Alerts: what needed a person, from when to when."""

import pyarrow as pa

from catalog.table import LONG_TEXT, MOMENT, Column, Table

ALERTS = Table(
    "alerts",
    "one event of an alert: raised when it began, over when it ended; nothing is ever removed",
    ("number", "kind", "subject", "event"),
    (
        Column("number", pa.int64(), "number of the look at the store, from 1"),
        Column("kind", LONG_TEXT, "which rule: below_cost, drift, late_night, nights_refused, override_days and so on"),
        Column("subject", LONG_TEXT, "what it is about, such as a store and a product"),
        Column("event", LONG_TEXT, "raised or over"),
        Column("happened_at", MOMENT, "when, in the time of the stores", "UTC"),
        Column("recorded_at", MOMENT, "when it was recorded, by the clock", "UTC"),
        Column("sentence", LONG_TEXT, "what was found, and what to do"),
    ),
)
