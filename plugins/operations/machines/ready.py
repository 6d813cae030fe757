"""Is a process of a cluster ready to work for us? It must see our lake, and make the same bytes as we would.

The functions here run on workers, and one on the scheduler. They import neither Prefect nor Dask. That a worker sees
our lake is known by a token that is left there: a copy of the lake, or an empty folder of that name, does not hold it.
"""

import hashlib
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from catalog.errors import ServiceError, ShelfpriceError, first_line
from catalog.settings import Settings, read_settings
from catalog.spread import Job, attempt
from warehouse.files import keep_files_private
from warehouse.lake import CODE_VERSION, Lake
from warehouse.stores.folder import open_store
from warehouse.workspace import settled

_DECIDE_BYTES = (
    *("numpy", "scipy", "pyarrow", "duckdb", "numba", "llvmlite", "scikit-learn", "pandas", "distributed"),
    *("skops", "joblib", "holidays", "faker"),  # the forest that comes back, which dates are holidays, who shops
    "tzdata",  # the rules of time zones, by which times of a file become UTC
)
_SOURCES = ("catalog", "etl", "features", "flows", "plugins", "serving", "training", "warehouse")
_FINGERPRINT_LENGTH = 16
_SOURCE_FILES = (".py", ".sql")  # a catalog travels with the jobs
DEATHS_BORNE = 2
"""Workers that may die while they have a job: with the third it is given up."""

_PATIENCE = 20.0  # seconds for which what seems dead may still be at a job
_READY: set[str] = set()
_TOKENS = "tokens"
_FORGOTTEN = 86_400 * 10**9  # nanoseconds after which a token is one that a kill left

_Job = TypeVar("_Job", bound=Job)
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Expected:
    """What a worker must have: a lake with this token in it, and these versions by name."""

    token: str
    lake: str
    versions: Mapping[str, str]


@contextmanager
def token_in(lake: Lake) -> Iterator[str]:
    """Leave a token in a lake while the block runs; yield its name."""
    notes, name = lake.notes, uuid4().hex
    for left in notes.names(_TOKENS):
        if time.time_ns() - notes.changed_at(left) > _FORGOTTEN:
            notes.remove(left)
    notes.write(f"{_TOKENS}/{name}", f"{name}\n")
    try:
        yield name
    finally:
        notes.remove(f"{_TOKENS}/{name}")


def sees(settings: Settings, token: str) -> bool:
    """Return whether the lake of some settings holds a token."""
    try:
        return (open_store(settings).notes.read(f"{_TOKENS}/{token}") or "").strip() == token
    except (ShelfpriceError, OSError):
        return False


def versions_here() -> dict[str, str]:
    """Return what decides the bytes that a process makes, by name."""
    python = ".".join(platform.python_version_tuple()[:2])
    variables = {
        "shelfprice": CODE_VERSION,
        "the source of shelfprice": fingerprint_of_sources(Path(__file__).parents[3]),
        "Python": python,
        "the processor": platform.machine(),
    }
    return variables | {name: _version_of(name) for name in _DECIDE_BYTES}


@cache
def fingerprint_of_sources(installed: Path) -> str:
    """Return the start of the SHA-256 of the code and queries that jobs run, wherever they are installed."""
    sources = hashlib.sha256()
    for package in _SOURCES:
        for path in sorted((installed / package).rglob("*")):
            if path.suffix in _SOURCE_FILES:
                sources.update(f"{path.relative_to(installed)}\n".encode())
                sources.update(hashlib.sha256(path.read_bytes()).digest())
    return sources.hexdigest()[:_FINGERPRINT_LENGTH]


def fault_here(expected: Expected) -> str | None:
    """Say why this process cannot do work that expects this; None when it can."""
    if fault := _fault_of_versions(expected):
        return fault
    try:
        settings = read_settings()
    except ShelfpriceError as error:
        return first_line(error)
    if not sees(settings, expected.token):
        return (
            f"it does not see the lake {expected.lake}, its own is {settings.lake_address or settings.lake}: set "
            "SHELFPRICE_LAKE, or SHELFPRICE_HOME to a folder that all machines share, as it is set here"
        )
    return None


def made_ready(expected: Expected, dask_scheduler: Any) -> str | None:
    """Say why a scheduler cannot work for us; one that can gives up a job that takes down too many workers."""
    dask_scheduler.allowed_failures = DEATHS_BORNE
    return _fault_of_versions(expected)


def work(expected: Expected, function: Callable[[_Job], _Result], job: _Job) -> _Result:
    """Do a job on a worker that is ready; one that came later is asked now, once.

    Raises
    ------
    ServiceError
        When it is not ready.
    """
    if expected.token not in _READY:
        if fault := fault_here(expected):
            raise ServiceError(f"a worker of the cluster cannot be used: {fault}")
        keep_files_private()
        _READY.clear()
        _READY.add(expected.token)
    settled_job = settled(job, read_settings())
    return attempt(lambda: function(settled_job), _PATIENCE)


def _fault_of_versions(expected: Expected) -> str | None:
    here = versions_here()
    for name, theirs in expected.versions.items():
        if here.get(name) != theirs:
            return f"{name}: expected {theirs}, found {here.get(name)}: install the same on all machines"
    return None


def _version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"
