"""MLflow's database: it names the files where they are now, and its tables are made whole or not at all.

MLflow writes down where each file is in full. After `mv data elsewhere` those places are gone, and after a copy they
are the original's, into which the next training would write. What must hold: a database in its home belongs to that
home alone. One that the settings name elsewhere is left as it is. MLflow itself is not imported, for this is looked at
whenever a command begins.

MLflow makes its tables itself wherever it finds none, by steps that are no transaction: a kill in between leaves a
database that it can neither use nor finish, and two machines at once do, too.
"""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

from catalog.errors import ModelError, first_line
from catalog.settings import Settings
from warehouse.databases import make_whole, sqlite_file
from warehouse.query.connection import queries_beside


def make_first(store: str, artifacts: str | None = None) -> None:
    """Make MLflow's database where the address is that of a SQLite file in which there is nothing yet.

    Parameters
    ----------
    artifacts
        Where the experiment keeps its files that MLflow makes with its tables; MLflow's own place where it is None.
    """
    file = sqlite_file(store)
    if file is not None:
        make_whole(file, lambda draft: _make(f"sqlite:///{draft}", artifacts))


def upgrade(store: str) -> None:
    """Make or upgrade the tables at an address as `mlflow db upgrade` does, which would show it in the process list."""
    from mlflow import db

    command = db.upgrade.callback
    assert command is not None  # noqa: S101 - it is a command
    command(store)


def _make(store: str, artifacts: str | None) -> None:
    from mlflow.store.tracking import DEFAULT_LOCAL_FILE_AND_ARTIFACT_PATH
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    made = SqlAlchemyStore(store, artifacts or DEFAULT_LOCAL_FILE_AND_ARTIFACT_PATH)  # type: ignore[no-untyped-call] # the library's
    made.engine.dispose()


_query = queries_beside(__file__)
_PATIENCE = 10.0  # seconds for another process that writes
_ENDING = "/mlflow/artifacts"
"""How the place of all artifacts ends in any home."""


def follow_home(settings: Settings) -> bool:
    """Let MLflow's database name the artifacts of its own home; return whether it named another's.

    All places change in one transaction, so that two commands at once do it once, and a kill leaves it undone.

    Raises
    ------
    ModelError
        When it names another home's files and cannot be changed.
    """
    file = settings.home / "mlflow" / "mlflow.db"
    if settings.tracking_uri != f"sqlite:///{file}" or not file.exists():
        return False
    home = settings.artifacts.as_uri()
    if not _others(file, home):
        return False
    try:
        with closing(sqlite3.connect(file, timeout=_PATIENCE, isolation_level=None)) as database:
            database.execute("begin immediate")
            for other in _homes_in(database, home):
                for statement in _query("move_artifacts").split(";\n"):
                    database.execute(statement, {"home": home, "other": other})
            database.execute("commit")
    except (sqlite3.Error, ValueError) as error:
        raise ModelError(
            f"{file}: expected the models' places to be in {settings.home}, found those of another home, and they "
            f"cannot be changed ({first_line(error)}); nothing was done: make the file writable, and run it again"
        ) from error
    return True


def _others(file: Path, home: str) -> list[str]:
    """Return the other homes that a database names; what is wrong with the file is told by whoever needs it."""
    with (
        suppress(sqlite3.Error, ValueError),
        closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", timeout=_PATIENCE, uri=True)) as database,
    ):
        return _homes_in(database, home)
    return []


def _homes_in(database: sqlite3.Connection, home: str) -> list[str]:
    rows = database.execute("select distinct artifact_location from experiments").fetchall()
    places = {str(place) for (place,) in rows if place is not None}
    return sorted(
        place for place in places if place.startswith("file:///") and place.endswith(_ENDING) and place != home
    )
