"""Whether the champion's demand still holds, and what a scripted change of it costs until prices answer."""

import pyarrow as pa

from catalog.table import LONG_TEXT, TEXT, Column, Table

DRIFT_CHECKS = Table(
    "drift_checks",
    "one product on one day since the training of one model version, seen as its champion",
    ("model_version", "sku"),
    (
        Column("sku", TEXT, "stock-keeping unit of the product"),
        Column("model_version", LONG_TEXT, "registered version that was champion when the day was checked"),
        Column("decisions", pa.int64(), "decisions with stock", "decisions"),
        Column(
            "mean_residual", pa.float64(), "share that bought less the champion's mean chance of sale", "probability"
        ),
        Column("standard_error", pa.float64(), "of that mean, if the champion is right", "probability"),
        Column("detected", pa.bool_(), "whether a change in how shoppers answer prices was detected on this day"),
        Column("since", pa.date32(), "first date of the new answer; null without one", nullable=True),
        Column(
            "direction",
            LONG_TEXT,
            "more or less: how much is bought at the same prices; null without one",
            nullable=True,
        ),
        Column("residual_before", pa.float64(), "mean residual before; null without one", "probability", nullable=True),
        Column(
            "residual_after", pa.float64(), "mean residual since then; null without one", "probability", nullable=True
        ),
    ),
)
