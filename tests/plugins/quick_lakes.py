"""What each of a thousand lakes would wait for: its first files are copied, and no test waits for the disk.

A lake in which nothing is gets the files of one that was prepared before any test ran in this process, and is prepared
then: that finds them, as in any lake that is opened again. What a power cut would leave, no test in this process can
see; processes that tests start wait as always, and `tests/faults` counts on it.
"""

import os
from collections.abc import Mapping
from functools import wraps
from pathlib import Path
from tempfile import TemporaryDirectory

from catalog.contracts import TABLES
from catalog.settings import read_settings
from warehouse.lake import Lake
from warehouse.local.store import LocalStore

really_prepare = Lake.prepare


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


def pytest_collection_finish() -> None:
    """Begin once the tests are known: from now on each lake may be that of a test."""
    os.fsync = lambda _descriptor: None  # type: ignore[assignment]
    contracts, files = tuple(TABLES.items()), first_files()

    @wraps(really_prepare)
    def prepare(lake: Lake) -> None:
        if type(lake.store) is LocalStore and not lake.root.exists() and tuple(TABLES.items()) == contracts:
            copy_to(lake.root, files)
        really_prepare(lake)

    Lake.prepare = prepare  # type: ignore[method-assign]
