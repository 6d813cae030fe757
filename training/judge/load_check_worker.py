"""A stored model on trial in a process of its own: `python -m training.judge.load_check_worker FD`.

The process imports what reading a model needs, waits for one line of JSON at the socket FD, reads the model, answers
for some rows, and sends one line of JSON. What is wrong with the model is the answer.
"""

import json
import signal
import socket
import sys
import time
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from catalog.errors import ModelError
from features.stored_model import StoredModel, read_model

_LONGEST_ANSWER = 120  # seconds


@dataclass(frozen=True)
class Task:
    """What is asked: the model's folder, its input columns in order, and rows of them, shape (n_rows, n_features)."""

    folder: str
    features: list[str]
    rows: list[list[float]]


def answer(task: Task) -> dict[str, Any]:
    """Load and ask a model, timed; what is wrong with it is the answer, under `refused`."""
    begun = time.monotonic()
    try:
        model = read_model(Path(task.folder))
        _refuse_another_signature(model, task.features)
        p_sale = model.p_sale(pd.DataFrame(task.rows, columns=task.features))
    except ModelError as error:
        return {"refused": str(error)}
    except Exception as error:  # noqa: BLE001 - whatever a model does that answers no question
        return {"refused": f"fails when it is asked ({type(error).__name__}: {error})"[:300]}
    return {"seconds": time.monotonic() - begun, "p_sale": p_sale.tolist()}


def _refuse_another_signature(model: StoredModel, features: list[str]) -> None:
    if sorted(model.features) != sorted(features):
        odd = min(set(model.features) ^ set(features))
        raise ModelError(f"{'has the extra' if odd in model.features else 'lacks the'} column {odd!r} in its signature")
    if list(model.features) != features:
        at = next(n for n, (found, wanted) in enumerate(zip(model.features, features, strict=True)) if found != wanted)
        raise ModelError(
            f"has its columns in another order: expected {features[at]!r} at {at}, found {model.features[at]!r}"
        )
    odd_types = sorted(set(model.types) - {"double"})
    if odd_types:
        raise ModelError(f"has a column of type {odd_types[0]} in its signature, expected double")
    expected = version("scikit-learn")
    if model.built_with != expected:
        raise ModelError(f"was built with scikit-learn {model.built_with}, expected {expected}")


if __name__ == "__main__":
    import_module("skops.io")  # and with it all of scikit-learn, which is no part of what a model takes to be read
    with socket.socket(fileno=int(sys.argv[1])).makefile("rw", encoding="utf-8") as lines:
        task = Task(**json.loads(lines.readline()))
        signal.alarm(_LONGEST_ANSWER)  # the training that would end a model that hangs may be gone
        lines.write(json.dumps(answer(task)) + "\n")
