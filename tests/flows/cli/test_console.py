"""What commands print."""

import json
import math

import pytest

from catalog.decisions.reasons import json_text
from flows.cli.console import remark, say, show_table


def test_a_number_that_json_does_not_have_is_null() -> None:
    told = json_text({"a": math.nan, "rows": [(1.5, math.inf), (-math.inf, "x")]})
    assert json.loads(told) == {"a": None, "rows": [[1.5, None], [None, "x"]]}
    assert "NaN" not in told


def test_text_from_data_steers_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    steering = "up\x1b[1A\x1b[2K \x9b2J \x07 \x00 \r \x7f"
    show_table(f"1 price change {steering}", ["reason", steering], [[steering, "two\nlines, MÜSLI 🥛"]])
    say(steering)
    remark(steering)
    printed = "".join(capsys.readouterr())
    assert [mark for mark in printed if mark != "\n" and not mark.isprintable()] == []
    assert printed.count(r"up\x1b[1A\x1b[2K") >= 3
    assert "MÜSLI 🥛" in printed
