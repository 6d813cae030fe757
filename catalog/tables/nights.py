"""What was decided in the night between two business dates."""

import pyarrow as pa

from catalog.table import LONG_TEXT, Column, Table

NIGHTS = Table(
    "nights",
    "the night after one business date, once it is done",
    ("prices_for",),
    (
        Column("prices_for", pa.date32(), "business date that was priced: the day after that night"),
        Column("outcome", LONG_TEXT, "priced, or base prices stay"),
        Column("judged_version", LONG_TEXT, "model version that was judged; null when none was due", nullable=True),
        Column("promoted", pa.bool_(), "whether the gate made that version champion"),
        Column(
            "priced_by",
            LONG_TEXT,
            "model version behind the prices of that date; null without a champion",
            nullable=True,
        ),
        Column(
            "said",
            LONG_TEXT,
            "what the challenger is expected to earn, how sure that is, and what happens next; null without one",
            nullable=True,
        ),
    ),
)
