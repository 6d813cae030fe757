"""The services: how each is started, where it listens, and how to tell that it answers.

All listen on this machine only, unless a setting says otherwise; then they need a credential. None sends telemetry.
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
from plugins.connect.api.front_door import LOOPBACK_NAMES
from plugins.connect.quote_api import refuse_open_quote_api
from plugins.operations.machines.database import mlflow_store, prefect_environment
from plugins.operations.up.mlflow_server import LOGIN_VARIABLE, STORE_VARIABLE
from warehouse.commits.locks import WORKER, is_held
from warehouse.files import prefect_login

_ANSWER_WITHIN = 3.0  # seconds; the machine may be busy
_QUIET = "WARNING"


@dataclass(frozen=True)
class Service:
    """One process of the group.

    Attributes
    ----------
    purpose
        What it is for.
    address
        Where it listens; None for one that does not.
    answers
        Whether it answers.
    after
        Names of the services that must answer before it starts.
    is_ready
        What must hold besides, once, before it counts as started.
    """

    name: str
    purpose: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    address: Address | None
    answers: Callable[[], bool]
    after: tuple[str, ...] = field(default=())
    is_ready: Callable[[], bool] = field(default=lambda: True)


def services_of(settings: Settings, catalog: Path | None, search_path: str = os.defpath) -> list[Service]:
    """Return the services in the order of their start; the monitor is among them when it is installed.

    Parameters
    ----------
    search_path
        Where the worker's runs find programs, as in `PATH`.

    Raises
    ------
    SettingError
        When a service would listen where others can reach it, without asking for a credential.
    """
    _refuse_open_addresses(settings)
    login = prefect_login(settings)
    client = {"PREFECT_API_URL": f"{settings.prefect.url}/api", "PREFECT_API_AUTH_STRING": login}
    services = [_prefect(settings, login), _mlflow(settings, login), _worker(settings, catalog, search_path, client)]
    if find_spec("dashboard.__main__") is not None:
        services.append(_monitor(settings, catalog, client))
    return [*services, _quote_api(settings, catalog)]


def _worker(settings: Settings, catalog: Path | None, search_path: str, client: Mapping[str, str]) -> Service:
    """Return the worker; `python` is this interpreter for its runs, which are picked up within two seconds."""
    environment = {
        **client,
        "SHELFPRICE_HOME": str(settings.home),
        **({"SHELFPRICE_CATALOG": str(catalog)} if catalog else {}),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), search_path]),
        "PREFECT_WORKER_QUERY_SECONDS": "2",
        "PREFECT_LOGGING_LEVEL": "INFO",
        "PREFECT_LOGGING_EXTRA_LOGGERS": "flows",
    }
    deployed = f"{settings.prefect.url}/api/deployments/name/{LIVE_DEPLOYMENT}"
    login = client["PREFECT_API_AUTH_STRING"]
    return Service(
        "worker",
        "executes the deployments of prefect.yaml",
        (sys.executable, "-m", "plugins.operations.up.worker"),
        environment,
        None,
        lambda: is_held(settings.locks, WORKER),
        after=("prefect",),
        is_ready=lambda: _answers(deployed, login, _is_ready),
    )


def _monitor(settings: Settings, catalog: Path | None, client: Mapping[str, str]) -> Service:
    address = settings.monitor
    chosen = ("--catalog", str(catalog)) if catalog else ()
    command = (sys.executable, "-m", "dashboard", "--host", address.host, "--port", str(address.port), *chosen)
    return Service(
        "monitor", "sales, prices, models and runs", command, client, address, lambda: _answers(address.url, None)
    )


def _quote_api(settings: Settings, catalog: Path | None) -> Service:
    """Return the quote API; it answers while there is no price book, too, and says so."""
    address = settings.quote_api
    chosen = ("--catalog", str(catalog)) if catalog else ()
    command = (sys.executable, "-m", "plugins.connect.quote_api", "--port", str(address.port), *chosen)
    environment = {"SHELFPRICE_API_ADDRESS": f"{address.host}:{address.port}", "SHELFPRICE_HOME": str(settings.home)}
    health = f"{address.url}/v1/health"
    return Service("api", "quotes for programs", command, environment, address, lambda: _answers(health, None))


def _prefect(settings: Settings, login: str) -> Service:
    address, names = settings.prefect, _names_of(settings, settings.prefect)
    environment = {
        "PREFECT_SERVER_API_HOST": address.host,
        "PREFECT_SERVER_API_PORT": str(address.port),
        "PREFECT_SERVER_API_AUTH_STRING": login,
        "PREFECT_UI_API_URL": f"{address.url}/api",
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": ",".join(f"http://{name}:{address.port}" for name in names),
        "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "true",
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        "PREFECT_LOGGING_LEVEL": _QUIET,
        "PREFECT_SERVER_LOGGING_LEVEL": _QUIET,
        **prefect_environment(settings),
    }
    command = (
        *(sys.executable, "-m", "plugins.operations.up.prefect_server", "--listen", address.host, str(address.port)),
        *("--names", ",".join(names)),
    )
    health = f"{address.url}/api/health"
    return Service("prefect", "schedules and runs", command, environment, address, lambda: _answers(health, login))


def _mlflow(settings: Settings, login: str) -> Service:
    address = settings.mlflow
    command = (
        *(
            sys.executable,
            "-m",
            "plugins.operations.up.mlflow_server",
            "--host",
            address.host,
            "--port",
            str(address.port),
        ),
        *("--names", ",".join(_names_of(settings, address))),
        *("--artifacts", artifacts_of(settings)),
    )
    environment = {
        LOGIN_VARIABLE: login,
        STORE_VARIABLE: mlflow_store(settings.database) if settings.database else settings.tracking_uri,
        **object_store_environment(settings),
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_SERVER_ALLOWED_HOSTS": "*",  # the front door checks them, more strictly
        "PYTHONWARNINGS": "ignore",
    }
    health = f"{address.url}/health"
    return Service("mlflow", "experiments and models", command, environment, address, lambda: _answers(health, None))


def _names_of(settings: Settings, address: Address) -> tuple[str, ...]:
    """Return the host names that a service answers to."""
    return tuple(dict.fromkeys((address.host, *LOOPBACK_NAMES, *settings.monitor_hosts)))


def _refuse_open_addresses(settings: Settings) -> None:
    if not is_loopback(settings.prefect.host) and settings.prefect_login is None:
        raise SettingError(
            f"{settings.prefect.setting}: others can reach {settings.prefect.host}, so choose its credential; nothing "
            "was started: set PREFECT_SERVER_API_AUTH_STRING to user:password, or stay on 127.0.0.1"
        )
    refuse_open_quote_api(settings)
    if not is_loopback(settings.mlflow.host):
        raise SettingError(
            f"{settings.mlflow.setting}: others can reach {settings.mlflow.host}, and MLflow's credential would cross "
            "the network in the clear; nothing was started: stay on 127.0.0.1, behind a proxy with TLS"
        )


def _is_ready(text: str) -> bool:
    return bool(json.loads(text).get("status") == "READY")


def _answers(url: str, login: str | None, is_good: Callable[[str], bool] = lambda _text: True) -> bool:
    """Return whether a page answers as it should; a page that asks for a credential counts as answering."""
    request = urllib.request.Request(url)  # noqa: S310 - the addresses are our own
    if login:
        request.add_header("Authorization", "Basic " + base64.b64encode(login.encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=_ANSWER_WITHIN) as answer:  # noqa: S310 - the same
            return is_good(answer.read().decode())
    except urllib.error.HTTPError as error:
        return error.code == 401  # noqa: PLR2004 - unauthorized
    except (OSError, ValueError):
        return False


def artifacts_of(settings: Settings) -> str:
    """Return where MLflow's server keeps files: beside a lake of objects, or in a folder, which is made."""
    if _are_objects(settings):
        return f"{settings.lake_address}/mlflow"
    settings.artifacts.mkdir(parents=True, exist_ok=True)
    return settings.artifacts.as_uri()


def object_store_environment(settings: Settings) -> dict[str, str]:
    """Return what tells MLflow's server of the object store; nothing where files are in a folder."""
    if not _are_objects(settings):
        return {}
    names = {
        "MLFLOW_S3_ENDPOINT_URL": settings.s3_endpoint,
        "MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE": "path" if settings.s3_endpoint else None,
        "AWS_DEFAULT_REGION": settings.s3_region,
        "AWS_ACCESS_KEY_ID": settings.s3_key,
        "AWS_SECRET_ACCESS_KEY": settings.s3_secret.get_secret_value() if settings.s3_secret else None,
    }
    return {name: value for name, value in names.items() if value is not None}


def _are_objects(settings: Settings) -> bool:
    """Return whether files are objects; beside a database that is a file, they are files."""
    return settings.database is not None and settings.lake_address is not None
