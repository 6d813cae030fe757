"""A stored model must load and answer in a fresh process: one that fails, times out or disagrees is never promoted.

The process is started before the model is there, so that its imports cost no time, and it cannot take the training down
with it. It is this module: `python -m training.judge.load_check` waits for JSON at its standard input, reads the
model, answers for some rows, and prints JSON. What is wrong with the model is the answer.
"""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.metadata import version
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from catalog.arrays import Floats
from catalog.errors import ModelError
from features.product_columns import input_of
from features.stored_model import StoredModel, read_model
from training.judge.conditions import Condition

NAME = "loads and answers in a fresh process"
COMMAND = (sys.executable, "-P", "-m", "training.judge.load_check")
SECONDS_ALLOWED = 5.0
START_S = 60.0  # for the process itself, on a busy machine
_SAME = 1e-9  # chances may differ by this between processes
_ROWS = 200
_LONGEST_ANSWER = 120  # seconds


@dataclass(frozen=True)
class Task:
    """What is asked: the model's folder, its input columns in order, and rows of them, shape (n_rows, n_features)."""

    folder: str
    features: list[str]
    rows: list[list[float]]


@contextmanager
def fresh_process(command: Sequence[str] = COMMAND) -> Iterator["subprocess.Popen[str]"]:
    """Start a process that waits for a model to try; it is gone when the block ends."""
    with subprocess.Popen(  # noqa: S603 - the command is our own
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C reaches the training alone
        text=True,
        errors="replace",
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def judge_in(
    process: "subprocess.Popen[str]",
    folder: Path,
    features: list[str],
    cells: pd.DataFrame,
    expected: Floats,
    seconds_allowed: float = SECONDS_ALLOWED,
) -> Condition:
    """Let a fresh process load a model and compare its answers with those that were judged.

    Parameters
    ----------
    folder
        The logged model's folder.
    features
        Input columns the signature must have, in order.
    cells, expected
        Held-out cells and the model's chance of sale for each, shape (n_cells,).
    """
    every = max(1, len(cells) // _ROWS)
    task = Task(str(folder), features, input_of(cells.iloc[::every], features).to_numpy().tolist())
    try:
        answer, _ = process.communicate(json.dumps(asdict(task)), START_S + seconds_allowed)
    except subprocess.TimeoutExpired:
        return _refused(f"no answer within {START_S + seconds_allowed:.0f} seconds")
    if code := process.returncode:
        return _refused(f"the process ended with code {code if code > 0 else 128 - code} and no answer")
    try:
        reply = json.loads(answer)
    except json.JSONDecodeError:
        return _refused(f"expected one line of JSON, found {answer[:80]!r}")
    return verdict_on(reply, expected[::every], seconds_allowed)


def verdict_on(reply: Mapping[str, Any], expected: Floats, seconds_allowed: float) -> Condition:
    """Turn the process's reply into a condition."""
    if reply.get("refused"):
        return _refused(f"the model {reply['refused']}")
    seconds = float(reply["seconds"])
    if seconds > seconds_allowed:
        return _refused(f"{seconds:.2f} seconds of at most {seconds_allowed:g}")
    apart = float(np.abs(np.array(reply["p_sale"]) - expected).max())
    if not apart <= _SAME:
        return _refused(f"its chances of sale are up to {apart:.2g} off those that were judged")
    return Condition(NAME, met=True, found=f"{len(expected)} equal answers in {seconds:.2f} seconds")


def _refused(why: str) -> Condition:
    return Condition(NAME, met=False, found=why)


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
    for wanted, column, kind in zip_longest(features, model.features, model.types):
        if column != wanted or kind != "double":
            raise ModelError(f"has another signature: expected {wanted!r} as double, found {column!r} as {kind}")
    expected = version("scikit-learn")
    if model.built_with != expected:
        raise ModelError(f"was built with scikit-learn {model.built_with}, expected {expected}")


if __name__ == "__main__":
    import_module("skops.io")  # and with it all of scikit-learn, which is no part of what a model takes to be read
    task = Task(**json.load(sys.stdin))
    signal.alarm(_LONGEST_ANSWER)  # the training that would end a model that hangs may be gone
    json.dump(answer(task), sys.stdout)
