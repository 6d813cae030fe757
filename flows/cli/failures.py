"""What people are told when a command fails: one line, whatever went wrong and however deep.

Libraries wrap what the system said: a full disk reaches us as an error of MLflow around one of SQLAlchemy around one of
SQLite. So the whole chain of causes is searched for what a person can act on. What nobody foresaw is named by its type,
and its traceback is kept in a file.

What the lake and the catalog alone show to be in vain is refused before Prefect and MLflow are imported.
"""

import errno
import os
import re
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from catalog.addresses import without_login
from catalog.errors import Declined, ModelError, ServiceError, SettingError, ShelfpriceError
from catalog.load import load
from catalog.settings import read_settings
from flows.environment import refuse_absent_database
from warehouse.databases import damage_of, sqlite_file
from warehouse.origin import Side, refuse_other_side, refuse_to_play
from warehouse.stores.folder import open_store


def refuse_without_cells() -> None:
    """Refuse to learn from a lake, or to price by it, that holds no demand cells.

    Raises
    ------
    DataError
        When there are none.
    """
    from etl.calendar import newest_grouped
    from warehouse.lake import Lake

    newest_grouped(Lake(read_settings()))


def admit(side: Side, catalog: Path | None = None) -> None:
    """Let a command of a side publish decisions.

    Parameters
    ----------
    catalog
        Folder of the catalog that was named; the twin plays none whose stores sell by themselves.

    Raises
    ------
    Declined
        When the lake holds the decisions of the other side, or the stores are not the twin's; the message says what to
        do.
    """
    settings = read_settings()
    refuse_other_side(open_store(settings), side)
    named = catalog or (Path(settings.catalog_dir) if settings.catalog_dir else None)
    if side == "twin" and (named is None or named.is_dir()):  # what is no folder is told apart from this
        refuse_to_play(load(named).store)


_KEPT = 20
"""Files of details; older ones are removed."""
_LONGEST = 500
"""Characters of what a library said."""
_SYSTEM = {
    errno.ENOSPC: "free space there",
    errno.EDQUOT: "free space there, or ask for a larger quota",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f), or move SHELFPRICE_HOME",
    errno.EROFS: "make it writable, or set SHELFPRICE_HOME to a folder that is",
    errno.EACCES: "grant the right to it, or set SHELFPRICE_HOME to a folder of your own",
    errno.EPERM: "grant the right to it, or set SHELFPRICE_HOME to a folder of your own",
    errno.ENOTDIR: "set SHELFPRICE_HOME to a folder",
    errno.EEXIST: "set SHELFPRICE_HOME to a folder",
    errno.ENAMETOOLONG: "set SHELFPRICE_HOME to a shorter path",
    errno.EMFILE: "raise the limit on open files (ulimit -n)",
    errno.EIO: "check the disk",
}
"""What to do about what the system said."""
_SAID_BY_LIBRARIES = (
    (re.compile(r"database or disk is full|no space left on device", re.IGNORECASE), errno.ENOSPC),
    (re.compile(r"disk quota exceeded", re.IGNORECASE), errno.EDQUOT),
    (re.compile(r"file too large", re.IGNORECASE), errno.EFBIG),
    (re.compile(r"attempt to write a readonly database|read-only file system", re.IGNORECASE), errno.EROFS),
    (re.compile(r"too many open files", re.IGNORECASE), errno.EMFILE),
    (re.compile(r"disk i/o error", re.IGNORECASE), errno.EIO),
)
_DATABASES = (
    (re.compile(r"file is not a database|database disk image is malformed", re.IGNORECASE), "is damaged"),
    (re.compile(r"database is locked", re.IGNORECASE), "is locked by another process"),
    (re.compile(r"unable to open database file", re.IGNORECASE), "cannot be opened"),
)
_SERVICES = ("httpx", "httpcore", "prefect", "requests", "urllib3", "websockets")
"""Libraries whose errors mean that a service did not answer as it should."""


def failure_line(error: BaseException) -> str:
    """Return the one line that says why a command failed, and keep details of what was not foreseen."""
    chain = list(_chain_of(error))
    if isinstance(error, Declined):
        return _one_line(f"declined: {error}")
    away = _database_away(chain)
    if away:
        return _one_line(f"error: {away}")
    if isinstance(error, ShelfpriceError):
        return _one_line(f"error: {error}")
    return _one_line(f"error: {_of_the_system(chain) or _of_a_database(chain) or _unforeseen(error, chain)}")


