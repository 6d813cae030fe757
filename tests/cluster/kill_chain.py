"""A chain of servers that plays dates of its own for each kill, and what must hold after each.

Each of the five is killed in its phase. That of the scheduler, of a worker and of the command is while jobs are being
done; that of the store and of the database is while a worker holds a lock, which is when it publishes.
"""

import asyncio
import datetime as dt
import os
import secrets
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from distributed.core import rpc
from killable import Killable, started
from lock_watch import LockWatch, watched_locks
from ready_drivers import Drivers, Ended

from catalog.settings import read_settings
from deploy.servers.dask import Dask
from deploy.servers.ports import free_address
from deploy.servers.postgres import Postgres
from deploy.servers.seaweed import Seaweed
from etl.batches import DEFAULT_SEED, batches_of, play_batch
from serving.in_force import pricing_on
from warehouse.commit_record import pending_names
from warehouse.lake import Lake
from warehouse.workspace import Workspace

OBJECTS, DATABASE, SCHEDULER, WORKER, COMMAND = (
    "the object store",
    "PostgreSQL",
    "the scheduler",
    "a worker",
    "the command",
)
DAYS, STORES = 4, 20
_FIRST = dt.date(2026, 1, 5)
_TABLES = ("interactions", "repricings", "days_in_force", "demand_cells")
HELD_AT_MOST = 60.0  # seconds, a lock
_LOOK_EVERY = 0.1  # seconds
_PHASE_LOOK_EVERY = 0.02  # seconds
_SCHEDULER_WITHIN = 30.0  # seconds; the machine may be busy


def dates_of(number: int) -> list[dt.date]:
    """Return the dates of a number."""
    return [_FIRST + dt.timedelta(days=number * DAYS + day) for day in range(DAYS)]


def asked(number: int) -> tuple[str, ...]:
    """Return the command that plays the dates of a number."""
    start = str(dates_of(number)[0])
    return ("simulate", "--start", start, "--days", str(DAYS), "--stores", str(STORES), "--policy", "static")


def undisturbed(workspace: Workspace, number: int) -> dict[str, str]:
    """Play the dates of a number in this process, which nobody disturbs, and return their receipts."""
    for batch in batches_of(workspace.catalog, dates_of(number), STORES):
        priced_by = pricing_on(workspace.lake, workspace.catalog, batch.business_date, "static")
        play_batch(workspace, batch, priced_by, DEFAULT_SEED)
    return receipts(workspace.lake, number)


def receipts(lake: Lake, number: int) -> dict[str, str]:
    """Return the SHA-256 of every partition of the dates of a number."""
    is_asked = set(dates_of(number)).__contains__
    found = [(part, lake.receipt(part)) for table in _TABLES for part in lake.partitions(table, is_asked)]
    return {str(part): receipt.sha256 if receipt else "" for part, receipt in found}


@dataclass(frozen=True)
class Chain:
    """Servers that can be killed one by one, and the command line of another machine that works on them.

    Attributes
    ----------
    environ
        The settings of that machine.
    """

    environ: dict[str, str]
    servers: dict[str, Killable]
    drivers: Drivers
    locks: LockWatch

    def killed(self, number: int, victim: str, moment: float) -> tuple[Ended, bool]:
        """Begin a command, kill one of the five some seconds after its phase began, and wait until the command ends.

        Returns
        -------
        ended, bool
            How the command ended, and whether the victim was killed in its phase.
        """
        driver = self.drivers.start(self.environ, *asked(number))
        while _runs(driver) and not self._is_at_work(victim):
            time.sleep(_PHASE_LOOK_EVERY)
        time.sleep(moment)
        is_in_phase = _runs(driver) and self._is_at_work(victim)
        if victim == COMMAND:
            with suppress(ProcessLookupError):  # it was done sooner
                os.kill(driver, signal.SIGKILL)
        else:
            self.servers[victim].kill()
        return self.drivers.wait(), is_in_phase

    def _is_at_work(self, victim: str) -> bool:
        jobs = asyncio.run(_jobs_at(self.environ["SHELFPRICE_DASK"]))
        if victim in {OBJECTS, DATABASE}:
            return bool(jobs) and bool(self.locks.held())
        return bool(jobs)

    def start(self) -> None:
        """Start what does not run; workers that lost their scheduler end by themselves."""
        for server in self.servers.values():
            server.start()

    def again(self, number: int) -> Ended:
        """Run the command of a number to its end."""
        return self.drivers.run(self.environ, *asked(number))

    def faults(self, number: int, expected: dict[str, str]) -> list[str]:
        """Say what is not as if nobody had been killed."""
        lake = Lake(read_settings(self.environ))
        found = receipts(lake, number)
        wrong = sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))
        said = [f"{name}: {found.get(name)} and not {expected.get(name)}" for name in wrong]
        said += [f"pending: {name}" for name in pending_names(lake.notes)]
        if not self._is_free_soon():
            said.append(f"locked by {', '.join(self.locks.held())}")
        return said

    def _is_free_soon(self) -> bool:
        """Wait until no lock is held any more, and tell whether that came."""
        limit = time.monotonic() + HELD_AT_MOST
        while self.locks.held():
            if time.monotonic() > limit:
                return False
            time.sleep(_LOOK_EVERY)
        return True


async def _jobs_at(address: str) -> list[str]:
    """Return the jobs that workers do right now, as their scheduler knows it."""
    async with rpc(address, timeout=_SCHEDULER_WITHIN) as scheduler:
        at_work = await asyncio.wait_for(scheduler.processing(), _SCHEDULER_WITHIN)
    return [job for jobs in at_work.values() for job in jobs]


def _runs(process: int) -> bool:
    return Path(f"/proc/{process}").exists()


@contextmanager
def chain_in(folder: Path, drivers: Drivers) -> Iterator[Chain]:
    """Start an object store, PostgreSQL, and a cluster of two workers on a lake of their own."""
    objects = Seaweed(folder / "seaweed", free_address(), secrets.token_hex(10), secrets.token_hex(20))
    database = Postgres(folder / "postgres", free_address(), secrets.token_hex(16), is_durable=False)
    shared = {**objects.environment, "SHELFPRICE_LAKE": objects.lake, "SHELFPRICE_DATABASE": database.url}
    dask = Dask(folder / "workers", free_address(), 2, shared)
    scheduler, worker, other = map(Killable, dask.services())
    servers = {
        DATABASE: Killable(database.service(), database.folder),
        OBJECTS: Killable(objects.service()),
        SCHEDULER: scheduler,
        WORKER: worker,
        "another worker": other,
    }
    environ = {**shared, "SHELFPRICE_DASK": dask.url, "SHELFPRICE_HOME": str(folder / "home")}
    environ["SHELFPRICE_CATALOG"] = "classic"  # what `undisturbed` is played with
    try:
        with started(*servers.values()), watched_locks(database.url) as locks:
            yield Chain(environ, servers, drivers, locks)
    finally:
        objects.forget_sockets()
