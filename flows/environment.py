"""The environment that Prefect and MLflow read when they are imported, and whether what a command needs answers.

What must hold: no telemetry, and all data in one folder. This module alone writes the environment, for it is the edge.
Absent services are refused within seconds, by a knock at each: Prefect and MLflow would wait for minutes.
"""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from catalog.addresses import KnockResult, knock, refuse_absent_registry, without_login
from catalog.errors import ServiceError
from catalog.hooks import DATABASE, SPREAD
from catalog.names import REGISTRY_PATIENCE
from catalog.settings import Settings, read_settings
from flows.progress import say
from training.mlflow.database import follow_home
from warehouse.commits.locks import UP, is_held
from warehouse.databases import refuse_unusable, sqlite_file
from warehouse.files import keep_files_private, keep_private, prefect_credential, prefect_login
from warehouse.stores.folder import open_store

_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND = 401, 403, 404
_PREFECT_PATIENCE = {"PREFECT_API_REQUEST_TIMEOUT": "10", "PREFECT_CLIENT_MAX_RETRIES": "2"}
"""How long Prefect's client waits for a server that hangs while a command runs; its own defaults are six minutes."""


def prepare() -> Settings:
    """Set the defaults of the services for this process, wherever the user has not, and return the settings.

    From here on, files are made for this user alone, and so is the data folder.
    """
    settings = set_defaults()
    keep_private(settings.home)
    settings.prefect_home.mkdir(parents=True, exist_ok=True)
    follow_home(settings)
    return settings


def set_defaults() -> Settings:
    """Set the defaults of the services for this process as `prepare` does; nothing on the disk is touched."""
    keep_files_private()
    settings = read_settings()
    defaults = {
        "PREFECT_HOME": str(settings.prefect_home),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_LOGGING_LEVEL": "CRITICAL",  # a failure is reported once, by the command line
        "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_INTERNAL_LEVEL": "CRITICAL",
        "DO_NOT_TRACK": "true",
        "DASH_DISABLE_VERSION_CHECK": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_LOGGING_LEVEL": "CRITICAL",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "MPLBACKEND": "Agg",
        **REGISTRY_PATIENCE,
        **_PREFECT_PATIENCE,
    }
    if settings.prefect_login:  # the server's, whose clients are this process's
        defaults["PREFECT_API_AUTH_STRING"] = settings.prefect_login.get_secret_value()
    if is_held(settings.locks, UP):  # the server that runs, not a second one on the same database
        defaults["PREFECT_API_URL"] = api_url_file(settings).read_text(encoding="utf-8").strip()
        if os.environ.get("PREFECT_API_URL", defaults["PREFECT_API_URL"]) == defaults["PREFECT_API_URL"]:
            defaults["PREFECT_API_AUTH_STRING"] = prefect_login(settings)
        if settings.tracking_uri.rstrip("/") == settings.mlflow.url:
            user, _, password = prefect_login(settings).partition(":")
            defaults |= {"MLFLOW_TRACKING_USERNAME": user, "MLFLOW_TRACKING_PASSWORD": password}
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    logging.getLogger("faker").setLevel(logging.WARNING)
    for worker in ("EventsWorker", "APILogWorker"):  # Prefect's own, whose loggers are not below `prefect`
        logging.getLogger(worker).setLevel(logging.CRITICAL)
    return settings


def api_url_file(settings: Settings) -> Path:
    """Return the file in which `shelfprice up` says where its Prefect server answers, while it holds the lock `UP`."""
    return settings.prefect_home / "api-url"


@contextmanager
def ready(
    flow_module: str | None = "flows.pipeline", *, uses_registry: bool = True, is_spread: bool = True
) -> Iterator[None]:
    """Make ready for work, or refuse it before anything slow where what it needs is away.

    A flow is imported, and runs as a run of the Prefect server that is configured, without the heartbeat, whose thread
    would cost a second. Without a server a command calls the function of the flow, see `flows.runs.as_command`.
    """
    settings = read_settings()
    refuse_absent_services(settings, uses_registry=uses_registry, uses_prefect=flow_module is not None)
    if settings.lake_address is not None:
        open_store(settings).exists()  # or it says why it cannot tell
    if is_spread and settings.dask is not None:
        SPREAD.needed("SHELFPRICE_DASK").refuse_absent_cluster(settings)
    if flow_module is not None:
        if not has_server() and settings.database is not None:
            DATABASE.needed("SHELFPRICE_DATABASE").keep_database_up_to_date(settings, say)
        import_module("scipy.special")  # before Prefect: skops looks for its functions in all modules, the first first
        import_module(flow_module)
    if uses_registry and not is_held(settings.locks, UP):  # the MLflow server of `shelfprice up` creates its own tables
        import_module("training.mlflow.experiments").prepare_tracking(settings)
    if flow_module is None:
        yield
        return
    prefect = import_module("prefect.settings")
    with prefect.temporary_settings({prefect.PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        yield


def has_server() -> bool:
    """Return whether a server is configured, in the environment or, once Prefect is imported, in its settings."""
    prefect = sys.modules.get("prefect.settings")
    return "PREFECT_API_URL" in os.environ or (prefect is not None and bool(prefect.PREFECT_API_URL.value()))


def refuse_absent_services(settings: Settings, *, uses_registry: bool, uses_prefect: bool = True) -> None:
    """Refuse work for which a service is away, within seconds.

    Raises
    ------
    ModelError
        When the model registry is away.
    ServiceError
        When Prefect or PostgreSQL is, or the database file of the registry cannot be used.
    """
    refuse_absent_database(settings)
    api = os.environ.get("PREFECT_API_URL")
    if uses_prefect and api:
        _refuse_absent_prefect(api)
    if uses_registry:
        refuse_absent_registry(settings.tracking_uri)
        file = sqlite_file(settings.tracking_uri)
        if file is not None:
            refuse_unusable(file, "mend it, or set MLFLOW_TRACKING_URI to another registry")


def refuse_absent_database(settings: Settings) -> None:
    """Refuse work for which the database that the settings name is away.

    Raises
    ------
    ServiceError
        When it is.
    """
    if settings.database is not None:
        DATABASE.needed("SHELFPRICE_DATABASE").refuse_absent_database(settings.database)


def _refuse_absent_prefect(api: str) -> None:
    answer, where = knock(f"{api.rstrip('/')}/health", prefect_credential(os.environ)), without_login(api)
    if answer.status in {_UNAUTHORIZED, _FORBIDDEN}:
        raise ServiceError(
            f"Prefect at {where} wants a credential ({answer.problem}); nothing was done and old prices hold: set "
            "PREFECT_API_AUTH_STRING to its user:password, or unset PREFECT_API_URL to run without it"
        )
    if not answer.is_good or _is_another(answer):
        problem = "something else answers there" if _is_another(answer) else answer.problem
        raise ServiceError(
            f"expected Prefect at {where}, found: {problem}; nothing was done and old prices hold: start it with "
            "`shelfprice up`, or unset PREFECT_API_URL to run without it"
        )


def _is_another(answer: KnockResult) -> bool:
    """Return whether what answers is not Prefect; its cloud has no such page, and is known by its key."""
    return answer.status == _NOT_FOUND and not os.environ.get("PREFECT_API_KEY")
