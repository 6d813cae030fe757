"""PostgreSQL behind Prefect's and MLflow's servers, as each of them is told of it.

Each has a schema of its own in the one database, so that neither's tables meet the other's. Their addresses hold the
password. They are handed to the servers in the environment, never on a command line, and to nobody else: clients ask
the servers.
"""

import socket
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from pydantic import SecretStr

from catalog.past_one_machine import LockPlace
from catalog.settings import Settings

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
    asked = dict(parse_qsl(parts.query))
    mode = asked.get("sslmode")
    tls = _tls(asked) if mode in _VERIFIES else {}
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
    asked = dict(parse_qsl(parts.query))
    asked["options"] = f"{asked.get('options', '')} -csearch_path={MLFLOW}".strip()
    asked.setdefault("application_name", f"MLflow on {socket.gethostname()}")
    asked.setdefault("connect_timeout", "4")
    query = urlencode(asked, quote_via=quote)
    return urlunsplit(parts._replace(scheme="postgresql+psycopg", query=query))


def _tls(asked: Mapping[str, str]) -> dict[str, str]:
    """Return Prefect's settings for a server whose certificate is looked at."""
    files = {"CA_FILE": "sslrootcert", "CERT_FILE": "sslcert", "KEY_FILE": "sslkey"}
    named = {name: asked[key] for name, key in files.items() if asked.get(key) not in {None, "system"}}
    own = {"ENABLED": "true", "CHECK_HOSTNAME": _VERIFIES[asked["sslmode"]], **named}
    return {f"{_PREFECT_CONNECTS}_TLS_{name}": value for name, value in own.items()}


def locks_of_database(settings: Settings) -> LockPlace:
    """Return the locks about the database itself, whatever lakes its machines work on."""
    return replace(settings.locks, about="the database")
