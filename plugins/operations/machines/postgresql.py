"""PostgreSQL as the settings name it: connections of our own that answer within seconds, and what is wrong in one line.

Prefect's and MLflow's servers have connections of their own. The address holds a password, so no message, log line or
command line ever shows more of it than host, port and name. The driver is not part of the embedded install: it is
imported when a database is set.
"""

import os
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread, Timer
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from catalog.errors import ServiceError, SettingError, first_line
from warehouse.query.connection import queries_beside

if TYPE_CHECKING:
    import psycopg

CONNECT_WITHIN = 4  # seconds
_ANSWER_WITHIN = 4.0  # seconds
_ASKED_EVERY = 5.0  # seconds from one question whether it is there to the next
_DEAD_AFTER = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 4000}
"""How soon this side takes the connection for lost, in seconds; the last one in milliseconds."""

_query = queries_beside(__file__)


def where(database: SecretStr) -> str:
    """Return host, port and name of a database, without user and password."""
    parts = urlsplit(database.get_secret_value())
    return f"{parts.netloc.rpartition('@')[2]}{parts.path}"


def connected(database: SecretStr, name: str) -> "psycopg.Connection[Any]":
    """Open a connection, each of whose statements is a transaction of its own.

    The server, too, takes it for lost 25 seconds after this machine is gone, and frees what it holds.

    Parameters
    ----------
    name
        What `pg_stat_activity` shows, cut to 63 bytes.

    Raises
    ------
    ServiceError
        When the database is absent or refuses; the message has one line.
    SettingError
        When the driver is not installed.
    """
    driver = _driver()
    try:
        connection: psycopg.Connection[Any] = driver.connect(
            database.get_secret_value(),
            autocommit=True,
            connect_timeout=CONNECT_WITHIN,
            application_name=name,
            cursor_factory=driver.RawCursor,
            **_DEAD_AFTER,
        )
        with within_seconds(connection):
            connection.execute(_query("notice_lost_clients"))
    except driver.Error as error:
        raise ServiceError(refusal(database, error)) from None  # the driver's own error names the address
    return connection


@contextmanager
def within_seconds(connection: "psycopg.Connection[Any]") -> Iterator[None]:
    """Break a connection off whose server does not answer in time: a call that waits for it then gets an error."""
    with socket.socket(fileno=os.dup(connection.fileno())) as line:
        timer = Timer(_ANSWER_WITHIN, _break_off, (line,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def refuse_absent_database(database: SecretStr | None) -> None:
    """Refuse work for which the database is away, within seconds; where none is set, nothing is asked.

    Raises
    ------
    ServiceError
        When it is.
    """
    if database is not None:
        connected(database, "shelfprice: is it there?").close()


@contextmanager
def watched(database: SecretStr | None, log: Callable[[str, str], None], every: float = _ASKED_EVERY) -> Iterator[None]:
    """Watch over the database in the block, if there is one: its absence is said in one line, and its return.

    The services go on without it and take it up again by themselves, so none is started again because of it.

    Parameters
    ----------
    log
        Called with a name and a line.
    every
        Seconds from one question to the next.
    """
    if database is None:
        yield
        return
    is_over = Event()
    thread = Thread(target=_watch, args=(database, log, every, is_over), name="watch over the database", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()


def _watch(database: SecretStr, log: Callable[[str, str], None], every: float, is_over: Event) -> None:
    is_away = False
    while not is_over.wait(every):
        try:
            refuse_absent_database(database)
        except ServiceError as error:
            if not is_away:
                log("database", str(error))
            is_away = True
            continue
        if is_away:
            log("database", f"PostgreSQL at {where(database)} answers again")
        is_away = False


def refusal(database: SecretStr, error: BaseException) -> str:
    """Say that a database does not answer as it should; no login is shown."""
    return (
        f"PostgreSQL at {where(database)} does not answer as it should ({reason_of(database, error)}); nothing more "
        "was done and what was published is kept: start it, or correct SHELFPRICE_DATABASE"
    )


def reason_of(database: SecretStr, error: BaseException) -> str:
    """Return what an error says in one line, without the password of the database."""
    why = first_line(error).rpartition("FATAL:")[2].strip()
    password = urlsplit(database.get_secret_value()).password or ""
    for secret in filter(None, (database.get_secret_value(), password, unquote(password))):
        why = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "...", why)
    return why


def _driver() -> ModuleType:
    try:
        import psycopg  # noqa: PLC0415 - the embedded install has none
    except ImportError as error:
        raise SettingError(
            "SHELFPRICE_DATABASE: expected the package psycopg, found none; nothing was done: `make install-cluster`"
        ) from error
    return psycopg


def _break_off(line: socket.socket) -> None:
    with suppress(OSError):  # the answer came in the same moment
        line.shutdown(socket.SHUT_RDWR)
