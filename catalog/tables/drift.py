"""Whether the champion's demand curves still hold, and what drift costs in scripted worlds until prices recover."""

import pyarrow as pa

from catalog.table import LONG_TEXT, MOMENT, Column, Table
from catalog.tables.columns import SKU

DRIFT_CHECKS = Table(
    "drift_checks",
    "one product on one day since the training of one model version, seen as its champion",
    ("model_version", "sku"),
    (
        SKU,
        Column("model_version", LONG_TEXT, "registered version that was champion when the day was checked"),
        Column("decisions", pa.int64(), "decisions of shoppers while the product was in stock", "decisions"),
        Column(
            "mean_residual", pa.float64(), "share that bought, less the champion's mean chance of sale", "probability"
        ),
        Column(
            "standard_error",
            pa.float64(),
            "standard error of the mean residual if the champion is right",
            "probability",
        ),
        Column("detected", pa.bool_(), "whether drift was detected on this day"),
        Column("since", pa.date32(), "first date of the changed demand; null without drift", nullable=True),
        Column(
            "direction",
            LONG_TEXT,
            "more or less: how much is bought at the same prices; null without drift",
            nullable=True,
        ),
        Column(
            "residual_before",
            pa.float64(),
            "mean residual before the change; null without drift",
            "probability",
            nullable=True,
        ),
        Column(
            "residual_after",
            pa.float64(),
            "mean residual since the change; null without drift",
            "probability",
            nullable=True,
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
            "what raises the alarm: residuals, or none (never trains again)",
        ),
        Column("seed", pa.int64(), "seed of the shoppers and of the forests"),
        Column("change", pa.int64(), "number of the change in the world, from 1; 0 is the time before the first"),
        Column("days", pa.int64(), "priced days from the change until the next one or the end", "days"),
        Column(
            "false_alarms",
            pa.int64(),
            "days with an alarm before the first change, or after recovery from this one",
            "days",
        ),
        Column(
            "detected_after_days",
            pa.int64(),
            "days sold after the change when the alarm came, 1 for the evening of the first day; null without an alarm",
            "days",
            nullable=True,
        ),
        Column("decisions", pa.int64(), "decisions on those days; null without an alarm", "decisions", nullable=True),
        Column(
            "recovered_after_days",
            pa.int64(),
            "days sold before prices were good again and stayed so; null where they never were",
            "days",
            nullable=True,
        ),
        Column("lost_eur", pa.float64(), "how much more the clairvoyant earned on those days, all stores", "EUR"),
        Column("played_at", MOMENT, "when the scorecard was made", "UTC"),
    ),
    by="key",
    unique_in="partition",
)
