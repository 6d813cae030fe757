"""PostgreSQL behind Prefect's and MLflow's servers, as each of them is told of it.

Each has a schema of its own in the one database, so that neither's tables meet the other's. Their addresses hold the
password. They are handed to the servers in the environment, never on a command line, and to nobody else: clients ask
the servers.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.metadata import version
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from pydantic import SecretStr

from catalog.errors import ServiceError, ShelfpriceError
from catalog.settings import LockPlace, Settings, read_settings
from plugins.operations.machines.postgresql import connected, reason_of, refuse_absent_database, where
from plugins.operations.up.mlflow_server import STORE_VARIABLE
from warehouse.commits.locks import waited_for
from warehouse.query.connection import queries_beside

PREFECT, MLFLOW = "prefect", "mlflow"
"""The schemas, named like the services."""

_PREFECT_CONNECTS = "PREFECT_SERVER_DATABASE_SQLALCHEMY_CONNECT_ARGS"
_VERIFIES = {"verify-ca": "false", "verify-full": "true"}
"""The values of `sslmode` that look at the server's certificate, and whether they look at its host name too."""


def prefect_environment(settings: Settings) -> dict[str, str]:
    """Return what tells a Prefect server of its database; nothing without one, and then it has a file of its own."""
    if settings.database is None:
        return {}
    parts = urlsplit(settings.database.get_secret_value())
    parameters = dict(parse_qsl(parts.query))
    mode = parameters.get("sslmode")
    tls = _tls(parameters) if mode in _VERIFIES else {}
    query = urlencode({"ssl": mode}) if mode and not tls else ""
    return {
        "PREFECT_API_DATABASE_CONNECTION_URL": urlunsplit(parts._replace(scheme="postgresql+asyncpg", query=query)),
        "PREFECT_SERVER_DATABASE_MIGRATE_ON_START": "false",  # two servers that do so at once both die half way
        f"{_PREFECT_CONNECTS}_SEARCH_PATH": f"{PREFECT}, public",
        f"{_PREFECT_CONNECTS}_APPLICATION_NAME": f"Prefect on {socket.gethostname()}",
        **tls,
    }


def mlflow_store(database: SecretStr) -> str:
    """Return the address of a database as MLflow's server takes it."""
    parts = urlsplit(database.get_secret_value())
    parameters = dict(parse_qsl(parts.query))
    parameters["options"] = f"{parameters.get('options', '')} -csearch_path={MLFLOW}".strip()
    parameters.setdefault("application_name", f"MLflow on {socket.gethostname()}")
    parameters.setdefault("connect_timeout", "4")
    query = urlencode(parameters, quote_via=quote)
    return urlunsplit(parts._replace(scheme="postgresql+psycopg", query=query))


def _tls(query: Mapping[str, str]) -> dict[str, str]:
    """Return Prefect's settings for a server whose certificate is looked at."""
    files = {"CA_FILE": "sslrootcert", "CERT_FILE": "sslcert", "KEY_FILE": "sslkey"}
    named = {name: query[key] for name, key in files.items() if query.get(key) not in {None, "system"}}
    variables = {"ENABLED": "true", "CHECK_HOSTNAME": _VERIFIES[query["sslmode"]], **named}
    return {f"{_PREFECT_CONNECTS}_TLS_{name}": value for name, value in variables.items()}


def locks_of_database(settings: Settings) -> LockPlace:
    """Return the locks about the database itself, whatever lakes its machines work on."""
    return replace(settings.locks, about="the database")


if TYPE_CHECKING:
    import psycopg

__all__ = ["keep_database_up_to_date", "prefect_environment", "refuse_absent_database"]  # what the core asks for

_LOCK = "tables"
_POLL_INTERVAL = 0.1  # seconds
_SAY_EVERY = 10.0  # seconds
_query = queries_beside(__file__)


def keep_database_up_to_date(
    settings: Settings, say: Callable[[str], None], is_stopped: Callable[[], bool] = lambda: False
) -> None:
    """Make the tables of Prefect and MLflow, or bring them up to their versions that are installed here.

    Of several machines one does so, while the others wait. That takes a process of its own, which also holds the lock:
    so the lock lives as long as the process that changes tables, also when this one is killed.

    Parameters
    ----------
    say
        Told that the tables are being made, now and then.
    is_stopped
        Whether a person asked to stop; then this returns early.

    Raises
    ------
    ServiceError
        When the database is away, or refuses.
    """
    if settings.database is None:
        return
    with connected(settings.database, "shelfprice: tables of the services") as connection:
        if all(are_current(connection, service) for service in (PREFECT, MLFLOW)):
            return
    with TemporaryFile() as errors:
        process = subprocess.Popen(
            (sys.executable, "-m", "plugins.operations.machines.database"),
            env={**os.environ, **_for_migration(settings, settings.database)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
        )
        say_at = time.monotonic() + _SAY_EVERY
        while process.poll() is None:
            if is_stopped():
                process.terminate()
            if time.monotonic() > say_at:
                say(f"the tables of Prefect and MLflow are being made at {where(settings.database)}, here or elsewhere")
                say_at = time.monotonic() + _SAY_EVERY
            time.sleep(_POLL_INTERVAL)
        if process.returncode and not is_stopped():
            errors.seek(0)
            lines = [line.strip() for line in errors.read().decode(errors="replace").splitlines() if line.strip()]
            how = f"the process that makes its tables ended with code {process.returncode}; run it again"
            raise ServiceError(lines[-1] if lines else f"PostgreSQL at {where(settings.database)}: {how}")


def are_current(connection: "psycopg.Connection[Any]", service: str) -> bool:
    """Return whether the tables of a service are those of its version that is installed here."""
    if not connection.execute(_query("has_migrations")).fetchall()[0][0]:
        return False
    return connection.execute(_query("migration"), (service,)).fetchall() == [(version(service),)]


def _for_migration(settings: Settings, database: SecretStr) -> dict[str, str]:
    return {
        **prefect_environment(settings),
        STORE_VARIABLE: mlflow_store(database),
        "SHELFPRICE_HOME": str(settings.home),
        "SHELFPRICE_DATABASE": database.get_secret_value(),
        "PREFECT_HOME": str(settings.prefect_home),
    }


def main() -> None:
    """Make the tables, or say in one line what kept us from it; this process holds the lock as long as it lives."""
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
