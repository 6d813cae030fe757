"""What all steps of a night share: its store, its registry, how its steps are run, and what is read once."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import ParamSpec, Protocol, TypeVar

from catalog.hooks import Announce, unannounced
from catalog.spread import HERE, Progress, Spread, silent
from etl.batches import DEFAULT_SEED
from serving.belief.log import LogEvidence
from serving.champion import Champion
from training.registry import ModelRegistry
from warehouse.workspace import Workspace

_P = ParamSpec("_P")
_R = TypeVar("_R")


class RunStep(Protocol):
    """Runs a step: plainly, or as a task of an orchestrator."""

    def __call__(self, step: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Call a step with its arguments and return its result."""
        ...


def plainly(step: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
    """Run a step in this process."""
    return step(*args, **kwargs)


@dataclass(frozen=True)
class RunContext:
    """Callbacks and executor of a run.

    `opens` is the first business date for which an outside store may get other prices; None is the day after.
    """

    announce: Announce = unannounced
    progress: Progress = silent
    run: RunStep = plainly
    spread: Spread = HERE
    opens: dt.date | None = None


PLAINLY = RunContext()
"""In this process, without callbacks."""


class Evening:
    """A business date that was sold to its end; the champion and the kill switch are read once for all steps."""

    def __init__(
        self,
        workspace: Workspace,
        registry: ModelRegistry,
        date: dt.date,
        seed: int = DEFAULT_SEED,
        means: RunContext = PLAINLY,
    ) -> None:
        self.workspace, self.registry, self.date, self.seed, self.means = workspace, registry, date, seed, means
        self.is_stopped = workspace.catalog.store.guardrails.kill_switch
        self.logs: dict[dt.date, LogEvidence] = {}  # what the log shows before a date, once it was read

    @cached_property
    def champion(self) -> Champion | None:
        """The champion, loaded at the first question; None without one.

        Raises
        ------
        ModelError
            When the registry is away, or the model cannot be used.
        """
        return self.registry.load()

    def refresh_champion(self) -> None:
        """Load the champion again at the next question if the registry names another version by now."""
        loaded = vars(self).pop("champion", None)
        if loaded is not None and self.registry.state().champion == loaded.version:
            self.champion = loaded
