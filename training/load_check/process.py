"""A stored model must load and answer in a fresh process: one that fails, times out or disagrees is never promoted.

The process is started before the model is there, so that its imports cost no time, and it cannot take the training
down with it.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from catalog.arrays import Floats
from training.conditions.condition import Condition
from training.load_check.worker import Task

NAME = "loads and answers in a fresh process"
COMMAND = (sys.executable, "-P", "-m", "training.load_check.worker")
SECONDS_ALLOWED = 5.0
START_S = 60.0  # for the process itself, on a busy machine
_SAME = 1e-9  # chances may differ by this between processes
_ROWS = 200


class FreshProcess:
    """A process that waits for its task."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def judge(
        self,
        folder: Path,
        features: list[str],
        cells: pd.DataFrame,
        expected: Floats,
        seconds_allowed: float = SECONDS_ALLOWED,
    ) -> Condition:
        """Let the process load the model and compare its answers with those that were judged.

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
        task = Task(str(folder), features, cells[features].iloc[::every].astype(float).to_numpy().tolist())
        try:
            answer, _ = self._process.communicate(json.dumps(asdict(task)) + "\n", timeout=START_S + seconds_allowed)
        except subprocess.TimeoutExpired:
            return _refused(f"no answer within {START_S + seconds_allowed:.0f} seconds")
        if self._process.returncode != 0:
            return _refused(f"the process ended with code {self._process.returncode} and no answer")
        try:
            reply = json.loads(answer)
        except json.JSONDecodeError:
            return _refused(f"expected one line of JSON, found {answer[:80]!r}")
        return verdict_on(reply, expected[::every], seconds_allowed)


@contextmanager
def fresh_process(command: Sequence[str] = COMMAND) -> Iterator[FreshProcess]:
    """Start a process that waits for a model to try; it is gone when the block ends."""
    with subprocess.Popen(  # noqa: S603 - our own interpreter and module
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            yield FreshProcess(process)
        finally:
            process.kill()


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


def _refused(found: str) -> Condition:
    return Condition(NAME, met=False, found=found)
