"""Ask a service again and again whether it answers, in a thread: one that hangs holds up neither the others nor us."""

import time
from threading import Event, Thread

from operate.up.services import Service

_BEFORE_IT_ANSWERS = 0.2  # seconds between two questions


class Probe:
    """Asks from the moment it is made until it is closed; `answered_at` is on the monotonic clock, in seconds.

    Parameters
    ----------
    every
        Seconds from one question to the next, once it has answered.
    """

    def __init__(self, service: Service, every: float) -> None:
        self.answered_at: float | None = None
        self._service, self._every = service, every
        self._closed = Event()
        Thread(target=self._ask, name=f"probe {service.name}", daemon=True).start()

    def close(self) -> None:
        """Ask no more."""
        self._closed.set()

    def _ask(self) -> None:
        while not self._closed.wait(_BEFORE_IT_ANSWERS if self.answered_at is None else self._every):
            try:
                if self._service.answers() and (self.answered_at is not None or self._service.is_ready()):
                    self.answered_at = time.monotonic()
            except Exception:  # noqa: BLE001, S112 - whatever goes wrong with an answer, it is none
                continue
