"""Where MLflow's own pages are, for links; the monitor itself asks MLflow nothing."""

import socket
from urllib.parse import urlsplit

from catalog.names import REGISTERED_MODEL
from catalog.settings import Settings

_PATIENCE = 0.2  # seconds
_PORTS = {"http": 80, "https": 443}


def mlflow_pages(settings: Settings) -> str | None:
    """Return the address of MLflow's pages, or None when nothing listens there.

    A registry that is a file has pages once `shelfprice up` serves it at the address of the settings.
    """
    served = settings.tracking_uri if settings.tracking_uri.startswith("http") else settings.mlflow.url
    parts = urlsplit(served)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or _PORTS[parts.scheme]), timeout=_PATIENCE):
            return served.rstrip("/")
    except OSError:
        return None


def version_link(pages: str, version: str) -> str:
    """Return the address of a registered version."""
    return f"{pages}/#/models/{REGISTERED_MODEL}/versions/{version}"


def run_link(pages: str, run_id: str) -> str:
    """Return the address of a run."""
    return f"{pages}/#/runs/{run_id}"


def artifact_link(pages: str, run_id: str, artifact: str) -> str:
    """Return the address of one artifact of a run; MLflow finds the run whatever experiment the address names."""
    return f"{pages}/#/experiments/0/runs/{run_id}/artifacts/{artifact}"
