"""The desk that the API answers from: kept in memory, and opened again when the lake or the catalog has changed.

A look costs a few listings of folders, or of an object store, so it happens at most every so often, in a thread, while
requests are answered from the desk at hand. After a pause without requests the first one waits for the look.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Annotated, Any

from fastapi import Depends, Request

from catalog.errors import DataError, ShelfpriceError
from catalog.load import Catalog, WatchedCatalog
from catalog.settings import Settings
from flows.workspace import now_of
from serving.quote import QuoteDesk
from warehouse.lake import Lake
from warehouse.origin import SOLD, newest_closed
from warehouse.query.advice import own_shelf
from warehouse.workspace import Workspace

LOOK_EVERY = 0.25  # seconds
_LONGEST_UNSEEN = 1.0  # seconds
_SETTLED = 2.0  # seconds after which a change can no longer hide in the same tick of the file system's clock
KEPT_ANSWERS = 16_384
"""About 2 kB each."""
_OF_A_BOOK = ("booked_prices", "demand_curves", "beliefs", "price_changes", "unit_sales", "promotions", "price_draws")


@dataclass(frozen=True)
class DeskInForce:
    """A desk, and its answers as they are sent, asked as `QuoteDesk.text` is; those that it has given are cached."""

    desk: QuoteDesk
    answer: Callable[..., bytes]


class KeptDesk:
    """Hands out the desk in force.

    Parameters
    ----------
    catalog_dir
        Folder of the catalog; None for the one that the lake or the project has.
    look_every
        Seconds between two looks.

    Attributes
    ----------
    problem
        Why the lake cannot be read now, so that earlier prices stay in force; None while it can.
    """

    def __init__(self, settings: Settings, catalog_dir: Path | None = None, look_every: float = LOOK_EVERY) -> None:
        self._lake, self._catalog_dir, self._look_every = Lake(settings), catalog_dir, look_every
        self._watched: dict[Path | None, WatchedCatalog] = {}
        self._kept: DeskInForce | None = None
        self._seen: tuple[Any, ...] = ()
        self._looked_at = -float("inf")
        self._settles_at = float("inf")
        self._look: asyncio.Task[None] | None = None
        self._looking = Lock()
        self.problem: str | None = None

    async def current(self) -> DeskInForce:
        """Return the desk in force.

        Raises
        ------
        ShelfpriceError, OSError
            When nothing could be read so far.
        """
        age = time.monotonic() - self._looked_at
        if age >= self._look_every or self._kept is None:
            if self._look is None or self._look.done():
                self._look = asyncio.create_task(asyncio.to_thread(self.look))
            if age >= max(_LONGEST_UNSEEN, self._look_every) or self._look_every == 0 or self._kept is None:
                await asyncio.shield(self._look)
            else:
                self._look.add_done_callback(lambda task: task.cancelled() or task.exception())
        if self._kept is None:
            raise ShelfpriceError(self.problem or "nothing was read")
        return self._kept

    def look(self) -> None:
        """Open the desk again if its sources have changed; it stays when they cannot be read.

        Raises
        ------
        ShelfpriceError, OSError
            When it cannot be read and there is no earlier desk.
        """
        try:
            with self._looking:
                self._see()
            self.problem = None
        except (ShelfpriceError, OSError) as error:
            self.problem = str(error)
            if self._kept is None:
                raise
        self._looked_at = time.monotonic()

    def _see(self) -> None:
        self._lake.finish_interrupted()
        now, catalog = time.monotonic(), self.catalog_in_force()
        clock = now_of(self.workspace())
        hour = f"{clock:%Y-%m-%d %H}" if catalog.store.sales == "outside" else None
        seen = (catalog, self._sold(), hour, tuple(self._lake.changes(table) for table in _OF_A_BOOK))
        desk = self._kept.desk if self._kept else None
        if desk is None or seen != self._seen or now > self._settles_at:
            self._settles_at = float("inf") if seen == self._seen else now + _SETTLED
            opened = QuoteDesk(self._lake, catalog, self._catalog_dir, clock)
            if desk is None or opened.tag != desk.tag:
                for store in () if desk is None else tuple(desk.opened):  # so that no store waits for its book
                    with suppress(DataError):
                        opened.open_for(store)
                desk = opened
            self._seen = seen
        if self._kept is None or desk is not self._kept.desk:
            answer = lru_cache(KEPT_ANSWERS)(lambda *question, **how: desk.text(*question, **how).encode())
            self._kept = DeskInForce(desk, answer)

    def _sold(self) -> tuple[object, ...]:
        """Return what changes with the sales of days in progress, and with the newest closed one."""
        closed = newest_closed(self._lake)
        over = [] if closed is None else [self._lake.changed_at(table, closed) for table in SOLD]
        return tuple(self._lake.changes("live_interactions").items()), closed, *over

    def catalog_in_force(self) -> Catalog:
        """Return the newest catalog that could be used."""
        folder = self._catalog_dir or own_shelf(self._lake.settings)
        if folder not in self._watched:
            self._watched[folder] = WatchedCatalog(folder)
        return self._watched[folder].current()

    def workspace(self) -> Workspace:
        """Return the workspace with the catalog in force."""
        return Workspace(self._lake.settings, self.catalog_in_force(), self._lake)


def open_workspace(request: Request) -> Workspace:
    """Return the workspace with the catalog in force: what a route depends on."""
    kept: KeptDesk = request.app.state.desk
    return kept.workspace()


OpenWorkspace = Annotated[Workspace, Depends(open_workspace)]
