"""Model versions and the gate's decisions about them."""

import pyarrow as pa

from catalog.table import LONG_TEXT, MOMENT, Column, Table

MODEL_VERSIONS = Table(
    "model_versions",
    "one judged model version",
    ("version",),
    (
        Column("version", LONG_TEXT, "version in the model registry"),
        Column("candidate", LONG_TEXT, "name of the model family"),
        Column("run_id", LONG_TEXT, "MLflow run that holds parameters, plots and the model"),
        Column("training_run_id", LONG_TEXT, "MLflow run of its training, which holds the report"),
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
            "price_response",
            LONG_TEXT,
            "how exported sales of the days trained on answer to prices, by product, as a JSON list; null where no "
            "held-out decision was exported",
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
