"""Back up the bucket and the databases as of one moment: `python -m plugins.operations.deploy.backup STEP FOLDER`.

Three steps, while everything goes on working, and one to come back:

1. `moment` copies what says what is in force: logs, pointers and notes. It looks until two looks in a row find the
   same, so that all of it is of one moment, as a kill at that moment would have left it. Of a restored lake, the
   first command finishes a commit that was under way.
2. `pg_dump`, by PostgreSQL's own program, so that the registry knows every model that the lake of the moment names.
3. `objects` copies what is named by then: objects of partitions, which never change, and the files of models. What the
   newest backup beside this one has of the lake is a hard link to it. `doctor --vacuum` takes nothing of the moment
   away for a day at the least.
4. `restore` writes all of it into an empty bucket, what is named before what names it.
"""

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from catalog.errors import DataError, ServiceError, SettingError, ShelfpriceError, first_line
from catalog.settings import LockPlace, Settings, read_settings
from catalog.tables.contracts import TABLES
from plugins.connect.intake.take_sales import LOCK as INTAKE
from plugins.connect.labels.export_log import LOCK as EXPORT
from plugins.operations.deploy.make_bucket import KEPT, client_of
from warehouse.commits.locks import waited_for
from warehouse.files import sync_file

_DONE = "backup.json"  # written last: what has none is no backup
_NAMED = {*TABLES, "mlflow"}  # where `up` keeps models beside the tables
_PATIENCE = 30.0  # seconds for which what stores send may have to wait
_AT_ONCE = 16
_ANSWERS_WITHIN, _ATTEMPTS = 60.0, 5


