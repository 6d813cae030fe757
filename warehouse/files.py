"""Durable files: bytes are on the disk before a name points at them."""

import hashlib
import os
import time
from functools import lru_cache
from pathlib import Path

_BLOCK = 1 << 20
_SETTLED = 2_000_000_000  # ns; a file that changed later than that ago may change again within one tick of its clock


def sync_file(path: Path) -> None:
    """Wait until a file's bytes are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Wait until a folder's names are on the disk."""
    sync_file(folder)


def write_durably(path: Path, text: str) -> None:
    """Write a small text file whole or not at all, and wait until it is on the disk."""
    draft = path.with_name(f"{path.name}.draft")
    try:
        draft.write_text(text, encoding="utf-8")
        sync_file(draft)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while block := handle.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def sha256_while_unchanged(path: Path) -> str:
    """Return the SHA-256 of a file's bytes; while the file stands as it did, it is read once in a process."""
    stands = path.stat()
    if time.time_ns() - stands.st_ctime_ns < _SETTLED:
        return sha256_of(path)
    return _sha256_as_it_stands(path, (stands.st_ino, stands.st_mtime_ns, stands.st_ctime_ns, stands.st_size))


@lru_cache(maxsize=8192)
def _sha256_as_it_stands(path: Path, _stands: tuple[int, int, int, int]) -> str:
    return sha256_of(path)


def sha256_of_text(text: str) -> str:
    """Return the SHA-256 of a text in UTF-8, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def modified_at(path: Path) -> int:
    """Return when a file or folder changed last, nanoseconds since 1970; 0 when it is not there."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0
