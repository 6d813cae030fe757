"""Progress of long work: a flow tells how far it is and what happens, and the command that started it shows both."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[str, int, int], None]
Hearer = Callable[[str], None]

_LISTENER: ContextVar[Listener | None] = ContextVar("listener", default=None)
_HEARER: ContextVar[Hearer | None] = ContextVar("hearer", default=None)


def tell(stage: str, done: int, total: int) -> None:
    """Say that `done` of `total` steps of a stage are done; nothing happens when nobody listens."""
    listener = _LISTENER.get()
    if listener is not None:
        listener(stage, done, total)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Let a listener hear what flows tell while the block runs."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


def say(sentence: str) -> None:
    """Say what just happened; nothing happens when nobody hears it."""
    hearer = _HEARER.get()
    if hearer is not None:
        hearer(sentence)


@contextmanager
def hearing(hearer: Hearer) -> Iterator[None]:
    """Let a hearer have every sentence that flows say while the block runs."""
    token = _HEARER.set(hearer)
    try:
        yield
    finally:
        _HEARER.reset(token)