@dataclass(frozen=True)
class Bucket:
    """A bucket, with the lake under one prefix of it."""

    client: Any
    name: str
    lake: str

    def objects(self, prefix: str = "") -> Iterator[dict[str, Any]]:
        """Yield every object below a prefix, with `Key`, `ETag` and `Size`."""
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix):
            yield from page.get("Contents", ())

    def is_named(self, key: str) -> bool:
        """Return whether an object never changes and others name it; one that is not says what is in force."""
        table, _, below = key.removeprefix(self.lake).partition("/")
        return not key.startswith(self.lake) or (table in _NAMED and not below.startswith("_delta_log/"))

    def says_now(self) -> dict[str, str]:
        """Return the version of each object that says what is in force."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=self.lake, Delimiter="/")
        entries, folders = list[dict[str, Any]](), list[str]()
        for page in pages:
            entries += page.get("Contents", ())
            folders += [prefix["Prefix"] for prefix in page.get("CommonPrefixes", ())]
        logs = (f"{folder}_delta_log/" if self.is_named(f"{folder}any") else folder for folder in folders)
        with ThreadPoolExecutor(_AT_ONCE) as lookers:
            entries += [
                entry for some in lookers.map(lambda folder: list(self.objects(folder)), logs) for entry in some
            ]
        return {entry["Key"]: entry["ETag"] for entry in entries}

    def fetch(self, folder: Path, key: str) -> None:
        """Copy an object into a folder, durably; one that is gone by now is left out."""
        file = folder / key
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            self.client.download_file(self.name, key, str(file))
            sync_file(file)
        except self.client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] not in {"404", "NoSuchKey"}:
                raise


def bucket_of(settings: Settings) -> Bucket:
    """Return the bucket of the lake that the settings name."""
    parts = urlsplit(settings.lake_address or "")
    if parts.scheme != "s3":
        raise SettingError(
            f"SHELFPRICE_LAKE: expected s3://bucket/prefix, found {settings.lake_address}; nothing was copied: a lake "
            "in a folder is backed up with its home, see docs/operations.md"
        )
    return Bucket(client_of(settings, _ANSWERS_WITHIN, _ATTEMPTS), parts.netloc, parts.path.strip("/") + "/")


def copy_moment(bucket: Bucket, folder: Path, locks: LockPlace) -> None:
    """Copy what says what is in force, as it was at one moment, into a new folder.

    What stores and labels send can come all the time, so it waits for the second copy, which takes seconds.
    """
    if folder.exists() and any(folder.iterdir()):
        raise DataError(f"{folder}: expected an empty folder, found files; nothing was copied: name another")
    etags = _follow(bucket, folder / "bucket", {})
    with waited_for(locks, INTAKE), waited_for(locks, EXPORT):
        until = time.monotonic() + _PATIENCE
        while (now := _follow(bucket, folder / "bucket", etags)) != etags:
            if time.monotonic() > until:
                raise ServiceError(
                    f"{bucket.name}: expected that nobody writes while it is looked at, found changes for "
                    f"{_PATIENCE:.0f} s; there is no backup: run again at a quieter time"
                )
            etags = now


def _follow(bucket: Bucket, folder: Path, etags: dict[str, str]) -> dict[str, str]:
    """Bring a copy to what the bucket says now; return the versions that were seen."""
    now = bucket.says_now()
    for gone in etags.keys() - now.keys():
        (folder / gone).unlink(missing_ok=True)
    _each(partial(bucket.fetch, folder), (key for key in now if now[key] != etags.get(key)))
    return now


def copy_objects(bucket: Bucket, folder: Path, keep: int) -> None:
    """Copy what is named, and remove all backups beside this one but the newest."""
    done = sorted(file.parent for file in folder.parent.glob(f"*/{_DONE}") if file.parent != folder)

    def copy(entry: dict[str, Any]) -> None:
        key, earlier = entry["Key"], done[-1] / "bucket" / entry["Key"] if done else None
        is_known = earlier and key.startswith(bucket.lake) and earlier.is_file()
        if earlier and is_known and earlier.stat().st_size == entry["Size"]:
            (folder / "bucket" / key).parent.mkdir(parents=True, exist_ok=True)
            os.link(earlier, folder / "bucket" / key)
        else:
            bucket.fetch(folder / "bucket", key)

    _each(copy, (entry for entry in bucket.objects() if bucket.is_named(entry["Key"])))
    draft = folder / f"{_DONE}.draft"
    draft.write_text(json.dumps({"lake": bucket.lake, **_size_of(folder)}) + "\n", encoding="utf-8")
    sync_file(draft)
    draft.rename(folder / _DONE)
    for old in done[: len(done) + 1 - keep]:
        shutil.rmtree(old)


def restore(bucket: Bucket, folder: Path) -> None:
    """Write a backup into an empty bucket; until the end there is no lake in it."""
    state = json.loads((folder / _DONE).read_text(encoding="utf-8")) if (folder / _DONE).exists() else {}
    if state != {"lake": bucket.lake, **_size_of(folder)}:
        raise DataError(
            f"{folder}: expected a whole backup of the prefix {bucket.lake}, found {state or 'an unfinished one'} and "
            f"{_size_of(folder)}; nothing was written: take another one"
        )
    if any(entry["Key"] != KEPT for entry in bucket.objects()):
        raise DataError(f"{bucket.name}: expected an empty bucket, found objects; nothing was written: empty it first")

    def write(key: str) -> None:
        bucket.client.upload_file(str(folder / "bucket" / key), bucket.name, key)

    keys = [str(file.relative_to(folder / "bucket")) for file in _files(folder)]
    for is_named in (True, False):
        _each(write, (key for key in keys if bucket.is_named(key) is is_named))


def _each(do: Any, items: Iterable[Any]) -> None:
    with ThreadPoolExecutor(_AT_ONCE) as workers:
        for _ in workers.map(do, items):
            pass  # the first error is raised here


def _files(folder: Path) -> list[Path]:
    return [file for file in (folder / "bucket").rglob("*") if file.is_file()]


def _size_of(folder: Path) -> dict[str, int]:
    files = _files(folder)
    return {"objects": len(files), "bytes": sum(file.stat().st_size for file in files)}


def main() -> None:
    """Take one step; exit 1 with one line when it cannot be taken."""
    parser = argparse.ArgumentParser(prog="python -m plugins.operations.deploy.backup", description=__doc__)
    parser.add_argument("step", choices=("moment", "objects", "restore"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--keep", type=int, default=7, help="how many backups stay beside each other")
    given = parser.parse_args()
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        settings, folder = read_settings(), given.folder.resolve()
        bucket = bucket_of(settings)
        if given.step == "moment":
            copy_moment(bucket, folder, settings.locks)
        elif given.step == "objects":
            copy_objects(bucket, folder, given.keep)
        else:
            restore(bucket, folder)
    except ShelfpriceError as error:
        sys.exit(str(error))
    except (Boto3Error, BotoCoreError, ClientError, OSError) as error:
        sys.exit(f"{given.folder}: the step {given.step} did not end: {first_line(error)}; run it again")
    sys.stdout.write(f"{given.step}: {_size_of(folder)['objects']:,} objects in {folder}\n")


if __name__ == "__main__":
    main()
