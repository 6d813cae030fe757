"""What each of a thousand lakes would wait for: its first files are copied, and no test waits for the disk.

A lake in which nothing is gets the files of one that was prepared before any test ran in this process. What a power
cut would leave, no test in this process can see; processes that tests start wait as always, and `tests/faults` counts
on it.

The file of views names no place outside its home, so it is made once a run from the same definitions, and copied. So
is MLflow's first database, which its migrations take seconds to make.
A catalog's text is parsed once a process, for most tests begin with the same two files. So do the lists of cases that
files of tests make while they are collected.
"""

import os
import shutil
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import lru_cache, wraps
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import one_server
import yaml

from catalog.settings import read_settings
from catalog.tables.contracts import TABLES
from training.mlflow import database
from warehouse.databases import sqlite_file
from warehouse.lake import Lake
from warehouse.query import connection
from warehouse.stores.folder import LocalStore

really_prepare = Lake.prepare
really_write = connection._write_file
really_make = database._make
really_parse = lru_cache(256)(yaml.load)


def first_files() -> Mapping[str, bytes]:
    """Return the files of a lake that was prepared in an empty folder, by their paths in it."""
    with TemporaryDirectory(prefix="shelfprice-first-files-") as home:
        lake = Lake(read_settings({"SHELFPRICE_HOME": home}))
        really_prepare(lake)
        files = (file for file in lake.root.rglob("*") if file.is_file())
        return {str(file.relative_to(lake.root)): file.read_bytes() for file in files}


def copy_to(root: Path, files: Mapping[str, bytes]) -> None:
    """Write files, each into its folder, without waiting for the disk."""
    for name, content in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def pytest_configure() -> None:
    """Begin with catalogs, which tests are collected by."""
    yaml.load = parse_once  # type: ignore[assignment]


def pytest_collection_finish() -> None:
    """Begin once the tests are known: from now on each lake may be that of a test."""
    os.fsync = lambda _descriptor: None  # type: ignore[assignment]
    contracts, files = tuple(TABLES.items()), first_files()

    @wraps(really_prepare)
    def prepare(lake: Lake) -> None:
        if type(lake.store) is LocalStore and not lake.root.exists() and tuple(TABLES.items()) == contracts:
            copy_to(lake.root, files)
        else:
            really_prepare(lake)

    Lake.prepare = prepare  # type: ignore[method-assign]
    connection._write_file = write_once
    database._make = make_once


@wraps(really_write)
def write_once(draft: Path, lake: Lake, folders: Any, columns: Any, fingerprint: str) -> None:
    """Copy the file of views that was made in this run from the same definitions and products, or make it."""
    if type(lake.store) is not LocalStore:
        really_write(draft, lake, folders, columns, fingerprint)
        return
    copy_or_make(f"views-{fingerprint}", draft, lambda: really_write(draft, lake, folders, columns, fingerprint))


@wraps(really_make)
def make_once(store: str, artifacts: str | None) -> None:
    """Copy MLflow's first database that was made in this run for such a place of its files, or make it."""
    draft = sqlite_file(store)
    assert draft is not None
    place = sha256(f"{Path.cwd()} {artifacts}".encode()).hexdigest()  # a place is told from the working directory
    copy_or_make(f"mlflow-{place}", draft, lambda: really_make(store, artifacts))


def copy_or_make(name: str, draft: Path, make: Callable[[], None]) -> None:
    """Copy a file that this run keeps by its name to a draft, or make the draft and keep it."""
    kept = Path(os.environ[one_server.FOLDER], name)
    if kept.exists():
        shutil.copyfile(kept, draft)
        return
    make()
    shutil.copyfile(draft, kept.with_suffix(f".{os.getpid()}"))
    kept.with_suffix(f".{os.getpid()}").replace(kept)


@wraps(yaml.load)
def parse_once(text: Any, Loader: Any) -> Any:
    """Return what a text says, which was parsed before or is now."""
    return deepcopy(really_parse(text, Loader)) if isinstance(text, str) else really_parse.__wrapped__(text, Loader)
