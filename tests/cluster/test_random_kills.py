"""Whatever is killed at any moment while a cluster plays: started again, the same command ends as if undisturbed.

The command line plays a few dates on two Dask workers; the lake is in a bucket, the locks are in PostgreSQL. Each of
the five is killed at a random moment of its phase, see `kill_chain`; the command is left to end by itself. Then what
was killed is started again, and so is the command. A kill that came after the phase is made again.

Without more, one of the five is drawn; `KILLS=20 pytest tests/cluster/test_random_kills.py` tries twenty moments of
each, and with `-n 2 --dist load` two chains at once: one keeps about one core busy. A failure names its moment, in
seconds after the phase began: `KILL_AT=1.234` tries that one.
"""

import os
import random
import sys
from collections.abc import Iterator

import pytest
from kill_chain import COMMAND, DATABASE, HELD_AT_MOST, OBJECTS, SCHEDULER, WORKER, Chain, chain_in, undisturbed
from ready_drivers import Ended, ready_drivers

from catalog.load import CLASSIC, load
from catalog.settings import read_settings
from flows.workspace import prepared
from warehouse.workspace import Workspace

KILLS = int(os.environ.get("KILLS", "1"))
ALL = (WORKER, SCHEDULER, COMMAND, OBJECTS, DATABASE)
ONE_OF_THEM = "one of them"
VICTIMS = ALL if "KILLS" in os.environ else (ONE_OF_THEM,)
_USUAL = 1.2  # seconds after the beginning of a phase at which the first kill comes at the latest
_SHORTER, _LONGER = 0.7, 1.2  # after a kill that came too late, and after one that did not: so most come in time
_TRIES = 3  # for each kill, until it comes in its phase
_WITHIN = 600  # s, of a test; longer where more than the few of every day are killed, with this for each
_EACH_WITHIN = 120


@pytest.fixture(scope="module")
def chain(prefect_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """A chain of servers on one lake; each kill is of dates of its own."""
    folder = tmp_path_factory.mktemp("killed")
    with ready_drivers(folder) as drivers, chain_in(folder, drivers) as servers:
        yield servers


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace that nobody disturbs."""
    return prepared(read_settings({"SHELFPRICE_HOME": str(tmp_path_factory.mktemp("alone"))}), load(CLASSIC))


@pytest.mark.timeout(max(_WITHIN, KILLS * _EACH_WITHIN))
@pytest.mark.parametrize("victim", VICTIMS)
def test_killed_at_random_moments_and_started_again_the_same_command_ends_as_if_undisturbed(
    victim: str, chain: Chain, alone: Workspace
) -> None:
    if victim == ONE_OF_THEM:
        victim = random.SystemRandom().choice(ALL)
    faults, usual, before, in_phase = list[str](), _USUAL, _TRIES * KILLS * ALL.index(victim), 0
    for number in range(before, before + _TRIES * KILLS):
        if in_phase == KILLS:
            break
        moment = float(os.environ.get("KILL_AT", random.SystemRandom().uniform(0, usual)))
        first, is_in_phase = chain.killed(number, victim, moment)
        in_phase += is_in_phase
        chain.start()
        again = chain.again(number)
        usual *= _LONGER if is_in_phase else _SHORTER
        found = [*faults_of(first, again), *chain.faults(number, undisturbed(alone, number))]
        when = "in its phase" if is_in_phase else "too late"
        tell(f"{victim} killed {when} after {moment:.3f} s: {first.code}, {first.last_line!r}")
        faults += [f"{victim} killed after {moment:.3f} s, dates of number {number}: {one}" for one in found]
    proof = chain.drivers.run(chain.environ, "health", "--files")
    tell(f"{victim}: {in_phase} kills in its phase")
    tell(f"{proof.last_line!r}; a lock was held for {chain.locks.longest:.1f} s at most, {chain.locks.who}")
    assert not faults, "\n".join(faults)
    assert in_phase == KILLS, "most kills came after what they were to hit"
    assert proof.code == 0, proof.said
    assert chain.locks.longest < HELD_AT_MOST, chain.locks.who


def faults_of(first: Ended, again: Ended) -> Iterator[str]:
    """Say which of two commands did not end as it should: the first one said why in a line, or was killed itself."""
    if not (first.is_told or first.was_killed):
        yield f"the first command: {first}"
    if again.code != 0:
        yield f"the second command: {again}"


def tell(line: str) -> None:
    """Write a line for whoever runs this with `-s`."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
