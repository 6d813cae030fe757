"""What every page is built from: the places, the reader and the catalog in force."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dash import Dash
from dash.development.base_component import Component

from catalog.errors import CatalogError
from catalog.load import DEFAULT_DIR, Catalog, load
from catalog.settings import Settings
from dashboard.data.reading import Reader, modified
from dashboard.live_controls import Control


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
    def catalog(self) -> "CatalogInForce":
        """The shelf and the store, read again when their files change."""
        return CatalogInForce(self.catalog_dir or DEFAULT_DIR)


class CatalogInForce:
    """A catalog that follows its files: a kill switch is seen at once, and a broken file changes nothing."""

    def __init__(self, folder: Path) -> None:
        self._files = (folder / "products.yaml", folder / "store.yaml")
        self._folder = folder
        self._stamp: tuple[int, ...] | None = None
        self._catalog: Catalog | None = None
        self.error: str | None = None

    def read(self) -> Catalog:
        """Return the catalog; when its files cannot be used, the last one that could, and `error` says why.

        Raises
        ------
        CatalogError
            When no catalog could be read since the start.
        """
        stamp = tuple(modified(file) for file in self._files)
        if stamp != self._stamp or self._catalog is None:
            try:
                self._catalog, self.error = load(self._folder), None
            except CatalogError as error:
                if self._catalog is None:
                    raise
                self.error = str(error)
            self._stamp = stamp
        return self._catalog


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
