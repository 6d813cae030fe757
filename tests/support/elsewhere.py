"""A place of work that is like another machine: what it is sent and what it answers are copies that travelled."""

from collections.abc import Callable, Iterable, Iterator
from multiprocessing.reduction import ForkingPickler
from typing import Any

from catalog.settings import read_settings
from catalog.spread import Spread
from warehouse.workspace import settled


class Elsewhere(Spread):
    """Does jobs in this process, in the settings of its environment."""

    width = 2
    is_elsewhere = True

    def results_of(self, function: Callable[[Any], Any], jobs: Iterable[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
        for position, job in jobs:
            yield position, _travelled(_travelled(function)(settled(_travelled(job), read_settings())))


def _travelled(what: Any) -> Any:
    return ForkingPickler.loads(ForkingPickler.dumps(what))
