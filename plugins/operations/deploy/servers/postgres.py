"""PostgreSQL on this machine: on loopback, with a password, its files in one folder."""

import sys
from dataclasses import dataclass
from pathlib import Path

from catalog.addresses import Address
from plugins.operations.deploy.servers.postgres_process import make_database
from plugins.operations.up.services import Service

NAME = "shelfprice"
_ANSWERS_WITHIN = 3  # seconds
_QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


@dataclass(frozen=True)
class Postgres:
    """A database and its user, both named `shelfprice`.

    Attributes
    ----------
    folder
        Where its files are.
    is_durable
        Whether what is committed outlives a power failure; tests do without.
    """

    folder: Path
    address: Address
    password: str
    is_durable: bool = True

    @property
    def url(self) -> str:
        """Its address with user and password, as `SHELFPRICE_DATABASE` takes it."""
        return f"postgresql://{NAME}:{self.password}@{self.address.host}:{self.address.port}/{NAME}"

    def service(self) -> Service:
        """Return it as a service, with its files made if they are not there yet.

        Raises
        ------
        ServiceError
            When PostgreSQL is missing, or its files cannot be made.
        """
        if not self.folder.exists():
            make_database(self.folder, NAME, self.password, NAME)
        settings = (
            *(f"listen_addresses={self.address.host}", f"port={self.address.port}", "unix_socket_directories="),
            *("max_connections=200", "log_min_messages=warning", "log_statement=none", "log_min_error_statement=panic"),
            *(() if self.is_durable else _QUICK),
        )
        command = (
            sys.executable,
            "-m",
            "plugins.operations.deploy.servers.postgres_process",
            str(self.folder),
            *settings,
        )
        return Service("postgres", "Prefect, MLflow and locks", command, {}, self.address, self.answers)

    def answers(self) -> bool:
        """Return whether it lets our user in and answers."""
        import psycopg

        try:
            with psycopg.connect(self.url, connect_timeout=_ANSWERS_WITHIN) as connection:
                return connection.execute("select 1").fetchone() == (1,)
        except psycopg.OperationalError:
            return False
