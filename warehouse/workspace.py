"""What all work is done in: settings, catalog and lake, opened once at the edge and handed down."""

from dataclasses import dataclass, replace
from typing import Any

from catalog.load import Catalog
from catalog.settings import Settings
from catalog.spread import Spread
from warehouse.lake import Lake


@dataclass(frozen=True)
class Workspace:
    """A catalog and a lake that are ready for work.

    Attributes
    ----------
    settings
        Where things live, and where services listen.
    catalog
        The shelf and the stores that are worked for.
    lake
        The tables; those of `settings`, with every table of the contracts in place.
    """

    settings: Settings
    catalog: Catalog
    lake: Lake


@dataclass(frozen=True)
class Whereabouts:
    """What another process needs to open a workspace that is ready: this travels, an open lake does not.

    Attributes
    ----------
    settings
        None where those of whoever opens it hold, so that no password travels: see `settled`.
    """

    catalog: Catalog
    settings: Settings | None

    def opened(self) -> Workspace:
        """Return the workspace."""
        assert self.settings is not None  # noqa: S101 - whoever works elsewhere settles a job first
        return Workspace(self.settings, self.catalog, Lake(self.settings))


def whereabouts(workspace: Workspace, spread: Spread) -> Whereabouts:
    """Return what those who do the work need to open a workspace."""
    return Whereabouts(workspace.catalog, None if spread.is_elsewhere else workspace.settings)


def settled(job: Any, settings: Settings) -> Any:
    """Return a job that came from elsewhere, with the settings that hold here; one without a workspace is as it was."""
    where = getattr(job, "where", None)
    if isinstance(where, Whereabouts) and where.settings is None:
        return replace(job, where=replace(where, settings=settings))
    return job
