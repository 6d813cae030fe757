"""Work that is done once for all browsers that look at the same thing."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

_Result = TypeVar("_Result")


class Shared(Generic[_Result]):
    """Keeps the newest results by key; of several threads that want the same one, the first makes it."""

    def __init__(self, most: int) -> None:
        """Keep `most` results, and forget the one that was wanted longest ago."""
        self._most = most
        self._lock = Lock()
        self._results: OrderedDict[Hashable, _Result] = OrderedDict()
        self._making: dict[Hashable, Lock] = {}

    def of(self, key: Hashable, make: Callable[[], _Result]) -> _Result:
        """Return the result for a key, made now if it is not kept; never change it."""
        with self._lock:
            making = self._making.setdefault(key, Lock())
        with making:
            with self._lock:
                if key in self._results:
                    self._results.move_to_end(key)
                    self._making.pop(key, None)
                    return self._results[key]
            try:
                result = make()
            finally:
                with self._lock:
                    self._making.pop(key, None)
            with self._lock:
                self._results[key] = result
                while len(self._results) > self._most:
                    self._results.popitem(last=False)
            return result
