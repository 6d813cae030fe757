"""Watch over PostgreSQL while all services run: it is said in one line when it does not answer, and when it does again.

The services go on without it and take it up again by themselves. So none is started again because of it; what their
own logs say of it is cut to a line each, see `flows.prefect_server`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from pydantic import SecretStr

from catalog.errors import ServiceError
from cluster.postgresql import refuse_absent_database, where

_ASKED_EVERY = 5.0  # seconds


@contextmanager
def watched(database: SecretStr | None, log: Callable[[str, str], None], every: float = _ASKED_EVERY) -> Iterator[None]:
    """Watch over the database in the block, if there is one.

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
