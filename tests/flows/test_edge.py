"""What flows share: retries only where trying again can help, and one place for each home."""

from pathlib import Path

import pytest
from prefect import flow, task

from catalog.errors import ContractError, LakeError
from flows.edge import TOUCHES_THE_DISK, Surroundings
from flows.progress import listening, tell
from warehouse.connection import read_only


@pytest.mark.parametrize(("error", "tries"), [(LakeError, 3), (OSError, 3), (ContractError, 1), (ValueError, 1)])
def test_only_what_may_be_better_next_time_is_tried_again(
    prefect_server: None, error: type[Exception], tries: int
) -> None:
    calls = []

    @task(**{**TOUCHES_THE_DISK, "retry_delay_seconds": 0})
    def fails() -> None:
        calls.append(1)
        raise error("no")

    @flow
    def tries_it() -> None:
        fails()

    with pytest.raises(error):
        tries_it()
    assert len(calls) == tries


def test_from_the_first_moment_on_anyone_may_read(empty_home: Path) -> None:
    around = Surroundings(None)
    with read_only(around.settings) as warehouse:
        assert warehouse.execute("select count(*) from interactions").fetchone() == (0,)
        assert warehouse.execute("select count(*) from products").fetchone() == (5,)


def test_who_listens_hears_how_far_it_is() -> None:
    heard = []
    with listening(lambda stage, done, total: heard.append((stage, done, total))):
        tell("counting", 1, 2)
    tell("counting", 2, 2)
    assert heard == [("counting", 1, 2)]
