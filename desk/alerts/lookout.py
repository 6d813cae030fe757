"""Look for alerts beside a store that sells: one look at a time, and the store waits for none of them."""

import logging
from dataclasses import replace
from queue import Empty, SimpleQueue
from threading import Lock, Thread

from desk.alerts.leftovers import Leftovers
from desk.alerts.watch import watch_and_tell
from warehouse.lake import Lake
from warehouse.workspace import Workspace

_LAST_LOOK = 15.0  # s that the end of a day waits for the look that is under way
_LOG = logging.getLogger(__name__)


class Lookout:
    """Takes looks in a thread of its own. What is asked for while a look is under way is one more look after it."""

    def __init__(self) -> None:
        self._asking, self._heard = Lock(), SimpleQueue[str]()
        self._wanted: Workspace | None = None
        self._thread: Thread | None = None
        self._leftovers = Leftovers()

    def look(self, workspace: Workspace) -> None:
        """Have somebody look at the stores as they stand now; returns at once."""
        with self._asking:
            self._wanted = workspace
            if self._thread is None:
                self._thread = Thread(target=self._look_on, name="alerts", daemon=True)
                self._thread.start()

    def heard(self) -> list[str]:
        """Return in a sentence each what was found since it was last asked."""
        found = list[str]()
        while True:
            try:
                found.append(self._heard.get_nowait())
            except Empty:
                return found

    def ended(self, seconds: float = _LAST_LOOK) -> list[str]:
        """Wait for the last look, so many seconds at most, and return what was found."""
        with self._asking:
            thread = self._thread
        if thread is not None:
            thread.join(seconds)
        is_late = thread is not None and thread.is_alive()
        return [*self.heard(), *(["the last look for alerts takes long: see `shelfprice alerts`"] if is_late else [])]

    def _look_on(self) -> None:
        """Look until nobody wants another look."""
        while True:
            with self._asking:
                workspace, self._wanted = self._wanted, None
                if workspace is None:
                    self._thread = None
                    return
            try:
                lake = Lake(workspace.settings)  # the store's own writes while we look
                for sentence in watch_and_tell(replace(workspace, lake=lake), self._leftovers):
                    self._heard.put(sentence)
            except Exception:  # noqa: BLE001 - a store goes on selling whatever a look meets
                _LOG.exception("nobody could look for alerts")
                self._heard.put("nobody could look for alerts: the log says why")
