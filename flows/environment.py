"""What must be set before Prefect and MLflow are imported: nothing reports home, everything stays in one folder."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from threading import Thread

from catalog.names import REGISTRY_PATIENCE
from catalog.settings import Settings, read_settings
from warehouse.locks import is_held

UP, WORKER = "up", "worker"
"""Locks that are held while everything is up, and while a worker works off what is deployed."""


def prepare() -> Settings:
    """Set the defaults of the services for this process, wherever the user has not, and return the settings."""
    settings = read_settings()
    defaults = {
        "PREFECT_HOME": str(settings.prefect_home),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_LOGGING_LEVEL": "CRITICAL",  # a failure is told once, by the command line
        "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
        "DO_NOT_TRACK": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_LOGGING_LEVEL": "ERROR",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "MPLBACKEND": "Agg",
        **REGISTRY_PATIENCE,
    }
    if is_held(settings.locks, UP):  # the server that is up, not a second one on the same database
        defaults["PREFECT_API_URL"] = api_url_file(settings).read_text(encoding="utf-8").strip()
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    logging.getLogger("faker").setLevel(logging.WARNING)
    settings.prefect_home.mkdir(parents=True, exist_ok=True)
    return settings


def api_url_file(settings: Settings) -> Path:
    """Return the file in which `shelfprice up` says where its Prefect server answers, while it holds the lock `UP`."""
    return settings.prefect_home / "api-url"


@contextmanager
def orchestrated(flow_module: str = "flows.pipeline") -> Iterator[None]:
    """Run flows in this process without the heartbeat, whose thread would cost a second per flow.

    Prefect's own server, where none is configured, starts on the other core while the flow is imported here and, for a
    flow that speaks to MLflow, MLflow's database is made. A flow that learns nothing starts seconds sooner.
    """
    from prefect.client.orchestration import get_client  # noqa: PLC0415 - slow import
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings  # noqa: PLC0415

    starting = Thread(target=get_client, kwargs={"sync_client": True}, daemon=True)
    starting.start()
    import_module(flow_module)
    settings = read_settings()
    if "mlflow" in sys.modules and not is_held(settings.locks, UP):  # its MLflow server makes the database
        import_module("training.mlflow.experiments").prepare_tracking(settings)
    starting.join()
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        yield
