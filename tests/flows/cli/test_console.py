"""What commands print."""

import io
import json
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.console import Console

from catalog.json_text import json_text
from flows.cli import console
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


@example(["a" * 12] * 4, 5)  # more than there are
@given(st.lists(st.text("abcdefghij", min_size=1, max_size=14), min_size=3, max_size=9), st.integers(1, 5))
def test_a_table_breaks_no_word_that_has_room_and_leaves_out_lesser_columns_first(
    words: list[str], lesser: int
) -> None:
    names = [f"{word} {position}" for position, word in enumerate(words)]
    with pytest.MonkeyPatch.context() as patch:
        narrow = Console(width=60, record=True, file=io.StringIO())
        patch.setattr(console, "OUT", narrow)
        show_table("a table", names, [[f"{word} {word}" for word in words]], lesser=names[-lesser:])
    printed = narrow.export_text()
    table, _, said = printed.partition("left out for want of width")
    assert max(len(line) for line in printed.splitlines()) <= 60
    left_out = [name for name in names[-lesser:] if f"{name}," in f"{' '.join(said.split())},"]
    kept = [word for name, word in zip(names, words, strict=True) if name not in left_out]
    if sum(len(word) for word in kept) + 3 * len(kept) + 1 <= 60:
        assert all(word in table for word in kept)
    else:
        assert len(left_out) == lesser
    assert left_out == names[-lesser:][: len(left_out)]
