"""PostgreSQL of `plugins.operations.deploy.servers` as tests need it: killed and started again, asked in SQL, reached
from a network."""

import os
import secrets
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import LiteralString, cast

import psycopg
from killable import Killable, started

from plugins.operations.deploy.servers.ports import free_address
from plugins.operations.deploy.servers.postgres import NAME, Postgres


class PostgresServer:
    """A server that listens on 127.0.0.1, and with a network, such as `10.99.7.0/24`, wherever that reaches it."""

    def __init__(self, folder: Path, network: str | None = None) -> None:
        self._server = Postgres(folder, free_address(), secrets.token_hex(16), is_durable=False)
        service = self._server.service()
        if network is not None:
            service = replace(service, command=(*service.command, "listen_addresses=*"))
            with (folder / "pg_hba.conf").open("a", encoding="utf-8") as rules:
                rules.write(f"host all all {network} scram-sha-256\n")
        self.killable = Killable(service, folder)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._server.address.port

    @property
    def password(self) -> str:
        """The password of its user."""
        return self._server.password

    def url(self, name: str = NAME) -> str:
        """Return the address of one of its databases, as `SHELFPRICE_DATABASE` has it."""
        return f"{self._server.url.rpartition('/')[0]}/{name}"

    def answers(self) -> bool:
        """Tell whether it takes connections."""
        return self._server.answers()

    def start(self) -> None:
        """Start it unless it runs, and wait until it answers."""
        self.killable.start()

    def kill(self) -> None:
        """Kill its main process, as a machine that loses its power does; the others end by themselves."""
        lock = self._server.folder / "postmaster.pid"
        os.kill(int(lock.read_text(encoding="utf-8").split()[0]), signal.SIGKILL)
        self.killable.kill()

    def create(self, name: str) -> str:
        """Create an empty database and return its address."""
        self.run(f'create database "{name}"')
        return self.url(name)

    def run(self, statement: str, name: str = NAME) -> str:
        """Run a statement and return what it answers, a row a line, its columns apart by bars."""
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            answer = connection.execute(cast("LiteralString", statement))
            rows = answer.fetchall() if answer.description else []
        return "\n".join("|".join(map(str, row)) for row in rows)


@contextmanager
def postgres_server(folder: Path, network: str | None = None) -> Iterator[PostgresServer]:
    """Run a server with its files in a folder, and one database, `NAME`; it is gone afterwards."""
    server = PostgresServer(folder, network)
    with started(server.killable):
        yield server
