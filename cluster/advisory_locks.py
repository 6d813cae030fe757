"""Locks that all machines see: PostgreSQL's advisory locks, which it frees when the session that holds them ends.

A process has one session for each place of its locks, opened for the first lock and closed half a minute after the
last. Locks of the kernel are taken before these, see `warehouse.locks`: so two threads, or two processes of one home,
never ask here for the same lock at once, which matters because a session is always granted what it holds already.

A session that is lost, because PostgreSQL was restarted or the network failed, has lost its locks. A thread looks at
it every few seconds, opens another, and takes the locks again. Where somebody else has taken one meanwhile, its holder
is told at the end of the block. That changes nothing about what is right: a commit decides by itself whether it may
count, and the locks give the polite answer early.
"""

import atexit
import logging
import os
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from hashlib import blake2b
from threading import Event, RLock, Thread
from typing import TYPE_CHECKING, Any, TypeVar

from catalog.errors import Declined, ServiceError
from catalog.past_one_machine import LockPlace
from cluster.postgresql import connected, refusal, where, within_seconds
from warehouse.locks import in_words
from warehouse.sql_files import queries_beside

if TYPE_CHECKING:
    import psycopg

_Answer = TypeVar("_Answer")

_LOOK_EVERY = 3.0  # seconds between two looks at a session
_IDLE_AFTER = 30.0  # seconds without a lock until a session is closed
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
        When the database is away; or at the end, when the lock was lost meanwhile and somebody else has it.
    """
    session = _session_of(place)
    pause, deadline = _POLL_INTERVAL, time.monotonic() + patience
    while not session.take(name):
        if time.monotonic() >= deadline:
            raise Declined(
                f"{in_words(name)} by {_holder(session, name)}; nothing was changed, run again when it is done"
            )
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_POLL_INTERVAL)
    try:
        yield
    except BaseException:
        session.give_back(name)
        raise
    if not session.give_back(name):
        raise ServiceError(
            f"the lock on {name!r} was lost when PostgreSQL at {where(session.database)} did not answer, and another "
            "process took it: what was committed counts and is whole, run it again to be sure that nothing is missing"
        )


def is_held_by_any(place: LockPlace, name: str) -> bool:
    """Tell whether some process on any machine holds a lock; False, with a warning, when the database is away."""
    return bool(_session_of(place).holders(name))


def _holder(session: "_Session", name: str) -> str:
    """Say who holds a lock, as the name of its session does."""
    names = [application.rpartition(" ")[0] for application in session.holders(name)]
    return names[0] if names and names[0] else "another process"


class _Session:
    """One process's session, and the locks that it should hold."""

    def __init__(self, place: LockPlace) -> None:
        assert place.database is not None  # noqa: S101 - nobody asks here without one
        self.database = place.database
        self._place = place
        self._mutex = RLock()
        self._held: Counter[str] = Counter()
        self._lost: set[str] = set()
        self._connection: psycopg.Connection[Any] | None = None
        self._watch_ends: Event | None = None
        self._is_away = False
        self._asked_at = -float("inf")

    def take(self, name: str) -> bool:
        """Take a lock unless another session holds it; return whether it was taken."""
        with self._mutex:
            self._asked_at = time.monotonic()
            is_taken = self._twice(partial(self._take, name))
            if is_taken:
                self._held[name] += 1
            return is_taken

    def give_back(self, name: str) -> bool:
        """Free a lock; return whether it was held all the time, as far as this session can know."""
        with self._mutex:
            with suppress(ServiceError):  # while the database is away, nobody takes a lock
                self._twice(partial(self._ask, "free_lock", number_of(self._place, name)))
            is_lost = name in self._lost
            self._held[name] -= 1
            self._asked_at = time.monotonic()
            if not self._held[name]:
                del self._held[name]
                self._lost.discard(name)
            return not is_lost

    def holders(self, name: str) -> list[str]:
        """Return the names of the sessions that hold a lock; empty when the database is away."""
        with self._mutex:
            if self._is_away and time.monotonic() - self._asked_at < _NOT_ASKED_FOR:
                return []
            self._asked_at = time.monotonic()
            try:
                rows = self._twice(partial(self._ask, "lock_holders", number_of(self._place, name)))
                return [application for (application,) in rows]
            except ServiceError as error:
                self._note_absence(f"who holds a lock on another machine is not known: {error}")
                return []

    def end(self) -> None:
        """End the session, and with it all its locks; the next one that is asked for opens another."""
        with self._mutex:
            self._close()
            if self._watch_ends is not None:
                self._watch_ends.set()
            self._watch_ends = None

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _take(self, name: str) -> bool:
        return bool(self._ask("take_lock", number_of(self._place, name), _name_of_session(name))[0][0])

    def _twice(self, ask: Callable[[], _Answer]) -> _Answer:
        """Ask, and once more on a new connection where the one there was is lost."""
        if self._connection is not None:
            with suppress(ServiceError):
                return ask()
        return ask()

    def _ask(self, query: str, *parameters: object) -> list[Any]:
        connection = self._connection or self._open()
        import psycopg  # noqa: PLC0415 - a database is set

        try:
            with within_seconds(connection):
                return connection.execute(_query(query), parameters).fetchall()
        except (psycopg.Error, OSError) as error:
            self._close()
            raise ServiceError(refusal(self.database, error)) from None

    def _open(self) -> "psycopg.Connection[Any]":
        """Open a connection, and take again what the one before held."""
        self._connection = connection = connected(self.database, _name_of_session(""))
        for name, times in self._held.items():
            if name not in self._lost and not all(self._take(name) for _ in range(times)):
                self._lost.add(name)
        if self._is_away:
            _LOG.warning("PostgreSQL at %s answers again; %s", where(self.database), self._told())
        self._is_away = False
        if self._watch_ends is None:
            self._watch_ends = Event()
            Thread(target=self._watch, args=(self._watch_ends,), name="session of locks", daemon=True).start()
        return connection

    def _watch(self, ends: Event) -> None:
        """Look at the session until it is needed no more; open another when it is lost."""
        while not ends.wait(_LOOK_EVERY):
            with self._mutex:
                if ends.is_set():
                    return
                if not self._held and time.monotonic() - self._asked_at > _IDLE_AFTER:
                    self.end()
                    return
                try:
                    self._twice(partial(self._ask, "lock_holders", 0))
                except ServiceError as error:
                    self._note_absence(str(error))

    def _note_absence(self, what: str) -> None:
        """Say once that the database is away."""
        if not self._is_away:
            _LOG.warning("%s", what)
        self._is_away = True

    def _told(self) -> str:
        lost = sorted(self._lost)
        return f"another process took {', '.join(lost)} meanwhile" if lost else "its locks were taken again"


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
