"""Dask's scheduler and workers speak TLS as compose.yaml and the manifests start them, and let nobody else in."""

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
from run_servers import running

from plugins.operations.deploy import make_secrets
from plugins.operations.deploy.servers.ports import free_port
from plugins.operations.up.services import Service

DEPLOY = Path(make_secrets.__file__).parents[3] / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
MANIFESTS = {
    one["metadata"]["name"]: one["spec"]["template"]["spec"]["containers"][0]
    for one in yaml.safe_load_all((DEPLOY / "kubernetes" / "dask.yaml").read_text())
    if one["kind"] == "Deployment"
}
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


def test_as_pods_they_work(secrets: Path) -> None:
    port = free_port()
    url = f"tls://127.0.0.1:{port}"
    moved = {
        "python": sys.executable,
        EVERYWHERE: "127.0.0.1",
        "8786": str(port),
        "/run/secrets/shelfprice": str(secrets),
        "dask-scheduler:": "127.0.0.1:",
    }
    started = []
    for name in ("dask-scheduler", "dask-worker"):
        command = MANIFESTS[name]["args"]
        for word, here_it_is in moved.items():
            command = [one if one == here_it_is else one.replace(word, here_it_is) for one in command]
        environment = {one["name"]: one["value"] for one in MANIFESTS[name]["env"] if one["name"].startswith("DASK_")}
        started.append(service(name, tuple(command), environment, port))
    with cluster(*started, url, security(secrets)) as client:
        assert client.submit(os.getpid).result(timeout=60) != os.getpid()
