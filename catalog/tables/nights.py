"""What was decided in the nights between two business dates."""

import pyarrow as pa

from catalog.table import LONG_TEXT, Column, Table

NIGHTS = Table(
    "nights",
    "the night after one business date, once it is done",
    ("prices_for",),
    (
        Column("prices_for", pa.date32(), "business date that was priced: the day after"),
        Column("outcome", LONG_TEXT, "priced, old prices hold or base prices stay"),
        Column("learned_because", LONG_TEXT, "why a model was trained; null when none was due", nullable=True),
        Column("trained_version", LONG_TEXT, "model version that was trained; null without one", nullable=True),
        Column("promoted", pa.bool_(), "whether the gate made that version champion"),
        Column(
            "priced_by",
            LONG_TEXT,
            "model version behind the prices of the day after; null at base prices",
            nullable=True,
        ),
        Column("said", LONG_TEXT, "what did not go as usual; null when all did", nullable=True),
    ),
)
