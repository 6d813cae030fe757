"""SQLite files of MLflow and Prefect: whole, writable, undamaged; and where people see the trainings.

MLflow and Prefect make their tables by many steps that are no transaction, and neither can go on with a database that
another has left half made. So a first database is made beside its place and moved there when it is whole.
"""

import fcntl
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

from catalog.addresses import without_login
from catalog.errors import ModelError, ServiceError, ShelfpriceError, first_line
from catalog.settings import Settings
from warehouse.commits.locks import UP, is_held
from warehouse.files import sync_file, sync_folder, write_durably

_WRITER_PATIENCE = 8.0  # seconds for another process that writes into a database
_DRAFT = "draft"


def make_whole(file: Path, make: Callable[[Path], None]) -> None:
    """Make a first SQLite database so that a kill or a full disk leaves none; one with anything in it stays as it is.

    Of several processes one makes it, while the others wait. What an earlier one left behind is removed.

    Parameters
    ----------
    make
        Makes the database at the path that it is given.

    Raises
    ------
    OSError, sqlite3.Error
        When the disk refuses; then there is no database. So with whatever `make` raises.
    """
    if holds_anything(file):
        _remove_drafts(file)
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.with_name(f"{file.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _remove_drafts(file)
        if holds_anything(file):
            return
        draft = file.with_name(f"{file.name}.{uuid4().hex}.{_DRAFT}")  # a library may know one of an earlier attempt
        try:
            make(draft)
            with closing(sqlite3.connect(draft, timeout=_WRITER_PATIENCE)) as database:
                database.execute("pragma wal_checkpoint(truncate)")
            sync_file(draft)
            draft.replace(file)
            sync_folder(file.parent)
        finally:
            _remove_drafts(file)


def sqlite_file(uri: str) -> Path | None:
    """Return the file of a SQLite database by its address; None for another database, and for one in memory.

    Examples
    --------
    >>> str(sqlite_file("sqlite:////home/ada/mlflow.db")), sqlite_file("http://127.0.0.1:5000")
    ('/home/ada/mlflow.db', None)
    """
    kind, _, place = uri.partition(":///")
    place = place.partition("?")[0]
    if kind.partition("+")[0] != "sqlite" or not place or ":memory:" in place:
        return None
    return Path(place)


def holds_anything(file: Path) -> bool:
    """Return whether a database was begun: SQLite takes a file without a byte for one that is new."""
    try:
        return file.stat().st_size > 0
    except FileNotFoundError:
        return False


def _remove_drafts(file: Path) -> None:
    """Remove what the making of a database has left: the drafts, and SQLite's own files beside them."""
    for path in file.parent.iterdir():
        if path.name.startswith(f"{file.name}.") and f".{_DRAFT}" in path.name:
            path.unlink(missing_ok=True)


def refuse_unusable(file: Path, remedy: str) -> None:
    """Refuse a SQLite file that is damaged, or that this process cannot write; one that is not there is no matter.

    Raises
    ------
    ServiceError
        When it cannot be used, with the remedy.
    """
    if not file.exists():
        return
    try:
        address = f"file:{quote(str(file))}?mode=rw"
        with closing(sqlite3.connect(address, timeout=_WRITER_PATIENCE, isolation_level=None, uri=True)) as database:
            database.execute("begin immediate")
            database.execute("select count(*) from sqlite_master").fetchone()
            database.execute("rollback")
    except (sqlite3.Error, ValueError) as error:
        raise ServiceError(
            f"{file}: expected a database that can be written, found: {error}; nothing was done and old prices hold: "
            f"{remedy}"
        ) from error


def damage_of(file: Path) -> str | None:
    """Return what SQLite finds wrong with a database file; None for one that is whole, in use or not there."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)) as database:
            (answer,) = database.execute("pragma quick_check(1)").fetchone()
    except sqlite3.OperationalError:
        return None
    except (sqlite3.DatabaseError, ValueError) as error:  # a text of its own may not be UTF-8 any more
        return str(error)
    return None if answer == "ok" else " ".join(answer.split())


@contextmanager
def asking_registry(uri: str) -> Iterator[None]:
    """Turn whatever keeps MLflow at an address from answering into a ModelError; of a damaged file it names the file.

    One flipped bit of a database makes MLflow and its libraries raise errors of any type.
    """
    try:
        yield
    except ShelfpriceError:
        raise
    except Exception as error:
        file, why = sqlite_file(uri), first_line(error)
        is_foreseen = isinstance(error, OSError) or type(error).__module__.startswith("mlflow.")
        damage = file and (damage_of(file) or (None if is_foreseen else why))
        if damage:
            raise ModelError(
                f"{file}: expected MLflow's database, found a damaged one ({damage}); old prices hold: put the file "
                "back from a backup, or move it away and run `shelfprice train`"
            ) from error
        raise ModelError(
            f"the model registry at {without_login(uri)} does not answer ({why}); old prices hold: start the registry "
            "or set MLFLOW_TRACKING_URI"
        ) from error


TRAININGS_VIEW = "shelfprice"
"""The shared view of MLflow in which the trainings open."""


def keep_trainings_page(settings: Settings, experiment: str) -> None:
    """Keep in the home which experiment of MLflow has the trainings, so that links to it ask MLflow nothing."""
    file = _trainings_file(settings)
    if not file.exists() or file.read_text(encoding="utf-8").strip() != experiment:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_durably(file, f"{experiment}\n")


def trainings_page(settings: Settings) -> str | None:
    """Return the address at which people see the trainings; None before the first, and while nothing serves MLflow.

    MLflow would open an experiment with the pages for language models otherwise.
    """
    is_server = settings.tracking_uri.startswith("http")
    if not (is_server or is_held(settings.locks, UP)) or not _trainings_file(settings).exists():
        return None
    served = settings.tracking_uri if is_server else settings.mlflow.url
    experiment = quote(_trainings_file(settings).read_text(encoding="utf-8").strip(), safe="")
    shown = f"viewStateShareKey={TRAININGS_VIEW}&workflowType=machine_learning"
    return f"{served.rstrip('/')}/#/experiments/{experiment}/runs?{shown}"


def _trainings_file(settings: Settings) -> Path:
    return settings.home / "mlflow" / "trainings"
