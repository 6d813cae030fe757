"""A registered model as any client of MLflow scores it: `mlflow models predict`, in a process of its own.

What must hold: the model was read by `features.stored_model` before. MLflow itself trusts whatever types and loader a
model names, so a model that was not read first could run its own code here.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from catalog.arrays import Floats
from catalog.errors import ModelError
from catalog.settings import Settings

_SECONDS_ALLOWED = 300.0
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",
}


def predict(settings: Settings, model_uri: str, rows: pd.DataFrame) -> Floats:
    """Return the second column of what MLflow predicts, the chance of sale, shape (n_rows,).

    Parameters
    ----------
    model_uri
        For example `models:/shelfprice-demand@champion`.
    rows
        The model's input columns, in order.

    Raises
    ------
    ModelError
        When MLflow gives no answer, or not one pair of chances for each row.
    """
    with TemporaryDirectory() as folder:
        asked, answered = Path(folder, "rows.json"), Path(folder, "answer.json")
        asked.write_text(json.dumps({"dataframe_split": rows.to_dict(orient="split", index=False)}), encoding="utf-8")
        command = ["models", "predict", "-m", model_uri, "--env-manager", "local"]
        try:
            ended = subprocess.run(  # noqa: S603 - our own interpreter
                [sys.executable, "-P", "-m", "mlflow", *command, "-i", asked, "-t", "json", "-o", answered],
                env=os.environ | _QUIET | {"MLFLOW_TRACKING_URI": settings.tracking_uri},
                capture_output=True,
                text=True,
                timeout=_SECONDS_ALLOWED,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ModelError(f"{model_uri}: MLflow gave no answer within {_SECONDS_ALLOWED:.0f} seconds") from error
        if ended.returncode != 0:
            said = (ended.stderr.strip() or f"exit code {ended.returncode}").splitlines()[-1][:300]
            raise ModelError(f"{model_uri}: MLflow cannot score it ({said})")
        return _chances(answered.read_text(encoding="utf-8"), model_uri, len(rows))


def _chances(answer: str, model_uri: str, n_rows: int) -> Floats:
    try:
        chances = np.array(json.loads(answer)["predictions"], dtype=float)
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{model_uri}: expected predictions in JSON, found {answer[:80]!r}") from error
    if chances.shape != (n_rows, 2):
        raise ModelError(f"{model_uri}: expected {n_rows} pairs of chances, found an answer of shape {chances.shape}")
    return chances[:, 1]
