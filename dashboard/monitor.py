"""What every page is built from: the places, the reader and the catalog in force."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dash import Dash
from dash.development.base_component import Component

from catalog.load import WatchedCatalog
from catalog.settings import Settings
from dashboard.access import refusal
from dashboard.cache import Cache
from dashboard.data.desk.people import KillSwitch
from dashboard.data.desk.price_desk import PriceDesk
from dashboard.data.reader import Reader
from dashboard.data.versions import Version, versions_of
from dashboard.prefect.control import LiveControl
from dashboard.prefect.runs import Runs, runs_of
from warehouse.origin import RECORD, refusal_of, why_not_played
from warehouse.query.advice import Situation, next_command, own_shelf, situation_of, views_again

VERSION_TABLES = ("model_versions", "champions")
_SITUATION_TABLES = (
    *(*VERSION_TABLES, "interactions", "unit_sales", "live_interactions", "demand_cells", "booked_prices"),
)


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
    control: LiveControl
    catalog_dir: Path | None = None

    @cached_property
    def reader(self) -> Reader:
        """The one reader of the warehouse, shared by all browsers of this process."""
        return Reader(self.settings)

    @property
    def catalog(self) -> WatchedCatalog:
        """The shelf and the store, read again when their files change: a kill switch is seen at once."""
        folder = self.catalog_dir or own_shelf(self.settings)
        if folder not in self._catalogs:
            self._catalogs[folder] = WatchedCatalog(folder)
        return self._catalogs[folder]

    @cached_property
    def _catalogs(self) -> dict[Path | None, WatchedCatalog]:
        return {}

    def situation(self) -> Situation:
        """Return the state of the lake, which decides what to do next."""
        return self._situations.get(
            "now",
            lambda: situation_of(self.settings, self.catalog_dir),
            lambda: (self.reader.lake.notes.changed_at(RECORD), *self.reader.stamp(*_SITUATION_TABLES)),
        )

    @cached_property
    def _situations(self) -> Cache[Situation]:
        return Cache(1)

    @cached_property
    def desk(self) -> PriceDesk:
        """The price desk, shared by all browsers of this process."""
        return PriceDesk(self.settings, self.reader, lambda: self.catalog.current())  # noqa: PLW0108 - asked later

    @cached_property
    def runs(self) -> Runs:
        """The last flow runs, as Prefect tells all browsers of this process."""
        return runs_of(self.settings)

    @cached_property
    def kill_switch(self) -> KillSwitch:
        """The kill switch of the desk."""
        return KillSwitch(self.reader)

    def next_command(self) -> str | None:
        """Return the command that brings the lake one step nearer to prices; None where nothing is missing."""
        return next_command(self.situation(), kill_switch=self.catalog.current().store.guardrails.kill_switch)

    def why_no_live_day(self) -> str | None:
        """Say why who asks cannot let a store sell live in this lake; None where they can."""
        if (why := refusal(self.settings, "manager")) is not None:
            return why
        why = refusal_of(self.reader.lake.store, self.situation().origin, "twin")
        return why or why_not_played(self.catalog.current().store)

    def without_warehouse(self) -> str:
        """Return the command to begin with, or the one that makes a lost file of views anew."""
        return views_again(self.situation())

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
    keeps
        Query parameters of the address that the layout takes by name, unchecked: people may have typed them.
    """

    name: str
    path: str
    title: str
    icon: str
    order: int
    layout: Callable[..., Component]
    wire: Callable[[Dash, Monitor], None]
    keeps: tuple[str, ...] = ()
