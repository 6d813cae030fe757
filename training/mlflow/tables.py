"""MLflow's tables in a database that several machines share: made, or brought up to date, by one process at a time.

MLflow's own server makes them when it finds none, guarded by a file of its machine. Two machines at once break that.
"""

import mlflow.db


def upgrade(store: str) -> None:
    """Make or upgrade the tables at an address as `mlflow db upgrade` does, which would show it in the process list."""
    command = mlflow.db.upgrade.callback
    assert command is not None  # noqa: S101 - it is a command
    command(store)
