"""Write a mirror: a folder of plain Parquet files with their receipts, which is replaced whole.

`DIR/versions/<n>/<table>/business_date=YYYY-MM-DD/part-<group>.parquet` holds one moment of the lake, and the link
`DIR/current` leads to the newest version. A version is never changed once the link led to it; files that two versions
share are one file on the disk. The version before the newest one stays until the next mirror, so a reader who follows
the link once and reads what it found there neither errs nor sees a mixture, as long as it is done by then.
"""

import hashlib
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from catalog.errors import DamagedError, DataError, LakeError
from catalog.past_one_machine import LockPlace
from cluster.mirror.source import MirrorSource, Moment
from warehouse.files import sync_file, sync_folder
from warehouse.locks import held
from warehouse.partition import Partition, file_of
from warehouse.receipts import final_path, read_receipt

CURRENT, VERSIONS = "current", "versions"
_LOCK = "mirror"
_AT_ONCE = 8
_LOOKS = 20


@dataclass(frozen=True)
class Mirrored:
    """What a mirror did.

    Attributes
    ----------
    version
        Number of the version that the link leads to now.
    partitions
        In it.
    copied, bytes
        Partitions that the version before did not have, and their bytes.
    """

    version: int
    partitions: int
    copied: int
    bytes: int


def mirror(
    source: MirrorSource, folder: Path, on_partition: Callable[[int, int], None] = lambda _done, _total: None
) -> Mirrored:
    """Copy a lake as it is at one moment; what the version before has already is not copied again.

    Parameters
    ----------
    on_partition
        Called with (partitions done, partitions in all) for progress.

    Raises
    ------
    DataError
        When the folder holds something else than a mirror.
    Declined
        When another process writes this mirror.
    LakeError
        When the lake changes all the time, or bytes are not those of their receipt; the link leads where it did.
    """
    _refuse_other(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with held(LockPlace(folder), _LOCK):
        before = _current(folder)
        number = 1 + max(_numbers(folder, but_unfinished=before), default=0)
        place = folder / VERSIONS / str(number)
        for _ in range(_LOOKS):
            shutil.rmtree(place, ignore_errors=True)
            sizes = _filled(source, source.moment(), place, before, on_partition)
            if None not in sizes:
                break
        else:
            shutil.rmtree(place, ignore_errors=True)
            raise LakeError(
                f"{folder}: {_LOOKS} times, partitions were replaced or damaged while they were copied; the mirror is "
                "as it was: run `shelfprice verify`, or mirror again when nobody publishes"
            )
        _switch(folder, place)
        _remove_but(folder, {place, before})
    copied = [size for size in sizes if size]
    return Mirrored(number, len(sizes), len(copied), sum(copied))


def _filled(
    source: MirrorSource, moment: Moment, place: Path, before: Path | None, on_partition: Callable[[int, int], None]
) -> list[int | None]:
    """Fill a version, and return the bytes that were copied of each partition; None where they were gone."""
    place.mkdir(parents=True)
    sizes: list[int | None] = []
    with ThreadPoolExecutor(_AT_ONCE) as copiers:
        for size in copiers.map(partial(_placed, source, place, before), *zip(*sorted(moment.items()), strict=True)):
            sizes.append(size)
            on_partition(len(sizes), len(moment))
    for made in sorted({path.parent for path in place.rglob("*")} | {place}):
        sync_folder(made)
    return sizes


def _placed(
    source: MirrorSource, place: Path, before: Path | None, partition: Partition, fingerprint: str
) -> int | None:
    """Put one partition into a version: the file of the version before, or a copy that its receipt proves."""
    data = file_of(place, partition)
    for made in (data.parent, final_path(data).parent):
        made.mkdir(parents=True, exist_ok=True)
    old = before and file_of(before, partition)
    if old and fingerprint and _has(old, fingerprint):
        data.hardlink_to(old)
        final_path(data).hardlink_to(final_path(old))
        return 0
    found = source.fetch(partition, fingerprint)
    if found is None:
        return None
    content, receipt = found
    if hashlib.sha256(content).hexdigest() != receipt.sha256:
        raise DamagedError(
            f"{partition.lock_name}: its bytes are not those of its receipt; the mirror is as it was, run "
            "`shelfprice verify`"
        )
    data.write_bytes(content)
    final_path(data).write_text(receipt.to_json(), encoding="utf-8")
    sync_file(data)
    sync_file(final_path(data))
    return len(content)


def _has(data: Path, fingerprint: str) -> bool:
    """Tell whether the version before has a partition of this receipt."""
    try:
        receipt = read_receipt(final_path(data))
    except LakeError:
        return False
    return receipt is not None and receipt.fingerprint.startswith(fingerprint) and data.exists()


def _switch(folder: Path, place: Path) -> None:
    draft = folder / f"{CURRENT}.new"
    draft.unlink(missing_ok=True)
    draft.symlink_to(place.relative_to(folder))
    sync_folder(place.parent)
    draft.replace(folder / CURRENT)
    sync_folder(folder)


def _current(folder: Path) -> Path | None:
    link = folder / CURRENT
    return link.resolve() if link.is_symlink() and link.is_dir() else None


def _numbers(folder: Path, but_unfinished: Path | None) -> list[int]:
    """Return the numbers of the versions up to the current one; those behind it were never finished."""
    if but_unfinished is None:
        return []
    found = [int(one.name) for one in (folder / VERSIONS).iterdir() if one.name.isdecimal()]
    return [number for number in found if number <= int(but_unfinished.name)]


def _remove_but(folder: Path, kept: set[Path | None]) -> None:
    names = {path.name for path in kept if path}
    for one in (folder / VERSIONS).iterdir():
        if one.name not in names:
            shutil.rmtree(one, ignore_errors=True)


def _refuse_other(folder: Path) -> None:
    if folder.is_dir() and any(folder.iterdir()) and not (folder / VERSIONS).is_dir() and not _is_begun(folder):
        raise DataError(
            f"{folder}: expected an empty folder, or one of an earlier mirror, found other files; nothing was written: "
            "name another folder"
        )


def _is_begun(folder: Path) -> bool:
    return {one.name for one in folder.iterdir()} <= {f"{_LOCK}.lock"}
