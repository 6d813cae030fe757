"""What MLflow's own scoring may answer, and what is said when it does not."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from catalog.errors import ModelError
from catalog.settings import Settings
from training.mlflow.pyfunc import predict

ROWS = pd.DataFrame({"price_ratio": [0.9, 1.0]})


def answering(text: str, returncode: int = 0) -> Callable[..., Any]:
    """Stand in for the process: it writes a text where the answer is wanted."""

    def run(command: list[Any], **_: Any) -> Any:
        Path(command[-1]).write_text(text, encoding="utf-8")
        return subprocess.CompletedProcess(command, returncode, "", "noise\nNo such model\n")

    return run


def test_the_chance_of_sale_is_the_second_column(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", answering('{"predictions": [[0.25, 0.75], [0.5, 0.5]]}'))
    assert predict(settings, "models:/m@champion", ROWS).tolist() == [0.75, 0.5]


@pytest.mark.parametrize(
    ("answer", "returncode", "said"),
    [
        ("", 1, r"MLflow cannot score it \(No such model\)"),
        ("", 0, "expected predictions in JSON, found ''"),
        ('{"error": 1}', 0, "expected predictions in JSON"),
        ('{"predictions": [0.25, 0.75]}', 0, r"expected 2 pairs of chances, found an answer of shape \(2,\)"),
        ('{"predictions": [[0.25, 0.75]]}', 0, "expected 2 pairs of chances"),
    ],
)
def test_an_answer_that_is_none_is_told_with_the_model(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, answer: str, returncode: int, said: str
) -> None:
    monkeypatch.setattr(subprocess, "run", answering(answer, returncode))
    with pytest.raises(ModelError, match=f"models:/m@champion: {said}"):
        predict(settings, "models:/m@champion", ROWS)


def test_mlflow_is_not_waited_for_without_end(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[Any], *, timeout: float, **_: Any) -> Any:
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(ModelError, match="no answer within 300 seconds"):
        predict(settings, "models:/m@champion", ROWS)
