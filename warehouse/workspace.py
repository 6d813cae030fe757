"""What all work is done in: settings, catalog and lake, opened once at the edge and handed down."""

from dataclasses import dataclass

from catalog.load import Catalog
from catalog.settings import Settings, read_settings
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
        None for those of the environment of whoever opens it, so that no password travels.
    """

    catalog: Catalog
    settings: Settings | None

    def opened(self) -> Workspace:
        """Return the workspace as whoever is here sees it."""
        settings = self.settings or read_settings()
        return Workspace(settings, self.catalog, Lake(settings))


def whereabouts(workspace: Workspace, spread: Spread) -> Whereabouts:
    """Return what those who do the work need to open a workspace."""
    return Whereabouts(workspace.catalog, None if spread.is_elsewhere else workspace.settings)
