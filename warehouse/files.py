"""Files of the home: durable, and private to one user, with the credential of our Prefect servers among them.

Bytes are on the disk before a name points at them. Other users neither read nor change what is in the data folder.

Who holds the credential can run code, so it is made once and kept secret. It is `user:password`, as Prefect's own
setting `PREFECT_SERVER_API_AUTH_STRING` has it. Where that is not set, one is generated and kept in a file that its
owner alone can read. It is handed to our own server and to nobody else.
"""

import base64
import hashlib
import os
import secrets
import stat
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from catalog.settings import Settings
from warehouse.commits.locks import UP, is_held

Value = TypeVar("Value")
_USER = "shelfprice"
_BYTES = 32


def prefect_credential(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the header that Prefect's own client would send by the variables of an environment."""
    login, key = environment.get("PREFECT_API_AUTH_STRING"), environment.get("PREFECT_API_KEY")
    if login:
        return {"Authorization": "Basic " + base64.b64encode(login.encode()).decode()}
    return {"Authorization": f"Bearer {key}"} if key else {}


def prefect_login(settings: Settings) -> str:
    """Return the credential, which is generated when there is none yet."""
    if settings.prefect_login is not None:
        return settings.prefect_login.get_secret_value()
    file = login_file(settings)
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not file.exists():
        _create(file)
    file.chmod(0o600)
    return file.read_text(encoding="utf-8").strip()


def login_of_running_server(settings: Settings) -> str | None:
    """Return the credential while `shelfprice up` runs and its server is the one of the settings.

    Anybody else who listens at that address must not get it.
    """
    is_ours = settings.prefect_api == f"{settings.prefect.url}/api" and is_held(settings.locks, UP)
    return prefect_login(settings) if is_ours else None


def login_file(settings: Settings) -> Path:
    """Return the file that holds a generated credential."""
    return settings.prefect_home / "login"


def _create(file: Path) -> None:
    """Write a new credential, whole and readable by nobody else at any moment; the first of two writers wins."""
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        handle.write(f"{_USER}:{secrets.token_urlsafe(_BYTES)}\n")
    with suppress(FileExistsError):
        os.link(draft, file)
    draft.unlink()


_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OWN = (
    "api",
    "incoming",
    "lake",
    "locks",
    "mlflow",
    "prefect",
    "shelf",
    "scratch",
    "spill",
    "tokens",
    "warehouse.duckdb",
)
"""What a data folder holds; a folder with other things alone is left as it is, whatever a variable says."""


def keep_files_private() -> None:
    """Let this process, and those that it starts, create files for its own user alone: call it at the edge."""
    os.umask(_OTHERS)


def keep_private(home: Path) -> None:
    """Make the data folder for its own user alone, or tighten one that is there, with all that it holds.

    A folder of another user, or one that others share, such as `/tmp`, is left as it is.
    """
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    mode = home.stat().st_mode
    owned = [home / name for name in _OWN if (home / name).exists()]
    if not mode & _OTHERS or mode & stat.S_ISVTX or (not owned and any(home.iterdir())):
        return
    for path in owned:
        for file in (path, *(path.rglob("*") if path.is_dir() else ())):
            _tighten(file)
    _tighten(home)  # last: an interrupted tightening is done again


def _tighten(path: Path) -> None:
    with suppress(PermissionError, FileNotFoundError):  # another user's, or removed meanwhile
        mode = path.lstat().st_mode
        if not stat.S_ISLNK(mode) and mode & _OTHERS:
            path.chmod(stat.S_IMODE(mode) & ~_OTHERS)


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


def read_once(read: Callable[[Path], Value]) -> Callable[[Path], Value]:
    """Return a reader that reads a file once in a process while it stands as it did; one that just changed is read."""
    kept = lru_cache(maxsize=1 << 16)(lambda path, _stands: read(path))

    def reader(path: Path) -> Value:
        stands = path.stat()
        if time.time_ns() - stands.st_ctime_ns < _SETTLED:
            return read(path)
        return kept(path, (stands.st_ino, stands.st_mtime_ns, stands.st_ctime_ns, stands.st_size))

    return reader


sha256_while_unchanged = read_once(sha256_of)


def sha256_of_text(text: str) -> str:
    """Return the SHA-256 of a text in UTF-8, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def modified_at(path: Path | str) -> int:
    """Return when a file or folder changed last, nanoseconds since 1970; 0 when it is not there."""
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116 - a name is asked for a tenth of what a Path costs
    except FileNotFoundError:
        return 0
