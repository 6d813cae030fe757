"""A process that works for another one: `python -m flows.spread_worker FD`.

It reads a function and a job from a socket, tells how far the job has come, answers what it brought, and waits for the
next. It ends when the socket does, and with the process that started it (`catalog.child_process`). The socket is its
starter's alone: nobody else can send it anything.
"""

import gc
import sys
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from typing import Any

from catalog.errors import ServiceError, first_line
from catalog.spread import attempt
from flows.progress import listening


def main() -> None:
    """Work until there is nobody to work for."""
    connection: Connection[Any, Any] = Connection(int(sys.argv[1]))
    is_loaded = False
    while True:
        try:
            function, job = connection.recv()
        except (EOFError, ConnectionError):
            return
        with listening(lambda *told: connection.send((None, told))):
            answered = answer(function, job)
        connection.send(answered)
        if not is_loaded:
            gc.freeze()  # what the first job loaded stays: to look through it anew took a sixtieth of playing
            is_loaded = True  # to ask how much is frozen counts it, a fortieth of playing


def answer(function: Callable[[Any], Any], job: Any) -> tuple[bool, Any]:
    """Return whether a job was done, and what it brought or the error that it ended with."""
    try:
        return True, attempt(function, job)
    except Exception as error:  # noqa: BLE001 - whatever it is, the starter raises it
        return False, as_sent(error)


def as_sent(error: Exception) -> Exception:
    """Return an error that can be sent, with where it was raised; one that cannot be is told in words."""
    error.add_note("".join(traceback.format_exception(error)))
    try:
        ForkingPickler.loads(ForkingPickler.dumps(error))
    except Exception:  # noqa: BLE001 - errors of libraries are made in any way
        told = ServiceError(f"{type(error).__name__}: {first_line(error)}")
        told.add_note(error.__notes__[-1])
        return told
    return error


if __name__ == "__main__":
    main()
