"""How many requests a client may make: a bucket for each, which fills at a steady rate and holds a second's worth."""

import time
from collections.abc import Callable

_MOST_CLIENTS = 10_000


class Rates:
    """Admits requests by client.

    Parameters
    ----------
    per_second
        Requests a second that one client may make in the long run, and at once after a pause.
    clock
        Seconds on a clock that never goes back.
    """

    def __init__(self, per_second: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_second, self._clock = per_second, clock
        self._full_at: dict[str, float] = {}  # when each bucket will be full again; a full one is forgotten

    def wait(self, client: str) -> float:
        """Count one request; return 0 when it is admitted, else the seconds after which the next one will be."""
        now = self._clock()
        full_at = max(self._full_at.get(client, now), now) + 1 / self.per_second
        too_early = full_at - now - 1.0  # the bucket holds what one second brings
        if too_early > 1e-9:  # noqa: PLR2004 - seconds, of decimals kept as binary
            return too_early
        if len(self._full_at) >= _MOST_CLIENTS and client not in self._full_at:
            self._forget(now)
        self._full_at[client] = full_at
        return 0.0

    def _forget(self, now: float) -> None:
        """Forget full buckets, and where all are in use those that are fullest."""
        in_use = sorted((full_at, client) for client, full_at in self._full_at.items() if full_at > now)
        self._full_at = {client: full_at for full_at, client in in_use[-_MOST_CLIENTS // 2 :]}
