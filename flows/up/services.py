"""The services of the house: how each is started, where it listens, and how one sees that it answers.

All stay on this machine unless a setting says otherwise, and then want a credential. Nothing reports home.
"""

import base64
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from catalog.addresses import Address, is_loopback
from catalog.errors import SettingError
from catalog.names import LIVE_DEPLOYMENT
from catalog.settings import Settings
from flows.environment import WORKER
from warehouse.locks import is_held

_ANSWER_WITHIN = 0.5  # seconds
_QUIET = "WARNING"


@dataclass(frozen=True)
class Service:
    """One process of the group.

    Attributes
    ----------
    purpose
        What people find there.
    address
        Where it listens; None for one that does not.
    after
        Names of the services that must answer before it is started.
    """

    name: str
    purpose: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    address: Address | None
    answers: Callable[[], bool]
    after: tuple[str, ...] = field(default=())


def services_of(settings: Settings, catalog: Path | None, environ: Mapping[str, str]) -> list[Service]:
    """Return the services in the order of their start; the monitor is among them when it is installed.

    Raises
    ------
    SettingError
        When a service is to listen where others could reach it, and nothing asks them for a credential.
    """
    _refuse_open_doors(settings, environ)
    login = environ.get("PREFECT_SERVER_API_AUTH_STRING")
    api = f"{settings.prefect.url}/api"
    shelf = ("--catalog", str(catalog)) if catalog else ()
    place = {"SHELFPRICE_HOME": str(settings.home), **({"SHELFPRICE_CATALOG": str(catalog)} if catalog else {})}
    client = {"PREFECT_API_URL": api, **({"PREFECT_API_AUTH_STRING": login} if login else {})}
    served = f"{api}/deployments/name/{LIVE_DEPLOYMENT}"
    services = [
        _prefect(settings, login),
        _mlflow(settings),
        Service(
            "worker",
            "nights, live stores and what else prefect.yaml deploys",
            (sys.executable, "-m", "flows.up.worker"),
            {**client, **place, **_work(environ)},
            None,
            lambda: is_held(settings.locks, WORKER) and _answers(served, login, _is_ready),
            after=("prefect",),
        ),
    ]
    if find_spec("dashboard.__main__") is not None:
        host, port = settings.monitor.host, str(settings.monitor.port)
        command = (sys.executable, "-m", "dashboard", "--host", host, "--port", port, *shelf)
        url = settings.monitor.url
        services.append(
            Service("monitor", "the store at work", command, client, settings.monitor, lambda: _answers(url, None))
        )
    return services


def _work(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of the worker and its runs: `python` is this one, and a run is picked up in two seconds."""
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), environ.get("PATH", os.defpath)]),
        "PREFECT_WORKER_QUERY_SECONDS": "2",
        "PREFECT_LOGGING_LEVEL": "INFO",
        "PREFECT_LOGGING_EXTRA_LOGGERS": "flows",
    }


def _prefect(settings: Settings, login: str | None) -> Service:
    address = settings.prefect
    environment = {
        "PREFECT_SERVER_API_HOST": address.host,
        "PREFECT_SERVER_API_PORT": str(address.port),
        "PREFECT_UI_API_URL": f"{address.url}/api",
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": address.url,
        "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "true",
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        "PREFECT_LOGGING_LEVEL": _QUIET,
        "PREFECT_SERVER_LOGGING_LEVEL": _QUIET,
    }
    command = (sys.executable, "-m", "prefect", "server", "start", "--host", address.host, "--port", str(address.port))
    health = f"{address.url}/api/health"
    return Service("prefect", "runs", command, environment, address, lambda: _answers(health, login))


def _mlflow(settings: Settings) -> Service:
    address = settings.mlflow
    settings.artifacts.mkdir(parents=True, exist_ok=True)
    command = (
        *(sys.executable, "-m", "mlflow", "server", "--host", address.host, "--port", str(address.port)),
        *("--workers", "1", "--backend-store-uri", settings.tracking_uri),
        *("--artifacts-destination", settings.artifacts.as_uri(), "--uvicorn-opts", "--log-level warning"),
    )
    environment = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "PYTHONWARNINGS": "ignore"}
    health = f"{address.url}/health"
    return Service("mlflow", "models", command, environment, address, lambda: _answers(health, None))


def _refuse_open_doors(settings: Settings, environ: Mapping[str, str]) -> None:
    if not is_loopback(settings.prefect.host) and not environ.get("PREFECT_SERVER_API_AUTH_STRING"):
        raise SettingError(
            f"{settings.prefect.setting}: others could reach {settings.prefect.host}, which wants a credential; "
            "set PREFECT_SERVER_API_AUTH_STRING to user:password, or stay on 127.0.0.1"
        )
    if not is_loopback(settings.mlflow.host):
        raise SettingError(
            f"{settings.mlflow.setting}: others could reach {settings.mlflow.host}, and MLflow asks nobody for a "
            "credential; stay on 127.0.0.1, and let a proxy that asks for one stand before it"
        )


def _is_ready(text: str) -> bool:
    return bool(json.loads(text).get("status") == "READY")


def _answers(url: str, login: str | None, holds: Callable[[str], bool] = lambda _text: True) -> bool:
    """Tell whether a page answers and says what it should; a page that asks for a credential answers."""
    request = urllib.request.Request(url)  # noqa: S310 - the addresses are our own
    if login:
        request.add_header("Authorization", "Basic " + base64.b64encode(login.encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=_ANSWER_WITHIN) as answer:  # noqa: S310 - the same
            return holds(answer.read().decode())
    except urllib.error.HTTPError as error:
        return error.code == 401  # noqa: PLR2004 - unauthorized
    except (OSError, ValueError):
        return False
