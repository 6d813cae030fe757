"""What every page is built from: the places, the reader and the catalog in force."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dash import Dash
from dash.development.base_component import Component

from catalog.settings import Settings
from catalog.watched import WatchedCatalog
from dashboard.cache import Cache
from dashboard.data.reader import Reader
from dashboard.data.versions import Version, versions_of
from dashboard.live_controls import Control

VERSION_TABLES = ("model_versions", "champions")


@dataclass(frozen=True)
class Monitor:
    """Handed to every page.

    Attributes
    ----------
    settings
        Where things are.
    control
        Starts and stops live stores.
    catalog_dir
        Folder of another shelf, None for the default one.
    """

    settings: Settings
    control: Control
    catalog_dir: Path | None = None

    @cached_property
    def reader(self) -> Reader:
        """The one reader of the warehouse, shared by all browsers of this process."""
        return Reader(self.settings)

    @cached_property
    def catalog(self) -> WatchedCatalog:
        """The shelf and the store, read again when their files change: a kill switch is seen at once."""
        return WatchedCatalog(self.catalog_dir)

    def versions(self) -> tuple[Version, ...]:
        """Return every judged version, the newest first."""
        return self._versions.get(
            "judged",
            lambda: versions_of(self.reader.ask("judged_versions", VERSION_TABLES)),
            lambda: self.reader.stamp(*VERSION_TABLES),
        )

    @cached_property
    def _versions(self) -> Cache[tuple[Version, ...]]:
        return Cache(1)


@dataclass(frozen=True)
class Page:
    """One page.

    Attributes
    ----------
    name, path, title, icon
        Key in the page registry, address, name in the navigation, and the file `assets/icons/<icon>.svg`.
    order
        Position in the navigation.
    layout
        Builds the page for one visit; what it shows first must be cheap.
    wire
        Registers the page's callbacks, once.
    """

    name: str
    path: str
    title: str
    icon: str
    order: int
    layout: Callable[[Monitor], Component]
    wire: Callable[[Dash, Monitor], None]
