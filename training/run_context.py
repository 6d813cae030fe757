"""Callbacks and executor of a run: progress, announcements, how a step is run, and where independent work is done."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, Protocol, TypeVar

from catalog.spread import HERE, Progress, Spread, silent
from training.drift_watch import Announce, unannounced

_P = ParamSpec("_P")
_R = TypeVar("_R")


class RunStep(Protocol):
    """How a step is run: plainly, or as a task of an orchestrator."""

    def __call__(self, step: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Call a step with its arguments and return what it returns."""
        ...


def plainly(step: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
    """Run a step here and now."""
    return step(*args, **kwargs)


@dataclass(frozen=True)
class RunContext:
    """With what it is done.

    Attributes
    ----------
    announce
        Told of a drift.
    progress
        Told how far a step is.
    run
        Runs a step.
    spread
        Where days are grouped, candidates fitted and prices worked out.
    opens
        First business date that an outside store may be given other prices for; None is the day after the one that
        closed.
    """

    announce: Announce = unannounced
    progress: Progress = silent
    run: RunStep = plainly
    spread: Spread = HERE
    opens: dt.date | None = None


PLAINLY = RunContext()
"""Here and now, and nobody is told."""
