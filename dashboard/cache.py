"""Work that is done once for all browsers that look at the same thing."""

import json
import math
from collections.abc import Callable, Hashable
from threading import Condition
from time import monotonic
from typing import Any, Generic, TypeVar

from cachetools import TLRUCache, cached
from plotly.io.json import to_json_plotly

_Result = TypeVar("_Result")


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
        self._kept = TLRUCache[Hashable, _Result](most, lambda _, result, now: now + lasts(result), timer=monotonic)
        self._turn = Condition()
        self._made = cached(self._kept, key=lambda key, _: key, condition=self._turn)(lambda _, make: make())

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
        result: _Result = self._made((key, stamp()), make)
        return result

    def forget(self, key: Hashable) -> None:
        """Have a result without a stamp made anew when it is wanted next."""
        with self._turn:
            self._kept.pop((key, None), None)


def plain(result: Any) -> Any:
    """Turn components and figures into plain values once, which every browser is then sent without that work."""
    return json.loads(to_json_plotly(result))
