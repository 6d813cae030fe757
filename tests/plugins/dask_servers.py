"""A Dask cluster on loopback, started as `flows.dask_cluster` says: a scheduler and two worker processes."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from catalog.settings import Settings, read_settings

_STARTED_WITHIN = 120.0  # seconds, on a busy machine
_ENDED_WITHIN = 30.0
WORKERS = 2


@dataclass
class Cluster:
    """Processes of a cluster that work in one home."""

    home: Path
    variables: dict[str, str]
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        return read_settings(self.variables)

    @property
    def environment(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "MLFLOW_"))}
        path = os.pathsep.join([str(Path(__file__).parent), own.get("PYTHONPATH", "")])  # the jobs of the tests
        return {**own, **self.variables, "PYTHONPATH": path}

    def start(self) -> None:
        """Start what does not run, and return when the scheduler listens; workers may be on their way."""
        for name in ("scheduler", "worker"):
            if name not in self.processes:
                command = (sys.executable, "-m", "flows.dask_cluster", name)
                with (self.home / f"{name}.log").open("ab") as log:
                    self.processes[name] = subprocess.Popen(
                        command, env=self.environment, stdout=log, stderr=log, start_new_session=True
                    )
        address = self.variables["SHELFPRICE_DASK"].rpartition(":")
        limit = time.monotonic() + _STARTED_WITHIN
        while True:
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", int(address[2])), timeout=1).close()
                return
            assert time.monotonic() < limit, (self.home / "scheduler.log").read_text()
            time.sleep(0.1)

    def kill(self, name: str) -> None:
        """Kill the scheduler, or the workers with their nannies."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(_ENDED_WITHIN)

    def end(self) -> None:
        for name in list(self.processes):
            self.kill(name)


@contextmanager
def cluster_in(home: Path, how: str = "tcp", **variables: str) -> Iterator[Cluster]:
    """Start a cluster on a free port of loopback, in a home of its own."""
    home.mkdir(parents=True, exist_ok=True)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    address = f"{how}://127.0.0.1:{port}"
    cluster = Cluster(home, {"SHELFPRICE_HOME": str(home), "SHELFPRICE_DASK": address, **variables})
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.end()
