"""A Dask cluster of `plugins.operations.deploy.servers` as tests need it: killed and started again, with the jobs of
the tests."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import spread_jobs
from killable import Killable, started

from catalog.settings import Settings, read_settings
from plugins.operations.deploy.servers.dask import SCHEDULER, Dask
from plugins.operations.deploy.servers.ports import free_address

_NOWHERE = "http://127.0.0.1:9/api"  # workers need no Prefect


@dataclass(frozen=True)
class Cluster:
    """A scheduler and two workers, who work in one home."""

    home: Path
    variables: dict[str, str]
    servers: tuple[Killable, ...]

    @property
    def settings(self) -> Settings:
        """Those with which it is used."""
        return read_settings(self.variables)

    @property
    def environment(self) -> dict[str, str]:
        """That of a process which uses it."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "MLFLOW_"))}
        return {**own, **self.variables, "PYTHONPATH": _path()}

    def start(self) -> None:
        """Start what does not run."""
        for server in self.servers:
            server.start()

    def kill(self, name: str) -> None:
        """Kill the scheduler, or the workers with their nannies."""
        for server in self.servers:
            if (server.service.name == SCHEDULER) == (name == SCHEDULER):
                server.kill()


@contextmanager
def cluster_in(home: Path, how: str = "tcp", **variables: str) -> Iterator[Cluster]:
    """Start a cluster on a free port of loopback, in a home of its own."""
    home.mkdir(parents=True, exist_ok=True)
    settings = {**variables, "PYTHONPATH": _path(), "PREFECT_API_URL": _NOWHERE}
    dask = Dask(home, free_address(), 2, settings, how)
    servers = tuple(map(Killable, dask.services()))
    with started(*servers):
        yield Cluster(home, {"SHELFPRICE_HOME": str(home), "SHELFPRICE_DASK": dask.url, **variables}, servers)


def _path() -> str:
    """Return where the jobs of the tests are found, before all else that is."""
    return os.pathsep.join([str(Path(spread_jobs.__file__).parent), os.environ.get("PYTHONPATH", "")])
