"""What all work is done in: settings, catalog and lake, opened once at the edge and handed down."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from catalog.load import Catalog
from catalog.settings import Settings
from catalog.spread import Spread
from warehouse.commits.locks import is_held
from warehouse.commits.notes import ASKED, EXPORTS, KEYS
from warehouse.commits.record import FOLDER, PENDING, RECORD_ENDING
from warehouse.lake import Lake

_AN_INSTANT = 10.0  # seconds; a text is written in far less
_LONGEST_BUILD = 3_600.0  # seconds; views are built in one


@dataclass(frozen=True)
class Workspace:
    """A catalog and a lake that are ready for work: every table of the contracts is in place."""

    settings: Settings
    catalog: Catalog
    lake: Lake


@dataclass(frozen=True)
class Whereabouts:
    """What another process needs to open a workspace that is ready: this travels, an open lake does not.

    `settings` is None where those of the other process hold, so that no password travels: see `settled`.
    """

    catalog: Catalog
    settings: Settings | None

    def opened(self) -> Workspace:
        """Return the workspace."""
        assert self.settings is not None  # noqa: S101 - a worker settles a job first
        return Workspace(self.settings, self.catalog, Lake(self.settings))


def whereabouts(workspace: Workspace, spread: Spread) -> Whereabouts:
    """Return what the executor of a job needs to open a workspace."""
    return Whereabouts(workspace.catalog, None if spread.is_elsewhere else workspace.settings)


def settled(job: Any, settings: Settings) -> Any:
    """Return a job from elsewhere with the settings that hold here; a job without a workspace stays as it is."""
    where = getattr(job, "where", None)
    if isinstance(where, Whereabouts) and where.settings is None:
        return replace(job, where=replace(where, settings=settings))
    return job


def abandoned_drafts(lake: Lake) -> Iterator[Path]:
    """Yield the drafts of notes and of the file of views that no process is writing: a killed run left them.

    The draft of a commit's record is written under the commit's lock; any other text is abandoned once it is old.
    Staged partitions are left to their next commit.
    """
    for folder in ("", FOLDER, PENDING, EXPORTS, ASKED, KEYS):
        for path in sorted((lake.settings.lake / folder).glob("*.draft")):
            commit = path.name.partition(RECORD_ENDING)[0]
            if not is_held(lake.locks, commit) if folder == PENDING else is_old(path):
                yield path
    views = lake.settings.warehouse_file
    for path in sorted(views.parent.glob(f"{views.stem}.*.new*")):
        if not _is_being_built(path):
            yield path


def is_old(path: Path, seconds: float = _AN_INSTANT) -> bool:
    """Return whether a file was written long ago; False when it is gone."""
    try:
        return abs(time.time() - path.stat().st_mtime) > seconds
    except FileNotFoundError:
        return False


def _is_being_built(path: Path) -> bool:
    """Return whether the process that a draft of the views is named after may still build it."""
    try:
        os.kill(int(path.name.split(".")[1]), 0)
    except (ValueError, OverflowError, ProcessLookupError):
        return False
    except PermissionError:
        pass  # of another user
    return not is_old(path, _LONGEST_BUILD)
