"""What nights found: model versions and the gate's decisions, drift, and how each night ended."""

import pyarrow as pa

from catalog.tables.table import LONG_TEXT, MOMENT, SKU, Column, Table

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

NIGHTS = Table(
    "nights",
    "the night after one business date, once it is done",
    ("prices_for",),
    (
        Column("prices_for", pa.date32(), "business date that was priced: the next day or opening"),
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


MODEL_VERSIONS = Table(
    "model_versions",
    "one judged model version",
    ("version",),
    (
        Column("version", LONG_TEXT, "version in the model registry"),
        Column("candidate", LONG_TEXT, "name of the model family"),
        Column("run_id", LONG_TEXT, "MLflow run that holds parameters, plots and the model"),
        Column("training_run_id", LONG_TEXT, "MLflow run of its training, which holds the figures"),
        Column(
            "trained_since",
            pa.date32(),
            "first business date whose decisions count in full, earlier ones for their shape; null when not recorded",
            nullable=True,
        ),
        Column("trained_through", pa.date32(), "last business date it was trained on"),
        Column("judged_through", pa.date32(), "last business date it was judged on"),
        Column("metrics", LONG_TEXT, "judged metrics, as a JSON object"),
        Column("candidates", LONG_TEXT, "metrics of every candidate of the training, as a JSON object"),
        Column("promoted", pa.bool_(), "whether the gate made it champion"),
        Column("reasons", LONG_TEXT, "the gate's conditions, each with its finding, as a JSON list"),
        Column(
            "money",
            LONG_TEXT,
            "estimated gain of its prices over the champion's, or the base prices without one, as a JSON object; "
            "null without an estimate",
            "EUR per store day",
            nullable=True,
        ),
        Column(
            "model_sha256",
            LONG_TEXT,
            "SHA-256 of the registered model, to which it is held whenever it is loaded; null when not recorded",
            nullable=True,
        ),
        Column(
            "said",
            LONG_TEXT,
            "what it is expected to earn, how sure that is, and what happens next; null when not recorded",
            nullable=True,
        ),
        Column("decided_at", MOMENT, "when the gate decided", "UTC"),
    ),
    by="key",
)
