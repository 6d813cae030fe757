"""Records of people are kept once, whenever the command that adds one is killed, and no draft stays."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from outside_grocer import DRAWN, MONDAY, Grocer

from plugins.operations.repair.kills import killed_commands
from plugins.own_store.draws.approved_designs import TABLE, decide
from plugins.own_store.draws.experiments import COMMAND, experiments_in, new_experiment, plan
from plugins.own_store.draws.numbered_records import numbered_records
from plugins.own_store.draws.said_price import say_shelf_price
from warehouse.commits.notes import left_unended, write_down


class Killed(KeyboardInterrupt):
    """Stands for a kill: nothing that handles errors sees it."""


def killed_at_each_step(act: Callable[[int], object], monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Kill an act before each rename and removal, do it again, and yield the number of the step, from 1."""
    for step in count(1):
        calls = count(1)

        def counted(
            change: Callable[..., object], step: int = step, calls: Iterator[int] = calls
        ) -> Callable[..., object]:
            def call(*arguments: Any, **options: Any) -> object:
                if next(calls) == step:
                    raise Killed
                return change(*arguments, **options)

            return call

        with monkeypatch.context() as patched:
            for name in ("replace", "unlink"):
                patched.setattr(Path, name, counted(getattr(Path, name)))
            try:
                act(step)
            except Killed:
                pass
            else:
                return
        act(step)
        yield step


def drafts(shop: Grocer) -> list[Path]:
    return [*shop.lake.root.rglob("*.new"), *shop.lake.root.rglob("*.draft")]


def test_an_experiment_whose_planning_was_killed_is_planned_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Grocer(tmp_path, more="sales: outside\n")

    def planned(_step: int) -> None:
        plan(shop.workspace, new_experiment(shop.workspace, 0.05, 2, ["P001"], "to learn demand"))

    steps = 0
    for steps in killed_at_each_step(planned, monkeypatch):
        assert len(experiments_in(shop.lake)) == steps
        assert drafts(shop) == []
        assert left_unended(shop.lake.notes, COMMAND) is None
    assert steps >= 5
    planned(0)
    assert len(experiments_in(shop.lake)) == steps + 2, "the same command again plans the weeks after"


def test_an_experiment_whose_planning_was_killed_is_named_by_the_doctor(tmp_path: Path) -> None:
    shop = Grocer(tmp_path, more="sales: outside\n")
    write_down(shop.lake.notes, COMMAND, MONDAY)
    assert [fault.remedy for fault in killed_commands(shop.lake)] == ["`shelfprice experiment` goes on with it"]


def test_a_shelf_price_that_was_being_said_when_the_command_was_killed_is_recorded_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Grocer(tmp_path)
    shop.weeks(1)

    def said(step: int) -> None:
        say_shelf_price(shop.workspace, "P000", 2 + step / 100, None, "the dairy raised its price")

    steps = 0
    for steps in killed_at_each_step(said, monkeypatch):
        prices = [row["price"] for row in numbered_records(shop.lake, "shelf_price_changes")]
        assert prices == [2 + step / 100 for step in range(1, steps + 1)]
        assert drafts(shop) == []
    assert steps >= 3


def test_a_design_that_was_being_approved_when_the_command_was_killed_is_recorded_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Grocer(tmp_path, more=f"{DRAWN}approval: {{within_of_base: 0.0}}\n")
    steps = 0
    for steps in killed_at_each_step(lambda step: decide(shop.workspace, f"{step}", is_approved=True), monkeypatch):
        assert [row["reason"] for row in numbered_records(shop.lake, TABLE)] == [str(n + 1) for n in range(steps)]
        assert drafts(shop) == []
    assert steps >= 3
