"""Work that is done once for all browsers that look at the same thing."""

import json
import math
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from typing import Any, Generic, TypeVar

from plotly.io.json import to_json_plotly

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class _Kept(Generic[_Result]):
    result: _Result
    stamp: Hashable
    made_at: float  # seconds of a clock that never goes back


@dataclass
class _Entry(Generic[_Result]):
    """The place of one key; `lock` lets one thread make the result while others wait for it."""

    lock: Lock = field(default_factory=Lock)
    kept: _Kept[_Result] | None = None


class Cache(Generic[_Result]):
    """Keeps results by key; of several threads that want the same one, the first makes it.

    Parameters
    ----------
    most
        Results that are kept; the one that was wanted longest ago goes first.
    lasts
        How long a result may be handed out, in seconds; for ever by default.
    """

    def __init__(self, most: int, lasts: Callable[[_Result], float] = lambda _: math.inf) -> None:
        self._most = most
        self._lasts = lasts
        self._lock = Lock()
        self._entries: OrderedDict[Hashable, _Entry[_Result]] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], _Result], stamp: Callable[[], Hashable] = lambda: None) -> _Result:
        """Return the result for a key, made now when none is kept, it is too old, or its stamp has changed.

        Parameters
        ----------
        key
            What is wanted.
        make
            Makes the result; what it raises reaches the caller, and nothing is kept.
        stamp
            Returns what changes whenever the result would. It is asked before the result is made, so that what
            changes meanwhile is seen next time.

        Returns
        -------
        object
            Shared by everyone who asks: never change it.
        """
        entry = self._entry(key)
        with entry.lock:
            now, kept = stamp(), entry.kept
            if kept is None or kept.stamp != now or monotonic() - kept.made_at >= self._lasts(kept.result):
                result = make()
                kept = entry.kept = _Kept(result, now, monotonic())
            return kept.result

    def forget(self, key: Hashable) -> None:
        """Have the result for a key made anew when it is wanted next."""
        with self._lock:
            self._entries.pop(key, None)

    def _entry(self, key: Hashable) -> _Entry[_Result]:
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            self._entries.move_to_end(key)
            while len(self._entries) > self._most:
                self._entries.popitem(last=False)
            return entry


def plain(result: Any) -> Any:
    """Turn components and figures into plain values once, which every browser is then sent without that work."""
    return json.loads(to_json_plotly(result))
