"""The sizes of the loop that is measured: each is what it is called, and the largest has to be asked for."""

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from catalog.load import CLASSIC, load
from plugins.evaluation.bench import __main__ as command
from plugins.evaluation.bench import loop
from plugins.evaluation.bench.measure import Measurement


@pytest.mark.parametrize("label", loop.SIZES)
def test_a_size_makes_as_many_decisions_as_its_name_says(label: str) -> None:
    stores, days = loop.SIZES[label]
    assert stores * days * load(CLASSIC).store.visits_per_day == pytest.approx(float(label))


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Return what runs the command line and tells the sizes that it measured."""

    def run(*options: str) -> list[str]:
        sizes: list[str] = []

        def whole_loop(labels: Iterable[str]) -> Iterator[Measurement]:
            sizes.extend(labels)
            return iter(())

        def measure_all(sections: dict[str, Callable[[], Iterator[Measurement]]], _file: Path) -> bool:
            return not list(sections["loop"]())

        monkeypatch.setattr(loop, "whole_loop", whole_loop)
        monkeypatch.setattr(command, "measure_all", measure_all)
        monkeypatch.setattr(sys, "argv", ["bench", "--only", "loop", *options])
        with pytest.raises(SystemExit, match="0"):
            command.main()
        return sizes

    return run


def test_a_billion_decisions_are_played_only_when_they_are_asked_for(measured: Callable[..., list[str]]) -> None:
    assert measured() == ["1e5", "1e6", "1e7", "1e8"]
    assert measured("--quick") == ["1e5", "1e6"]
    assert measured("--decisions", "1e6", "--decisions", "1e9") == ["1e6", "1e9"]
