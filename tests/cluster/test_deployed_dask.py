"""Dask's scheduler and workers speak TLS as compose.yaml and the chart's values start them, and let nobody else in."""

import datetime as dt
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from distributed import Client
from distributed.security import Security

from deploy import make_secrets
from deploy.servers.ports import free_port
from deploy.servers.running import running
from operate.up.services import Service

DEPLOY = Path(make_secrets.__file__).parent
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
CHART = yaml.safe_load((DEPLOY / "kubernetes" / "values-dask.yaml").read_text())
EVERYWHERE = "0.0.0.0"  # noqa: S104 - to be replaced


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("secrets")
    make_secrets.make_secrets(folder, dt.datetime.now(dt.UTC))
    return folder


def security(secrets: Path) -> Security:
    return Security(
        require_encryption=True,
        tls_ca_file=str(secrets / "dask-ca.pem"),
        tls_client_cert=str(secrets / "dask-cert.pem"),
        tls_client_key=str(secrets / "dask-key.pem"),
    )


def here(words: list[Any], secrets: Path, port: int) -> tuple[str, ...]:
    """Return a command of a container as it runs on this machine."""
    moved = {"python": sys.executable, EVERYWHERE: "127.0.0.1", "8786": str(port)}
    texts = [moved.get(str(word), str(word)).replace("/run/secrets", str(secrets)) for word in words]
    return tuple(
        text.replace("scheduler:8786", f"127.0.0.1:{port}").replace("${SHELFPRICE_WORKERS:-2}", "1") for text in texts
    )


@contextmanager
def cluster(scheduler: Service, worker: Service, url: str, known: Security) -> Iterator[Client]:
    with running(scheduler), Client(url, security=known, set_as_default=False) as client, running(worker):
        client.wait_for_workers(1, timeout=60)
        yield client


def service(name: str, command: tuple[str, ...], environment: dict[str, str], port: int) -> Service:
    import socket

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    return Service(name, "a test", command, environment, None, listens)


def test_as_containers_they_work_and_a_client_without_their_certificate_is_refused(
    secrets: Path, tmp_path: Path
) -> None:
    port = free_port()
    make_secrets.make_secrets(tmp_path, dt.datetime.now(dt.UTC))
    stranger = security(tmp_path)  # who trusts the scheduler, and shows a certificate of another authority
    stranger.tls_ca_file = str(secrets / "dask-ca.pem")
    url = f"tls://127.0.0.1:{port}"
    environment = dict(COMPOSE["scheduler"]["environment"])
    started = [
        service(name, here(COMPOSE[name]["command"], secrets, port), environment, port)
        for name in ("scheduler", "dask-worker")
    ]
    with cluster(*started, url, security(secrets)) as client:
        assert client.submit(os.getpid).result(timeout=60) != os.getpid()
        with pytest.raises(OSError, match=r"ALERT|SSL|closed|reset"):  # however the handshake ends
            Client(url, security=stranger, timeout=5, set_as_default=False)
        with pytest.raises(OSError, match=r"Timed out|ConnectionReset"):
            Client(url.replace("tls", "tcp"), timeout=5, set_as_default=False)


def test_in_kubernetes_they_take_certificates_as_text_from_the_environment(secrets: Path) -> None:
    port = free_port()
    url = f"tls://127.0.0.1:{port}"

    def environment(part: str) -> dict[str, str]:
        found = {}
        for one in CHART[part]["env"]:
            source = one.get("valueFrom", {}).get("secretKeyRef")
            if one["name"].startswith("DASK_"):
                found[one["name"]] = one.get("value") or (secrets / source["key"]).read_text()
        return found

    at = ("--host=127.0.0.1", "--dashboard-address=127.0.0.1:0")  # where the chart listens everywhere
    programs = (
        (sys.executable, "-m", "distributed.cli.dask_scheduler"),
        (sys.executable, "-m", "distributed.cli.dask_worker"),
    )
    scheduler = (*programs[0], f"--port={port}", *at, *CHART["scheduler"]["extraArgs"])
    worker = (*programs[1], url, "--nthreads=1", "--no-dashboard", *at, *CHART["worker"]["extraArgs"])
    started = (
        service("scheduler", scheduler, environment("scheduler"), port),
        service("worker", worker, environment("worker"), port),
    )
    with cluster(*started, url, security(secrets)) as client:
        assert client.submit(os.getpid).result(timeout=60) != os.getpid()