def _chain_of(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, what caused it, and what had gone wrong when it was raised, each once."""
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        meanwhile = None if one.__suppress_context__ else one.__context__
        waiting += [cause for cause in (one.__cause__, meanwhile, *getattr(one, "exceptions", ())) if cause]


def _of_the_system(chain: list[BaseException]) -> str | None:
    """Say what the system refused, if that is at the bottom of it."""
    for error in chain:
        number = error.errno if isinstance(error, OSError) else None
        if number in _SYSTEM:
            return _refused(number, getattr(error, "filename", None))
        for pattern, meant in _SAID_BY_LIBRARIES:
            if pattern.search(str(error)):
                return _refused(meant, None)
    plain = chain[0]
    if isinstance(plain, OSError) and plain.filename:
        return (
            f"{plain.filename}: {plain.strerror or plain}; what was published before stands: see that it is there and "
            "can be used, and run the same command again"
        )
    return None


def _refused(number: int, file: object) -> str:
    where = file if isinstance(file, str | Path) else _home()
    return (
        f"{where}: {os.strerror(number).lower()}; what was published before stands: {_SYSTEM[number]}, and run the "
        "same command again"
    )


def _database_away(chain: list[BaseException]) -> str | None:
    """Say that PostgreSQL is away where a service failed that needs it: the service itself knows less."""
    if not (isinstance(chain[0], ModelError) or _is_of_a_service(chain)):
        return None
    try:
        refuse_absent_database(read_settings())
    except ServiceError as error:
        return str(error)
    except SettingError:
        return None
    return None


def _of_a_database(chain: list[BaseException]) -> str | None:
    """Say what is wrong with a database file of MLflow or Prefect, if that is at the bottom of it."""
    for file in _database_files():
        if (damage := damage_of(file)) is not None:
            return (
                f"{file}: expected a database, found a damaged one ({damage}); what was published before stands: put "
                "the file back from a backup or move it away, and run the same command again"
            )
    for error in chain:
        for pattern, found in _DATABASES:
            if pattern.search(str(error)):
                return (
                    f"a database of MLflow or Prefect under {_home()} {found} ({_first_line(error)}); what was "
                    "published before stands: mend the file or move it away, and run the same command again"
                )
    return None


def _database_files() -> list[Path]:
    try:
        settings = read_settings()
    except ShelfpriceError:
        return []
    files = (sqlite_file(settings.tracking_uri), settings.prefect_home / "prefect.db")
    return [file for file in files if file is not None and file.exists()]


def _unforeseen(error: BaseException, chain: list[BaseException]) -> str:
    """Name what nobody foresaw, and where its traceback is."""
    kept = _keep_details(error)
    details = f"; details are in {kept}" if kept else ""
    name = f"{type(error).__name__}: {_first_line(error)}"
    if _is_of_a_service(chain):
        return (
            f"{_service_in(chain)} stopped answering ({name}); what was published before stands and old prices hold: "
            f"see that it runs, and run the same command again{details}"
        )
    return f"unexpected {name}; what was published before stands: run the same command again{details}"


def _is_of_a_service(chain: list[BaseException]) -> bool:
    return any(type(one).__module__.partition(".")[0] in _SERVICES for one in chain)


def _service_in(chain: list[BaseException]) -> str:
    """Name the service by the address that was asked, where an error knows it."""
    for error in chain:
        with suppress(AttributeError, RuntimeError):  # it may know none
            url = error.request.url  # type: ignore[attr-defined]
            return f"the service at {url.scheme}://{url.host}:{url.port}"
    return "a service"


def _keep_details(error: BaseException) -> Path | None:
    """Write the traceback to a file that only its owner reads; None where no folder can be written."""
    text = without_login("".join(traceback.format_exception(error)))
    for folder in _folders():
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            number, name = tempfile.mkstemp(prefix="failure-", suffix=".txt", dir=folder, text=True)
            with os.fdopen(number, "w", encoding="utf-8", errors="replace") as file:
                file.write(text)
            if folder.name == "failures":
                _forget_old(folder)
            return Path(name)
    return None


def _folders() -> Iterator[Path]:
    home = _home()
    if isinstance(home, Path):
        yield home / "failures"
    yield Path(tempfile.gettempdir())


def _forget_old(folder: Path) -> None:
    kept = sorted(folder.glob("failure-*.txt"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in kept[_KEPT:]:
        file.unlink(missing_ok=True)


def _home() -> Path | str:
    try:
        return read_settings().home
    except ShelfpriceError:
        return "SHELFPRICE_HOME"


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:_LONGEST] if lines else "it says nothing"


def _one_line(text: str) -> str:
    return without_login(" ".join(text.split()))
