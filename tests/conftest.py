"""Shared by all tests: an environment of their own, and homes to work in."""

import atexit
import os
from pathlib import Path

import one_server
import pytest
import scipy.special  # noqa: F401 - before thousands of modules: skops looks for its functions in all, the first first

from catalog.names import REGISTRY_PATIENCE
from catalog.settings import Settings, read_settings

pytest_plugins = [
    "browser_tests",
    "distribution",
    "few_trees",
    "garbage",
    "homes",
    "isolation",
    "quick_lakes",
    "seeds",
    "shell",
    "staged_files",
    "suites",
]

# Set before anything imports Prefect or MLflow. The processes of a run take over what the first of them has set.
if "PYTEST_XDIST_WORKER" not in os.environ:
    for name in list(os.environ):
        if name.startswith(("PREFECT_", "MLFLOW_")):
            del os.environ[name]  # a developer's own servers are none of the tests'
    os.environ.update(
        one_server.begin(),
        DASH_DISABLE_VERSION_CHECK="true",
        MLFLOW_DISABLE_TELEMETRY="true",
        MLFLOW_LOGGING_LEVEL="CRITICAL",
        MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR="false",
        MPLBACKEND="Agg",
        **REGISTRY_PATIENCE,
    )
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    atexit.register(one_server.end)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home of its own, with nothing in it."""
    return read_settings({"SHELFPRICE_HOME": str(tmp_path)})
