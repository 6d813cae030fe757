"""Whether the champion's demand still holds, and what a scripted change of it costs until prices answer."""

import pyarrow as pa

from catalog.table import LONG_TEXT, MOMENT, TEXT, Column, Table

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

DRIFT_RESULTS = Table(
    "drift_results",
    "one rule's score for one change of a scripted world with one seed",
    ("scenario", "rule", "seed", "change"),
    (
        Column("scenario", LONG_TEXT, "the scripted world"),
        Column(
            "rule",
            LONG_TEXT,
            "what raises the alarm: residuals, coin, or none, which never learns again",
        ),
        Column("seed", pa.int64(), "seed of the shoppers and of the forests"),
        Column("change", pa.int64(), "number of the change in the world, from 1; 0 is the time before any"),
        Column("days", pa.int64(), "priced days from the change until the next one or the end", "days"),
        Column(
            "false_alarms",
            pa.int64(),
            "days with an alarm before any, or after recovery from this one",
            "days",
        ),
        Column(
            "detected_after_days",
            pa.int64(),
            "days of the change that were sold when the alarm came, 1 is the evening of the first; null without one",
            "days",
            nullable=True,
        ),
        Column("decisions", pa.int64(), "decisions on those days; null without an alarm", "decisions", nullable=True),
        Column(
            "recovered_after_days",
            pa.int64(),
            "days that were sold before prices were good again for the rest of the time; null where they never were",
            "days",
            nullable=True,
        ),
        Column("lost_eur", pa.float64(), "what the clairvoyant earned more on those days, all stores", "EUR"),
        Column("played_at", MOMENT, "when the scorecard was made", "UTC"),
    ),
    by="key",
    unique_in="partition",
)
