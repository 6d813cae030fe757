"""Sections are measured one after another, and every row counts at once."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins.evaluation.bench.measure import Measurement, Otherwise, measure_all


def good(*names: str) -> Iterator[Measurement]:
    for name in names:
        yield Measurement("good", name, 2.5, "s", (Otherwise("by hand", 5.0),), 3.0)


def kept(file: Path) -> list[dict[str, object]]:
    return list(json.loads(file.read_text(encoding="utf-8"))["rows"])


def test_every_row_is_printed_and_kept_as_it_comes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "results" / "latest.json"
    seen = []

    def watched() -> Iterator[Measurement]:
        for number, row in enumerate(good("first", "second")):
            yield row
            seen.append((len(kept(file)), f"good: {row.what}, 2.5 s, 5 by hand" in capsys.readouterr().out, number))

    assert measure_all({"good": watched}, file)
    assert seen == [(1, True, 0), (2, True, 1)]
    table = capsys.readouterr().out
    assert "first" in table
    assert "second" in table
    assert "met" in table


def test_a_section_that_fails_is_a_line_with_its_error_and_the_others_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def breaks() -> Iterator[Measurement]:
        yield from good("before")
        raise ValueError("no disk\nand more")

    file = tmp_path / "latest.json"
    assert not measure_all({"breaks": breaks, "good": lambda: good("after")}, file)
    said = capsys.readouterr().out
    assert "breaks: failed: ValueError: no disk" in said
    assert [row.get("what", row.get("not_measured")) for row in kept(file)] == [
        "before",
        "ValueError: no disk",
        "after",
    ]
    assert kept(file)[1] == {"section": "breaks", "not_measured": "ValueError: no disk", "failed": True}
