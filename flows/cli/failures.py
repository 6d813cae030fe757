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
from itertools import islice
from pathlib import Path

from catalog.addresses import without_login
from catalog.errors import Declined, ModelError, ServiceError, SettingError, ShelfpriceError, first_line
from catalog.load import load
from catalog.settings import Settings, read_settings
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
_DEEPEST = 100
"""Causes that are looked at; an error may be among its own."""
_REMEDIES = {
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
"""What to do about what the system refused."""
_REFUSED_BY_THE_SYSTEM = re.compile(
    "(?P<ENOSPC>database or disk is full|no space left on device)|(?P<EDQUOT>disk quota exceeded)"
    "|(?P<EFBIG>file too large)|(?P<EROFS>attempt to write a readonly database|read-only file system)"
    "|(?P<EMFILE>too many open files)|(?P<EIO>disk i/o error)",
    re.IGNORECASE,
)
"""What libraries make of it, by the name of its number."""
_DATABASES = {
    "file is not a database": "is damaged",
    "database disk image is malformed": "is damaged",
    "database is locked": "is locked by another process",
    "unable to open database file": "cannot be opened",
}
_SERVICES = ("httpx", "httpcore", "prefect", "requests", "urllib3", "websockets")
"""Libraries whose errors mean that a service did not answer as it should."""
_RUN_AGAIN = "and run the same command again"


def failure_line(error: Exception) -> str:
    """Return the one line that says why a command failed, and keep details of what was not foreseen."""
    chain = list(islice(_chain_of(error), _DEEPEST))
    if isinstance(error, Declined):
        line = f"declined: {error}"
    elif away := _database_away(chain):
        line = f"error: {away}"
    elif isinstance(error, ShelfpriceError):
        line = f"error: {error}"
    else:
        line = f"error: {_of_the_system(chain) or _of_a_database(chain) or _unforeseen(chain)}"
    return without_login(" ".join(line.split()))


def _chain_of(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, what caused it, and what had gone wrong when it was raised."""
    yield error
    meanwhile = None if error.__suppress_context__ else error.__context__
    for cause in (error.__cause__, meanwhile, *getattr(error, "exceptions", ())):
        if cause is not None:
            yield from _chain_of(cause)


def _of_the_system(chain: list[BaseException]) -> str | None:
    """Say what the system refused, if that is at the bottom of it."""
    for error in chain:
        number, file = getattr(error, "errno", None), getattr(error, "filename", None)
        if meant := number not in _REMEDIES and _REFUSED_BY_THE_SYSTEM.search(str(error)):
            number, file = getattr(errno, str(meant.lastgroup)), None
        if number in _REMEDIES:
            where = file if isinstance(file, str | Path) else _home()
            return (
                f"{where}: {os.strerror(number).lower()}; what was published before stands: {_REMEDIES[number]}, "
                f"{_RUN_AGAIN}"
            )
    if isinstance(chain[0], OSError) and chain[0].filename:
        return (
            f"{chain[0].filename}: {chain[0].strerror or chain[0]}; what was published before stands: see that it is "
            f"there and can be used, {_RUN_AGAIN}"
        )
    return None


def _database_away(chain: list[BaseException]) -> str | None:
    """Say that PostgreSQL is away where a service failed that needs it: the service itself knows less."""
    if isinstance(chain[0], ModelError) or _is_of_a_service(chain):
        try:
            refuse_absent_database(read_settings())
        except ServiceError as error:
            return str(error)
        except SettingError:
            pass
    return None


def _of_a_database(chain: list[BaseException]) -> str | None:
    """Say what is wrong with a database file of MLflow or Prefect, if that is at the bottom of it."""
    settings = _settings()
    files = () if settings is None else (sqlite_file(settings.tracking_uri), settings.prefect_home / "prefect.db")
    for file in files:
        if file is not None and file.exists() and (damage := damage_of(file)) is not None:
            return (
                f"{file}: expected a database, found a damaged one ({damage}); what was published before stands: put "
                f"the file back from a backup or move it away, {_RUN_AGAIN}"
            )
    for error in chain:
        for text, state in _DATABASES.items():
            if text in str(error).lower():
                return (
                    f"a database of MLflow or Prefect under {_home()} {state} ({first_line(error)}); what was "
                    f"published before stands: mend the file or move it away, {_RUN_AGAIN}"
                )
    return None


def _unforeseen(chain: list[BaseException]) -> str:
    """Name what nobody foresaw, and where its traceback is."""
    kept = _keep_details(chain[0])
    details = f"; details are in {kept}" if kept else ""
    name = f"{type(chain[0]).__name__}: {first_line(chain[0])}"
    if _is_of_a_service(chain):
        return (
            f"{_service_in(chain)} stopped answering ({name}); what was published before stands and old prices hold: "
            f"see that it runs, {_RUN_AGAIN}{details}"
        )
    return f"unexpected {name}; what was published before stands: run the same command again{details}"


def _is_of_a_service(chain: list[BaseException]) -> bool:
    return any(type(error).__module__.partition(".")[0] in _SERVICES for error in chain)


def _service_in(chain: list[BaseException]) -> str:
    """Name the service by the address that was asked, where an error knows it."""
    for error in chain:
        with suppress(AttributeError, RuntimeError):  # it may know none
            url = error.request.url  # type: ignore[attr-defined]
            return f"the service at {url.scheme}://{url.host}:{url.port}"
    return "a service"


def _keep_details(error: BaseException) -> Path | None:
    """Write the traceback to a file that only its owner reads; None where no folder can be written."""
    settings = _settings()
    for folder in ([settings.home / "failures"] if settings else []) + [Path(tempfile.gettempdir())]:
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            number, name = tempfile.mkstemp(prefix="failure-", suffix=".txt", dir=folder, text=True)
            with os.fdopen(number, "w", encoding="utf-8", errors="replace") as file:
                file.write(without_login("".join(traceback.format_exception(error))))
            if folder.name == "failures":
                for old in sorted(folder.glob("failure-*.txt"), key=lambda kept: kept.stat().st_mtime)[:-_KEPT]:
                    old.unlink(missing_ok=True)
            return Path(name)
    return None


def _home() -> Path | str:
    settings = _settings()
    return "SHELFPRICE_HOME" if settings is None else settings.home


def _settings() -> Settings | None:
    with suppress(ShelfpriceError):
        return read_settings()
    return None
