"""Run what more than one machine needs as local processes: `python -m plugins.operations.deploy.cluster`.

PostgreSQL, an object store, a Dask scheduler with workers, and `shelfprice up` with the settings that lead to them. All
of it listens on this machine alone. A server that dies is told and started again. However this process ends, all of it
ends; a second start on the same folder goes on with the same data.
"""

import argparse
import fcntl
import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from catalog.errors import Declined, ServiceError, ShelfpriceError
from flows.cli.console import remark, show_table
from plugins.operations.deploy.settings import ClusterOnThisMachine, open_cluster
from plugins.operations.up.services import Service
from plugins.operations.up.states import running_services
from plugins.operations.up.supervisor import SIGNALS, Stop, run_group

_PACKAGES = ("boto3", "deltalake", "distributed", "obstore", "psycopg")
_OTHERS = ("SHELFPRICE_", "PREFECT_", "MLFLOW_", "AWS_", "DASK_")
_IS_USUAL = re.compile(r"I\d{4} |\S+ \S+ UTC \[\d+\] LOG: ")
"""What the object store and PostgreSQL write while all is well."""
_SIGNALED = 128


def main() -> None:
    """Start everything, say where it is, and run it until asked to stop."""
    given = _parser().parse_args()
    stop = Stop()
    for number in SIGNALS:
        signal.signal(number, stop.hear)
    try:
        _refuse_missing_packages()
        with _alone(given.folder):
            _run(open_cluster(given.folder, given.workers), stop)
    except ShelfpriceError as error:
        remark(str(error))
        sys.exit(1)
    remark(f"stopped; the data stays in {given.folder}")
    sys.exit(_SIGNALED + (stop.number or 0))


def services_of(cluster: ClusterOnThisMachine) -> list[Service]:
    """Return the servers, and `shelfprice up`, which starts when all of them answer."""
    servers = [cluster.postgres.service(), cluster.objects.service(), *cluster.dask.services()]
    return [*servers, _up(cluster, tuple(server.name for server in servers))]


def _up(cluster: ClusterOnThisMachine, after: tuple[str, ...]) -> Service:
    settings = cluster.settings

    def all_answer() -> bool:
        running = running_services(settings)
        return running is not None and all(service.condition == "answers" for service in running.services)

    return Service(
        "up",
        "Prefect, MLflow, worker, monitor and quote API",
        (sys.executable, "-m", "flows", "up"),
        cluster.environment,
        None,
        lambda: running_services(settings) is not None,  # it looks after its own services
        after=after,
        is_ready=all_answer,
    )


def _run(cluster: ClusterOnThisMachine, stop: Stop) -> None:
    for name in [name for name in os.environ if name.startswith(_OTHERS) and name != "SHELFPRICE_CATALOG"]:
        del os.environ[name]  # they lead to other servers, and every process of the cluster would inherit them
    cluster.write_env_file()
    services = services_of(cluster)
    width = max(len(service.name) for service in services)
    remark(f"Starting {', '.join(service.name for service in services)} ...")
    try:
        run_group(
            services,
            lambda name, line: None if _IS_USUAL.match(line) else remark(f"{name:<{width}} | {line}"),
            lambda: _tell_all_answer(cluster, services),
            stop,
        )
    finally:
        cluster.objects.forget_sockets()


def _tell_all_answer(cluster: ClusterOnThisMachine, services: list[Service]) -> None:
    settings = cluster.settings
    rows = [
        [service.name, service.address.url.partition("//")[2] if service.address else "-", service.purpose]
        for service in services[:-1]
    ]
    rows += [
        ["prefect", settings.prefect.url, "schedules and runs"],
        ["mlflow", settings.mlflow.url, "experiments and models"],
        ["monitor", settings.monitor.url, "sales, prices, models and runs"],
        ["api", settings.quote_api.url, "quotes for programs"],
    ]
    show_table("The cluster is up; Ctrl-C stops it", ["part", "address", "what it is for"], rows)
    remark(f"In another shell: source {cluster.env_file}, then use `shelfprice` as always")


def _refuse_missing_packages() -> None:
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise ServiceError(f"expected the packages of a cluster, found no {', '.join(missing)}: make install-cluster")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder, or refuse it when another process does."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Declined(
                f"{folder}: its cluster runs already; nothing was started: use it, or stop it there"
            ) from error
        yield


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m plugins.operations.deploy.cluster", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("data/cluster"), help="where all of it keeps its files")
    parser.add_argument("--workers", type=_count, default=2, help="how many Dask workers, of one thread each")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number from 1 on, found {text!r}")
    return int(text)


if __name__ == "__main__":
    main()
