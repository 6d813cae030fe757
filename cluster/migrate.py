"""`python -m cluster.migrate`: make the tables of Prefect and MLflow in PostgreSQL, or bring them up to date.

It holds the lock that lets one process of all machines do so at a time. The process that holds it is the one that
changes the tables, so the lock is free as soon as it ends, also when it is killed.
"""

import os
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from catalog.errors import ShelfpriceError
from catalog.settings import read_settings
from cluster.database import MLFLOW, PREFECT, locks_of_database
from cluster.postgresql import connected, reason_of, where
from cluster.tables import are_current
from training.mlflow.server import STORE_VARIABLE
from warehouse.locks import waited_for
from warehouse.sql_files import queries_beside

if TYPE_CHECKING:
    import psycopg

_LOCK = "tables"
_query = queries_beside(__file__)


def main() -> None:
    """Do what is to be done, and say in one line what kept us from it."""
    settings = read_settings()
    if settings.database is None:
        return
    try:
        with waited_for(locks_of_database(settings), _LOCK):
            _migrate(settings.database)
    except ShelfpriceError as error:
        sys.exit(str(error))
    except Exception as error:  # noqa: BLE001 - of three libraries, whose messages may name the address
        why = reason_of(settings.database, error)
        sys.exit(
            f"PostgreSQL at {where(settings.database)}: the tables of Prefect and MLflow cannot be made ({why}); "
            "nothing was started: mend what that says"
        )


def _migrate(database: SecretStr) -> None:
    with connected(database, "shelfprice: tables of the services") as connection:
        _create_schemas(connection)
        connection.execute(_query("create_migrations"))
        for service, upgrade in ((PREFECT, _upgrade_prefect), (MLFLOW, _upgrade_mlflow)):
            _bring_up_to_date(connection, service, upgrade)


def _bring_up_to_date(connection: "psycopg.Connection[Any]", service: str, upgrade: Callable[[], None]) -> None:
    if not are_current(connection, service):
        upgrade()
        connection.execute(_query("note_migration"), (service, version(service)))


def _create_schemas(connection: "psycopg.Connection[Any]") -> None:
    """Create the schemas that are not there; who may not create any can have them created before."""
    there = {name for (name,) in connection.execute(_query("schemas")).fetchall()}
    for service in {PREFECT, MLFLOW} - there:
        connection.execute(_query(f"create_schema_{service}"))


def _upgrade_prefect() -> None:
    import anyio  # noqa: PLC0415 - seconds, and rarely needed
    from prefect.server.database import provide_database_interface  # noqa: PLC0415 - the same

    anyio.run(provide_database_interface().create_db)


def _upgrade_mlflow() -> None:
    from training.mlflow.database import upgrade  # noqa: PLC0415 - the same

    upgrade(os.environ[STORE_VARIABLE])


if __name__ == "__main__":
    main()
