"""Whatever is killed at any moment while a cluster plays: started again, the same command ends as if undisturbed.

The command line plays a few dates on two Dask workers; the lake is in a bucket, and the locks are in PostgreSQL. One of
the five is killed at a random moment, and the command is left to end by itself. Then what was killed is started again,
and so is the command.

`KILLS=20 pytest tests/cluster/test_random_kills.py` tries twenty moments of each. A failure names its moment, in
seconds after the command began: `KILL_AT=1.234` tries that one.
"""

import os
import random
import time
from collections.abc import Iterator

import pytest
from kill_chain import COMMAND, DATABASE, HELD_AT_MOST, OBJECTS, SCHEDULER, WORKER, Chain, chain_in
from ready_drivers import ready_drivers

KILLS = int(os.environ.get("KILLS", "1"))
VICTIMS = (WORKER, SCHEDULER, COMMAND, OBJECTS, DATABASE)
_USUAL = 3.0  # seconds that a command takes, until one was measured

_Chain = tuple[Chain, list[dict[str, str]]]


@pytest.fixture(scope="module")
def chain(prefect_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Chain]:
    """A chain of servers on one lake, and the receipts of the dates of each kill."""
    folder = tmp_path_factory.mktemp("killed")
    with ready_drivers(folder) as drivers, chain_in(folder, drivers) as servers:
        yield servers, servers.undisturbed(KILLS * len(VICTIMS))


@pytest.mark.parametrize("victim", VICTIMS)
def test_killed_at_random_moments_and_started_again_the_same_command_ends_as_if_undisturbed(
    victim: str, chain: _Chain
) -> None:
    (servers, expected), faults = chain, list[str]()
    longest, first_number = _USUAL, KILLS * VICTIMS.index(victim)
    for number in range(first_number, first_number + KILLS):
        moment = float(os.environ.get("KILL_AT", random.SystemRandom().uniform(0, longest)))
        t0 = time.monotonic()
        first = servers.killed(number, victim, moment)
        t1 = time.monotonic()
        servers.start()
        t2 = time.monotonic()
        again = servers.again(number)
        longest = min(1.5 * longest, again.seconds)
        found = servers.faults(number, expected[number])
        t3 = time.monotonic()
        print(f"{victim} {moment:.3f} first {first.code} {first.seconds:.1f} start {t2-t1:.1f} again {again.code} {again.seconds:.1f} faults {t3-t2-again.seconds:.1f} {first.said[-300:]!r} {found}", flush=True)
        if not first.is_told and not first.was_killed:
            found.append(f"the first command: {first}")
        if again.code != 0:
            found.append(f"the second command: {again}")
        faults += [f"{victim} killed after {moment:.3f} s, number {number}: {one}" for one in found]
    proof = servers.drivers.run(servers.environ, "verify")
    print(proof, servers.locks.longest, servers.locks.who)
    assert not faults, "\n".join(faults)
    assert proof.code == 0, proof.said
    assert servers.locks.longest < HELD_AT_MOST, servers.locks.who
