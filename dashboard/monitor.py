"""What every page is built from: the places, the reader and the catalog in force."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dash import Dash
from dash.development.base_component import Component

from catalog.load import Catalog, load
from catalog.settings import Settings
from dashboard.reading import Reader


@dataclass(frozen=True)
class Monitor:
    """Handed to every page. `catalog_dir` is another shelf's folder, None for the default one."""

    settings: Settings
    catalog_dir: Path | None = None

    @cached_property
    def reader(self) -> Reader:
        """The one reader of the warehouse, shared by all browsers of this process."""
        return Reader(self.settings)

    def catalog(self) -> Catalog:
        """Read the catalog in force; it is read anew each time, so that a kill switch is seen at once.

        Raises
        ------
        CatalogError
            When a file cannot be used; the message names file, field and value.
        """
        return load(self.catalog_dir)


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
