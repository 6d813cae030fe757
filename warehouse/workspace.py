"""What all work is done in: settings, catalog and lake, opened once at the edge and handed down."""

from dataclasses import dataclass

from catalog.load import Catalog
from catalog.settings import Settings
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
