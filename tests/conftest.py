"""Shared by all tests: no telemetry, and a world of our own for each."""

import os

os.environ.update(
    PREFECT_SERVER_ANALYTICS_ENABLED="false",
    DO_NOT_TRACK="true",
    MLFLOW_DISABLE_TELEMETRY="true",
    MLFLOW_LOGGING_LEVEL="ERROR",
    MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR="false",
    MPLBACKEND="Agg",
)
os.environ.pop("MLFLOW_TRACKING_URI", None)
