"""A Dask cluster on this machine: a scheduler and workers of one thread each, on loopback.

A Dask scheduler asks for no credential, and its clients can run code on its workers. So `make cluster` has both sides
show certificates (`tls`), as they have to off loopback; tests go without.
"""

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from catalog.addresses import Address
from catalog.settings import Settings, read_settings
from plugins.operations.up.services import Service

SCHEDULER = "scheduler"
_ANSWERS_WITHIN = 3.0  # seconds
_PROGRAM = (sys.executable, "-m", "plugins.operations.machines.dask_cluster")
_CHOSEN = {
    "DASK_LOGGING__DISTRIBUTED": "warning",
    "DASK_DISTRIBUTED__ADMIN__TICK__LIMIT": "60 s",  # a batch that computes for long is no trouble
}


@dataclass(frozen=True)
class Dask:
    """A scheduler and its workers.

    Attributes
    ----------
    folder
        Where workers keep what does not fit into memory.
    settings
        The environment of the workers: what they need to reach the lake.
    protocol
        `tls` where `settings` name the certificates.
    """

    folder: Path
    address: Address
    workers: int
    settings: Mapping[str, str] = field(default_factory=dict)
    protocol: str = "tcp"

    @property
    def url(self) -> str:
        """Its address, as `SHELFPRICE_DASK` takes it."""
        return f"{self.protocol}://{self.address.host}:{self.address.port}"

    def services(self) -> list[Service]:
        """Return the scheduler and the workers as services."""
        return [self._scheduler(), *(self._worker(f"dask-{number}") for number in range(1, self.workers + 1))]

    def names(self) -> set[str]:
        """Return the names of the workers that the scheduler knows; none when it does not answer."""
        return self._asked() or set()

    def _scheduler(self) -> Service:
        command = (*_PROGRAM, "scheduler")
        return Service(SCHEDULER, "hands out work", command, self._own, self.address, lambda: self._asked() is not None)

    def _worker(self, name: str) -> Service:
        command = (*_PROGRAM, "worker", "1", name)
        return Service(name, "works", command, self._own, None, lambda: name in self.names(), after=(SCHEDULER,))

    @property
    def _own(self) -> dict[str, str]:
        return {**_CHOSEN, "SHELFPRICE_HOME": str(self.folder), **self.settings, "SHELFPRICE_DASK": self.url}

    def _asked(self) -> set[str] | None:
        """Return the names of the workers that the scheduler knows; None when it does not answer."""
        try:
            return asyncio.run(_workers_of(read_settings(self._own)))
        except (OSError, TimeoutError):
            return None


async def _workers_of(settings: Settings) -> set[str]:
    """Ask a scheduler for the names of its workers."""
    from distributed.core import rpc

    from plugins.operations.machines.on_dask import security_of

    security = security_of(settings)
    shown = security.get_connection_args("client") if security else None
    async with rpc(settings.dask, timeout=_ANSWERS_WITHIN, connection_args=shown) as scheduler:
        identity = await asyncio.wait_for(scheduler.identity(), _ANSWERS_WITHIN)
    return {str(worker["name"]) for worker in identity["workers"].values()}
