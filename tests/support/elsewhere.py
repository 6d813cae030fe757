"""A place of work that is like another machine: what it is sent and what it answers are copies that travelled."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.reduction import ForkingPickler
from typing import Any

from catalog.settings import read_settings
from catalog.spread import Done, unheard
from warehouse.workspace import settled


@dataclass(frozen=True)
class Elsewhere:
    """Does jobs in this process, in the settings of its environment. Implements `catalog.spread.Spread`."""

    width: int = 2
    is_elsewhere: bool = True

    def __call__(self, function: Callable[[Any], Any], jobs: Sequence[Any], on_done: Done = unheard) -> list[Any]:
        found = []
        for job in jobs:
            found.append(_travelled(_travelled(function)(settled(_travelled(job), read_settings()))))
            on_done(len(found), len(jobs))
        return found


def _travelled(what: Any) -> Any:
    return ForkingPickler.loads(ForkingPickler.dumps(what))
