"""Whatever is killed at any moment while a cluster plays: started again, the same command ends as if undisturbed.

The command line plays a few dates on two Dask workers; the lake is in a bucket, the locks are in PostgreSQL. One of the
five is killed at a random moment after the first jobs were begun; the command is left to end by itself. Then what was
killed is started again, and so is the command.

Without more, one of the five is drawn; `KILLS=20 pytest tests/plugins/operations/cluster/test_random_kills.py` tries
twenty moments of each. A failure names its moment, in seconds after the first jobs: `KILL_AT=1.234` tries that one.
"""

import asyncio
import datetime as dt
import os
import random
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from distributed.core import rpc
from killable import Killable, started
from shell import PATIENCE, SHELFPRICE

from catalog.load import CLASSIC, load
from catalog.settings import read_settings
from etl.batches import DEFAULT_SEED, batches_of, play_batch
from flows.workspace import prepared
from plugins.operations.checks.proving import verify
from plugins.operations.deploy.servers.dask import Dask
from plugins.operations.deploy.servers.ports import free_address
from plugins.operations.deploy.servers.postgres import Postgres
from plugins.operations.deploy.servers.seaweed import Seaweed
from serving.store.in_force import pricing_on
from warehouse.commits.record import pending_names
from warehouse.lake import Lake

KILLS = int(os.environ.get("KILLS", "1"))
COMMAND = "the command"
ALL = ("a worker", "the scheduler", "the object store", "PostgreSQL", COMMAND)
VICTIMS = ALL if "KILLS" in os.environ else ("one of them",)
DAYS, STORES, LATEST = 4, 20, 2.0  # days and stores of a command; seconds after the first jobs
FIRST = dt.date(2026, 1, 5)
TABLES = ("interactions", "repricings", "days_in_force")


class Chain:
    """Servers that can be killed one by one, and the command line of another machine that works on them."""

    def __init__(self, environ: dict[str, str], servers: dict[str, Killable]) -> None:
        self.environ, self.servers = environ, servers
        inherited = {name: text for name, text in os.environ.items() if not name.startswith(("AWS_", "DASK_"))}
        self.whole = {**inherited, "COLUMNS": "200", **environ}

    def begin(self, first: dt.date) -> "subprocess.Popen[str]":
        """Begin to play the dates from a first one on."""
        asked = ("simulate", "--start", str(first), "--days", str(DAYS), "--stores", str(STORES), "--policy", "static")
        return subprocess.Popen(
            (*SHELFPRICE, *asked), env=self.whole, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )

    def killed(self, first: dt.date, victim: str, moment: float) -> tuple[int, str]:
        """Kill one of the five while dates are played; return how the command ended, and what it said."""
        driver = self.begin(first)
        while driver.poll() is None and not asyncio.run(jobs_at(self.environ["SHELFPRICE_DASK"])):
            time.sleep(0.05)
        time.sleep(moment)
        (driver if victim == COMMAND else self.servers[victim]).kill()
        _, said = driver.communicate(timeout=PATIENCE)
        return driver.returncode, said

    def start(self) -> None:
        """Start what does not run; workers that lost their scheduler end by themselves."""
        for server in self.servers.values():
            server.start()


async def jobs_at(address: str) -> list[str]:
    """Return the jobs that workers do right now, as their scheduler knows it."""
    async with rpc(address, timeout=30) as scheduler:
        at_work = await asyncio.wait_for(scheduler.processing(), 30)
    return [job for jobs in at_work.values() for job in jobs]


@contextmanager
def chain_in(folder: Path) -> Iterator[Chain]:
    """Start an object store, PostgreSQL, and a cluster of two workers on a lake of their own."""
    objects = Seaweed(folder / "seaweed", free_address(), secrets.token_hex(10), secrets.token_hex(20))
    database = Postgres(folder / "postgres", free_address(), secrets.token_hex(16), is_durable=False)
    shared = {**objects.environment, "SHELFPRICE_LAKE": objects.lake, "SHELFPRICE_DATABASE": database.url}
    dask = Dask(folder / "workers", free_address(), 2, shared)
    scheduler, worker, other = map(Killable, dask.services())
    servers = {
        "PostgreSQL": Killable(database.service(), database.folder),
        "the object store": Killable(objects.service()),
        "the scheduler": scheduler,
        "a worker": worker,
        "another worker": other,
    }
    environ = {**shared, "SHELFPRICE_DASK": dask.url, "SHELFPRICE_HOME": str(folder / "home")}
    try:
        with started(*servers.values()):
            yield Chain({**environ, "SHELFPRICE_CATALOG": "classic"}, servers)
    finally:
        objects.forget_sockets()


@pytest.fixture(scope="module")
def chain(prefect_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    with chain_in(tmp_path_factory.mktemp("killed")) as servers:
        yield servers


def receipts(lake: Lake, dates: list[dt.date]) -> dict[str, str]:
    found = [(part, lake.receipt(part)) for table in TABLES for part in lake.partitions(table, dates.__contains__)]
    return {str(part): receipt.sha256 if receipt else "" for part, receipt in found}


def undisturbed(home: Path, dates: list[dt.date]) -> dict[str, str]:
    """Play dates in this process, which nobody disturbs, and return their receipts."""
    workspace = prepared(read_settings({"SHELFPRICE_HOME": str(home)}), load(CLASSIC))
    for batch in batches_of(workspace.catalog, dates, STORES):
        priced_by = pricing_on(workspace.lake, workspace.catalog, batch.business_date, "static")
        play_batch(workspace, batch, priced_by, DEFAULT_SEED)
    return receipts(workspace.lake, dates)


@pytest.mark.slow
@pytest.mark.timeout(max(600, KILLS * 120))
@pytest.mark.parametrize("victim", VICTIMS)
def test_killed_at_random_moments_and_started_again_the_same_command_ends_as_if_undisturbed(
    victim: str, chain: Chain, tmp_path: Path
) -> None:
    dice = random.SystemRandom()
    victim = victim if victim in ALL else dice.choice(ALL)
    for kill in range(KILLS):
        number = KILLS * ALL.index(victim) + kill
        dates = [FIRST + dt.timedelta(days=number * DAYS + day) for day in range(DAYS)]
        moment = float(os.environ.get("KILL_AT", dice.uniform(0, LATEST)))
        code, said = chain.killed(dates[0], victim, moment)
        which = f"{victim} killed after {moment:.3f} s"
        assert code in {0, 1, -9}, f"{which}: {said}"
        assert "Traceback" not in said, f"{which}: {said}"
        chain.start()
        again = chain.begin(dates[0])
        _, said = again.communicate(timeout=PATIENCE)
        assert again.returncode == 0, f"{which}: {said}"
        lake = Lake(read_settings(chain.environ))
        assert receipts(lake, dates) == undisturbed(tmp_path / f"alone-{number}", dates), which
        assert list(pending_names(lake.notes)) == [], which
        assert not verify(lake).findings, which
