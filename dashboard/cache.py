"""Work that is done once for all browsers that look at the same thing."""

import json
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, Generic, TypeVar

from plotly.io.json import to_json_plotly

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


def plain(result: Any) -> Any:
    """Turn components and figures into plain values once, which every browser is then sent without that work."""
    return json.loads(to_json_plotly(result))
