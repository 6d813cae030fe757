"""MLflow's tables, made by one process at a time, and whole or not at all.

MLflow makes them itself wherever it finds none, by steps that are no transaction: a kill in between leaves a database
that it can neither use nor finish, and two machines at once do, too.
"""

import mlflow.db
from mlflow.store.tracking import DEFAULT_LOCAL_FILE_AND_ARTIFACT_PATH
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

from warehouse.services import make_whole, sqlite_file


def make_first(store: str, artifacts: str = DEFAULT_LOCAL_FILE_AND_ARTIFACT_PATH) -> None:
    """Make MLflow's database where the address is that of a SQLite file in which there is nothing yet.

    Parameters
    ----------
    artifacts
        Where the experiment keeps its files that MLflow makes with its tables.
    """
    file = sqlite_file(store)
    if file is not None:
        make_whole(file, lambda draft: _make(f"sqlite:///{draft}", artifacts))


def upgrade(store: str) -> None:
    """Make or upgrade the tables at an address as `mlflow db upgrade` does, which would show it in the process list."""
    command = mlflow.db.upgrade.callback
    assert command is not None  # noqa: S101 - it is a command
    command(store)


def _make(store: str, artifacts: str) -> None:
    made = SqlAlchemyStore(store, artifacts)  # type: ignore[no-untyped-call] # the library's
    made.engine.dispose()
