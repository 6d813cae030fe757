"""Progress of long work: a flow tells how far it is and what happens, and the command that started it shows both."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any

from catalog.spread import Progress, silent

_PROGRESS: ContextVar[Progress] = ContextVar("progress", default=silent)
_SENTENCES: ContextVar[Callable[[str], object]] = ContextVar("sentences", default=silent)


def tell(stage: str, done: int, total: int) -> None:
    """Say that `done` of `total` steps of a stage are done; nothing happens when nobody listens."""
    _PROGRESS.get()(stage, done, total)


def say(sentence: str) -> None:
    """Say what just happened; nothing happens when nobody hears it."""
    _SENTENCES.get()(sentence)


def listening(listener: Progress) -> AbstractContextManager[None]:
    """Let a listener hear the progress of flows while the block runs."""
    return _while_set(_PROGRESS, listener)


def hearing(hearer: Callable[[str], object]) -> AbstractContextManager[None]:
    """Let a hearer have every sentence that flows say while the block runs."""
    return _while_set(_SENTENCES, hearer)


@contextmanager
def _while_set(variable: ContextVar[Any], value: object) -> Iterator[None]:
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)
