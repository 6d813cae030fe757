"""A sample of the matrix of faults: the same harness, on fewer moments. `make faults` tries the whole."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.child import Fault
from tests.faults.clock import set_back
from tests.faults.commands import COMMANDS, Command
from tests.faults.flip import FILE_KINDS, flip, flips_of, mend
from tests.faults.full_disk import fill, writes_of
from tests.faults.kill import Moment, drawn, kill, moments_at
from tests.faults.races import Orders, two_seeds
from tests.faults.trial import Bench, Trial
from tests.faults.worlds import Worlds
from tests.faults.zygote import Ended, pool_of

KILLED = (
    ("simulate", "/interactions/business_date=2026"),
    ("transform", "/demand_cells/"),
    ("rollback", "/booked_prices/"),
    ("rollback", "set_registered_model_tag"),
    ("nightly", "/nights/"),
)
"""Commands that are killed, each where a part of what belongs together is there and the next is not."""
FLIPPED = ("decisions", "books", "models")
"""Kinds of files that a landing change flips a bit of; each night flips one of the others, too."""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Worlds in which a model is due every thirty days, so that a night takes less than a second."""
    with pool_of(1) as pool:
        yield Bench(Worlds(tmp_path_factory.mktemp("faults"), pool, trains_seldom=True))


def assert_held(trial: Trial) -> None:
    assert trial.failures == (), f"{trial.command}, {trial.fault}: {trial.where}"


@pytest.mark.parametrize(("name", "word"), KILLED)
def test_a_command_that_was_killed_goes_on_and_ends_as_an_undisturbed_one(bench: Bench, name: str, word: str) -> None:
    moments = moments_at(bench, COMMANDS[name], word)
    assert [trial for moment in moments if not (trial := kill(bench, moment)).held] == []


@pytest.mark.parametrize("name", ["transform", "rollback"])
def test_a_disk_that_is_full_leaves_nothing_half_published(bench: Bench, name: str) -> None:
    writes = writes_of(bench, COMMANDS[name])
    assert_held(fill(bench, COMMANDS[name], writes[len(writes) // 2]))


@pytest.mark.parametrize(
    "name", [name if name in FLIPPED else pytest.param(name, marks=pytest.mark.slow) for name in FILE_KINDS]
)
def test_a_flipped_bit_is_named_and_nothing_is_made_from_it_in_silence(bench: Bench, name: str) -> None:
    bits = flips_of(bench, FILE_KINDS[name], 1, seed=7)
    if not bits:
        pytest.skip(f"no world has {name}")
    assert_held(flip(bench, FILE_KINDS[name], bits[0]))


def test_decisions_that_were_damaged_are_set_aside_and_made_again_with_the_same_bytes(bench: Bench) -> None:
    assert_held(mend(bench, 12_345))


def test_of_two_seeds_at_once_each_date_belongs_whole_to_one(bench: Bench) -> None:
    orders = Orders(bench)
    assert [trial for number in (4,) if not (trial := two_seeds(bench, orders, number)).held] == []


@pytest.mark.parametrize("name", ["transform", "rollback"])
def test_a_clock_that_is_set_back_by_an_hour_changes_nothing(bench: Bench, name: str) -> None:
    assert_held(set_back(bench, COMMANDS[name]))


def test_the_harness_counts_the_operations_of_a_command_in_the_same_order_every_time(bench: Bench) -> None:
    first = bench.expected(COMMANDS["transform"]).operations
    second = Bench(bench.worlds).expected(COMMANDS["transform"]).operations
    assert first == second
    assert {kind for _, kind, _ in first} == {"mkdir", "open", "parquet", "fsync", "replace"}


def test_the_harness_notices_a_file_that_is_missing_in_the_end_and_one_of_other_bytes(bench: Bench) -> None:
    command = COMMANDS["transform"]
    bench.twice(command)  # before the runner is another
    spoilt = dataclasses.replace(bench, runner=lambda *given: _run_and_spoil(bench, *given))
    trial = spoilt.disturb(command, "nothing", Fault("count"), "")
    assert any("verify finds" in one for one in trial.failures)
    assert any("not that of an undisturbed run" in one for one in trial.failures)


def _run_and_spoil(bench: Bench, command: Command, home: Path, fault: Fault) -> Ended:
    ended = bench.run(command, home, fault)
    first, second, *_ = sorted((home / "lake" / "demand_cells").rglob("part-g*.parquet"))
    first.unlink()
    second.write_bytes(second.read_bytes()[:-1])
    return ended


def test_moments_are_drawn_in_proportion_with_at_least_some_of_each() -> None:
    moments = {
        name: [Moment(COMMANDS[name], number, after=False) for number in range(1, count)]
        for name, count in (("simulate", 301), ("transform", 31))
    }
    chosen = drawn(moments, kills=20, least=3, seed=7)
    of_transform = [one for one in chosen if one.command.name == "transform"]
    assert len(of_transform) >= 3
    assert len(chosen) > 2 * len(of_transform)
    assert chosen == drawn(moments, kills=20, least=3, seed=7)
    assert chosen != drawn(moments, kills=20, least=3, seed=8)


def test_a_killed_child_dies_where_it_was_told_to(bench: Bench) -> None:
    home = bench.worlds.copy("sold")
    ended = bench.run(COMMANDS["transform"], home, Fault("kill", 9))
    assert ended.code == -9
    assert home.with_name("home.operations").read_text(encoding="utf-8").startswith("9\t")
    bench.worlds.forget(home)
