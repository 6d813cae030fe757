"""What is dear and the same for every test: made once a run, by the first process that needs it, and copied."""

import datetime as dt
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import one_server
import pytest

from catalog.settings import Settings, read_settings


@dataclass(frozen=True)
class PlayedLoop:
    """A home in which the pipeline ran for four days, two of them priced by a champion."""

    settings: Settings
    dates: tuple[dt.date, ...]


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return a folder that was filled once in this run; nobody may change what is in it."""
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent  # the processes of a run share it
    folder, finished = base / name, base / f"{name}.finished"
    with one_server.locked(base / f"{name}.lock"):
        if not finished.exists():
            shutil.rmtree(folder, ignore_errors=True)  # of one that failed
            folder.mkdir()
            make(folder)
            finished.touch()
    return folder


def copy_home(source: Path, home: Path) -> Settings:
    """Copy a home with its registry; what names its own place in it names the new one."""
    from features.cells import ALL_VIEWS
    from training.mlflow.database import follow_home
    from warehouse.query.connection import build_file

    shutil.copytree(source, home, dirs_exist_ok=True)
    settings = read_settings({"SHELFPRICE_HOME": str(home)})
    build_file(settings, ALL_VIEWS)
    follow_home(settings)
    return settings


@contextmanager
def living_in(home: Path) -> Iterator[None]:
    """Let a home be that of the environment, and put back whatever is changed in the environment meanwhile."""
    with patch.dict(os.environ, SHELFPRICE_HOME=str(home)):
        yield


@contextmanager
def without_heartbeats() -> Iterator[None]:
    """Run flows without the thread that would cost a second of waiting for each."""
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        yield
