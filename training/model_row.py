"""The row of `model_versions` that a training leaves in the lake: what was judged, by what, and with which outcome."""

import datetime as dt
import json

import pyarrow as pa

from catalog.tables.models import MODEL_VERSIONS
from training.registry import LoggedModel
from training.result import TrainingResult


def model_version_row(result: TrainingResult, logged: LoggedModel, model_sha256: str | None) -> pa.Table:
    """Return the row of a judged version, which was logged as `logged` and registered with files of a fingerprint."""
    dataset, verdict = result.dataset, result.verdict
    return pa.table(
        {
            "version": [result.version],
            "candidate": [result.best],
            "run_id": [logged.run_id],
            "training_run_id": [logged.training_run_id],
            "trained_since": [dataset.trained_since],
            "trained_through": [dataset.trained_through],
            "judged_through": [dataset.judged_through],
            "metrics": [json.dumps(result.scores[result.best])],
            "candidates": [json.dumps(result.scores)],
            "promoted": [verdict.promoted],
            "reasons": [json.dumps([condition.as_record() for condition in verdict.conditions])],
            "money": [None if result.gain is None else json.dumps(result.gain.as_record())],
            "price_response": [_responses(result)],
            "model_sha256": [model_sha256],
            "said": [result.said],
            "decided_at": [dt.datetime.combine(dataset.judged_through + dt.timedelta(days=1), dt.time(), dt.UTC)],
        },
        schema=MODEL_VERSIONS.schema,
    )


def _responses(result: TrainingResult) -> str | None:
    return json.dumps([own.as_record() for own in result.responses]) if result.responses else None
