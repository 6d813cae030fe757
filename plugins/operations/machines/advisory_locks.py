"""Locks that all machines see: PostgreSQL's advisory locks, which it frees when the session that holds them ends.

A process has one session for each place of its locks, opened for the first question. Locks of the kernel are taken
before these, see `warehouse.commits.locks`: so two threads, or two processes of one home, never ask here for the same
lock at once, which matters because a session is always granted what it holds already.

A session that is lost has lost its locks. That changes nothing about what is right: a commit decides by itself whether
it may count, and the locks give the polite answer early.
"""

import atexit
import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from threading import RLock
from typing import TYPE_CHECKING, Any

from catalog.errors import Declined, ServiceError
from catalog.settings import LockPlace
from plugins.operations.machines.postgresql import connected, refusal, within_seconds
from warehouse.commits.locks import in_words
from warehouse.query.connection import queries_beside

if TYPE_CHECKING:
    import psycopg

_NOT_ASKED_FOR = 5.0  # seconds for which a database that was away is not asked who holds a lock
_POLL_INTERVAL, _LONGEST_POLL_INTERVAL = 0.1, 1.0  # seconds between two attempts at a lock that is waited for
_LONGEST_NAME = 63  # bytes, of a session; PostgreSQL cuts what is longer

_LOG = logging.getLogger(__name__)
_query = queries_beside(__file__)


def number_of(place: LockPlace, name: str) -> int:
    """Return the number that stands for a lock in PostgreSQL: 64 bits of a hash, with a sign."""
    hashed = blake2b(f"{place.about}\n{name}".encode(), digest_size=8)
    return int.from_bytes(hashed.digest(), "big", signed=True)


@contextmanager
def held_by_all(place: LockPlace, name: str, patience: float) -> Iterator[None]:
    """Hold a lock against all machines; wait for another for so many seconds, then decline.

    Raises
    ------
    Declined
        When another process goes on holding it; the message names both.
    ServiceError
        When the database is away.
    """
    session, number = _session_of(place), number_of(place, name)
    pause, deadline = _POLL_INTERVAL, time.monotonic() + patience
    while not session.ask("take_lock", number, _name_of_session(name))[0][0]:
        if time.monotonic() >= deadline:
            holders = [application.rpartition(" ")[0] for application in session.holders(number)]
            raise Declined(
                f"{in_words(name)} by {next(filter(None, holders), 'another process')}; nothing was changed, run again "
                "when it is done"
            )
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_POLL_INTERVAL)
    try:
        yield
    finally:
        with suppress(ServiceError):  # the session is lost then, and with it the lock
            session.ask("free_lock", number)


def is_held_by_any(place: LockPlace, name: str) -> bool:
    """Return whether some process on any machine holds a lock; False, with a warning, when the database is away."""
    return bool(_session_of(place).holders(number_of(place, name)))


class _Session:
    """One process's session, opened when it is asked, and anew when it was lost."""

    def __init__(self, place: LockPlace) -> None:
        assert place.database is not None  # noqa: S101 - nobody asks here without one
        self._database = place.database
        self._mutex = RLock()
        self._connection: psycopg.Connection[Any] | None = None
        self._away_until = -float("inf")

    def ask(self, query: str, *parameters: object) -> list[Any]:
        """Return the rows that a query answers; on a new connection where the one there was is lost."""
        with self._mutex:
            if self._connection is not None:
                with suppress(ServiceError):
                    return self._asked(self._connection, query, parameters)
            self._connection = connected(self._database, _name_of_session(""))
            return self._asked(self._connection, query, parameters)

    def holders(self, number: int) -> list[str]:
        """Return the names of the sessions that hold a lock; empty when the database is away."""
        with self._mutex:
            if time.monotonic() < self._away_until:
                return []
            try:
                return [application for (application,) in self.ask("lock_holders", number)]
            except ServiceError as error:
                _LOG.warning("who holds a lock on another machine is not known: %s", error)
                self._away_until = time.monotonic() + _NOT_ASKED_FOR
                return []

    def end(self) -> None:
        """End the session, and with it all its locks; the next question opens another."""
        with self._mutex:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def _asked(self, connection: "psycopg.Connection[Any]", query: str, parameters: tuple[object, ...]) -> list[Any]:
        import psycopg  # noqa: PLC0415 - a database is set

        try:
            with within_seconds(connection):
                return connection.execute(_query(query), parameters).fetchall()
        except (psycopg.Error, OSError) as error:
            self.end()
            raise ServiceError(refusal(self._database, error)) from None


_sessions: dict[tuple[int, LockPlace], _Session] = {}


def _session_of(place: LockPlace) -> _Session:
    """Return this process's session for a place; a child that was forked has one of its own."""
    return _sessions.setdefault((os.getpid(), place), _Session(place))


def _name_of_session(lock: str) -> str:
    """Return what `pg_stat_activity` shows: process, machine, and the lock that was taken last."""
    return f"process {os.getpid()} on {socket.gethostname()[:24]} {lock}"[:_LONGEST_NAME]


@atexit.register
def end_sessions() -> None:
    """End the sessions of this process, and with them its locks."""
    for (process, _), session in list(_sessions.items()):
        if process == os.getpid():
            session.end()
