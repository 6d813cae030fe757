"""Watch the locks that all machines see, in PostgreSQL, and tell how long the longest one was held by one session."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread

import psycopg

_LOOK_EVERY = 0.1  # seconds
_HELD = """
select lock.pid, lock.classid::bigint, lock.objid::bigint, coalesce(activity.application_name, '')
from pg_locks as lock
left join pg_stat_activity as activity on activity.pid = lock.pid
where lock.locktype = 'advisory' and lock.granted
"""

_Held = tuple[int, int, int]


class LockWatch:
    """What is held now, and what was held longest so far."""

    def __init__(self, url: str) -> None:
        self._url, self._ends, self._mutex = url, Event(), Lock()
        self._since: dict[_Held, float] = {}
        self._connection: psycopg.Connection | None = None
        self.longest, self.who = 0.0, ""

    def held(self) -> list[str]:
        """Return the names of the sessions that hold a lock right now.

        Raises
        ------
        psycopg.OperationalError
            When PostgreSQL does not answer.
        """
        with self._mutex:
            if self._connection is None:
                self._connection = psycopg.connect(self._url, autocommit=True, connect_timeout=3)
            try:
                rows = self._connection.execute(_HELD).fetchall()
            except psycopg.OperationalError:
                self._forget()
                raise
            now = time.monotonic()
            self._since = {tuple(key): self._since.get(tuple(key), now) for *key, _ in rows}
            for *key, who in rows:
                if now - self._since[tuple(key)] > self.longest:
                    self.longest, self.who = now - self._since[tuple(key)], who
            return [who for *_, who in rows]

    def watch(self) -> None:
        """Look again and again until the watch ends."""
        while not self._ends.wait(_LOOK_EVERY):
            with suppress(psycopg.OperationalError):  # it was killed, and with it every session
                self.held()

    def end(self) -> None:
        """Let the watch end."""
        self._ends.set()

    def _forget(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._since = {}

    def close(self) -> None:
        """Close the connection."""
        with self._mutex:
            self._forget()


@contextmanager
def watched_locks(url: str) -> Iterator[LockWatch]:
    """Watch the locks of a database while the block runs."""
    watch = LockWatch(url)
    thread = Thread(target=watch.watch, name="watch of locks")
    thread.start()
    try:
        yield watch
    finally:
        watch.end()
        thread.join()
        watch.close()
