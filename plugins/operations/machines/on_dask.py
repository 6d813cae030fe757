"""Jobs on a Dask cluster, driven from here: few in flight, each forgotten by the cluster as soon as it is done.

Dask runs what its clients send it, so the cluster is one domain of trust: see `docs/security.md`.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Any
from uuid import uuid4

from distributed import Client, Future, wait
from distributed.scheduler import KilledWorker
from distributed.security import Security

from catalog.errors import ServiceError, first_line
from catalog.settings import Settings
from catalog.spread import Job, Spread
from plugins.operations.machines.dask_cluster import cluster_address, is_encrypted, refuse_absent_scheduler
from plugins.operations.machines.ready import (
    DEATHS_BORNE,
    Expected,
    fault_here,
    made_ready,
    token_in,
    versions_here,
    work,
)
from warehouse.lake import Lake

_ATTEMPTS = 2  # to start a client's event loop
_CONNECT_WITHIN = 8  # seconds
_WORKERS_WITHIN = 30.0  # seconds until a cluster without workers is given up
_IN_FLIGHT = 2  # jobs for each that is worked on: the next one is there when one is done
_LOOK_EVERY = 1.0  # seconds

Say = Callable[[str], object]
"""Called with a sentence when workers come and go."""


@contextmanager
def on_dask(settings: Settings, say: Say, *, workers_within: float = _WORKERS_WITHIN) -> Iterator["OnDask"]:
    """Let jobs be done by the workers of a cluster, once all of them were found ready.

    Parameters
    ----------
    workers_within
        Seconds in which the first worker must be there.

    Raises
    ------
    SettingError
        When the cluster may not be spoken to with these settings.
    ServiceError
        When no scheduler answers, it has no worker, or a worker cannot be used; nothing was done.
    """
    address = cluster_address(settings)
    with connected(settings) as client, token_in(Lake(settings)) as token:
        expected = Expected(token, str(settings.lake_address or settings.lake), versions_here())
        _refuse_unready(client, address, expected, workers_within)
        yield OnDask(client, address, expected, say)


class OnDask(Spread):
    """Does jobs on a Dask cluster, as many at once as all workers have threads."""

    is_elsewhere = True

    def __init__(self, client: Client, address: str, expected: Expected, say: Say) -> None:
        self._client, self._address, self._expected, self._say = client, address, expected, say
        self._see(dict(client.nthreads()))

    def results_of(self, function: Callable[[Any], Any], jobs: Iterable[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
        """Yield results as `Spread` does.

        Raises
        ------
        ServiceError
            When the scheduler goes away, or all workers do, or jobs take them down one after another.
        """
        waiting, under_way, killers, failure = iter(jobs), dict[Future, tuple[int, Any]](), list[str](), None
        try:
            while True:
                some = islice(waiting, max(0, _IN_FLIGHT * self.width - len(under_way))) if failure is None else ()
                under_way |= {self._sent(function, job): (position, job) for position, job in some}
                if not under_way:
                    break
                for future in self._ended(under_way):
                    position, job = under_way.pop(future)
                    error = future.exception()
                    if error is None:
                        yield position, future.result()
                    elif isinstance(error, KilledWorker):
                        killers.append(job.name)
                    else:
                        failure = failure or error
                    future.release()
        except CancelledError as error:
            raise self._lost() from error
        finally:
            if under_way:
                with suppress(Exception):  # the scheduler may be the reason
                    self._client.cancel(list(under_way), force=True)
        if failure is not None:
            raise failure
        if killers:
            raise ServiceError(
                f"expected workers that live, found that {DEATHS_BORNE + 1} at {self._address} died while they had "
                f"{', '.join(killers)}; everything else was done: see that they have memory, and run the same command "
                "again"
            )

    def _see(self, workers: dict[str, int]) -> None:
        self._workers, self.width = workers, max(1, sum(workers.values()))
        if workers:
            self._seen_at = time.monotonic()

    def _sent(self, function: Callable[[Any], Any], job: Job) -> Future:
        key = f"{job.name}-{uuid4().hex[:8]}"
        return self._client.submit(work, self._expected, function, job, key=key, pure=False)

    def _ended(self, under_way: Iterable[Future]) -> Collection[Future]:
        """Wait a moment for jobs to end, and return those that have; look who works where none has."""
        with suppress(TimeoutError), self._client.as_current():
            ended: Collection[Future] = wait(list(under_way), timeout=_LOOK_EVERY, return_when="FIRST_COMPLETED").done
            return ended
        self._look()
        return ()

    def _look(self) -> None:
        """See which workers are there.

        Raises
        ------
        ServiceError
            When the scheduler is gone, or there has been no worker for a while.
        """
        try:
            workers = dict(self._client.nthreads())
        except (OSError, TimeoutError, RuntimeError) as error:
            raise self._lost() from error
        for address in sorted(self._workers.keys() - workers.keys()):
            self._say(f"the worker at {address} is gone: what it was at is begun again by another")
        self._see(workers)
        if not workers and time.monotonic() - self._seen_at > _WORKERS_WITHIN:
            raise ServiceError(
                f"expected workers at {self._address}, found none for {_WORKERS_WITHIN:.0f} s; what was published "
                "stands: start them with `python -m plugins.operations.machines.dask_cluster worker`, "
                "and run the same command again"
            )

    def _lost(self) -> ServiceError:
        return ServiceError(
            f"the Dask scheduler at {self._address} is gone; what was published stands: see that it runs, and run the "
            "same command again"
        )


@contextmanager
def connected(settings: Settings) -> Iterator[Client]:
    """Connect with the cluster of the settings while the block runs.

    Raises
    ------
    SettingError
        When it may not be spoken to with these settings.
    ServiceError
        When no scheduler answers there, or not to us.
    """
    address = cluster_address(settings)
    refuse_absent_scheduler(settings)
    for name in ("distributed", "distributed.client"):  # a failure is reported once, by the call that meets it
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        client = _client(address, security_of(settings))
    except (OSError, TimeoutError) as error:
        raise ServiceError(
            f"expected a Dask scheduler at {address}, found one that does not let us in ({first_line(error)}); nothing "
            "was done: see that SHELFPRICE_DASK and the certificates are those of the cluster"
        ) from error
    try:
        yield client
    finally:
        with suppress(Exception):  # a scheduler that is gone has nothing to be told
            client.close(timeout=_CONNECT_WITHIN)


def _client(address: str, security: Security | None) -> Client:
    """Return a client of a scheduler.

    Dask asserts that the client's event loop starts within ten seconds. A machine that stands still for longer, as a
    virtual one may, breaks that: the second attempt starts another loop.

    Raises
    ------
    ServiceError
        When the second loop starts too late as well.
    """
    for _ in range(_ATTEMPTS):
        with suppress(AssertionError):
            return Client(address, security=security, timeout=_CONNECT_WITHIN, set_as_default=False, name="shelfprice")
    raise ServiceError(
        "expected Dask's event loop to start within 10 s, found that this machine was too busy for it; nothing was "
        "done: run the same command again"
    )


def security_of(settings: Settings) -> Security | None:
    """Return what both sides show each other; None on loopback, where a cluster may ask for nothing."""
    if not is_encrypted(settings):
        return None
    return Security(
        tls_ca_file=str(settings.dask_ca),
        tls_client_cert=str(settings.dask_cert),
        tls_client_key=str(settings.dask_key),
        require_encryption=True,
    )


def _refuse_unready(client: Client, address: str, expected: Expected, within: float) -> None:
    """Ask the scheduler and every worker whether they can work for us."""
    _refuse_fault(f"the Dask scheduler at {address}", _asked(lambda: client.run_on_scheduler(made_ready, expected)))
    try:
        client.wait_for_workers(1, timeout=within)
    except TimeoutError as error:
        raise ServiceError(
            f"expected workers at {address}, found none within {within:.0f} s; nothing was done: start them "
            "with `python -m plugins.operations.machines.dask_cluster worker`"
        ) from error
    for worker, fault in sorted(client.run(fault_here, expected, on_error="return").items()):
        _refuse_fault(f"the worker at {worker}", fault)


def _asked(question: Callable[[], object]) -> object:
    """Return the answer to a question, or the error that is one."""
    try:
        return question()
    except Exception as error:  # noqa: BLE001 - whatever it is, it says why nothing can be done there
        return error


def _refuse_fault(who: str, fault: object) -> None:
    if fault is not None:
        line = first_line(fault) if isinstance(fault, BaseException) else fault
        raise ServiceError(f"{who} cannot be used: {line}; nothing was done")
