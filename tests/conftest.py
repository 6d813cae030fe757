"""Shared by all tests: no telemetry, and a world of our own for each."""

import os
from pathlib import Path

import pytest

from catalog.settings import Settings, read_settings

os.environ.update(
    PREFECT_SERVER_ANALYTICS_ENABLED="false",
    DO_NOT_TRACK="true",
    MLFLOW_DISABLE_TELEMETRY="true",
    MLFLOW_LOGGING_LEVEL="ERROR",
    MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR="false",
    MPLBACKEND="Agg",
)
os.environ.pop("MLFLOW_TRACKING_URI", None)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home of its own, with nothing in it."""
    return read_settings({"SHELFPRICE_HOME": str(tmp_path)})
