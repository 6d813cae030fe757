"""The ways to extend the core: each is a hook with a signature and a sentence.

A plugin is a package that imports the core, of this distribution or of another. It registers a provider by an entry
point in the group `shelfprice.<hook>`; the core asks the hook for its providers and imports no plugin.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

from pydantic import SecretStr

from catalog.errors import SettingError

if TYPE_CHECKING:  # types of the rooms above, for the reader and the type checker alone
    import duckdb

    from catalog.arrays import Floats
    from catalog.currency import Currency
    from catalog.decisions.pricing import PricedBy
    from catalog.decisions.store_day import Repriced
    from catalog.load import Catalog
    from catalog.records.fields import Section
    from catalog.settings import Settings
    from catalog.spread import Spread
    from catalog.tables.table import Table
    from etl.calendar import StoreNow
    from flows.cli.command import Command
    from serving.champion import Champion
    from serving.limits.orders import OrderBook, Orders
    from serving.optimise.policies import ShelfPrices
    from serving.quote import PriceQuestion, PriceQuote
    from training.fit.dataset import Dataset
    from training.judge.believed_gain import RivalBooks
    from training.schedule import Night
    from warehouse.checks.proof import Span
    from warehouse.lake import Lake
    from warehouse.workspace import Workspace

Provider = TypeVar("Provider")


class Hook(Generic[Provider]):
    """A named place at which plugins extend the core; `Provider` is the type that a plugin registers."""

    def __init__(self, name: str) -> None:
        self.name = name

    def all(self) -> tuple[Provider, ...]:
        """Return every registered provider, ordered by the name of its entry point."""
        return cast("tuple[Provider, ...]", _registered(self.name))

    def only(self) -> Provider | None:
        """Return the single registered provider, or None without one.

        Raises
        ------
        SettingError
            When two plugins register, since the choice between them would be chance.
        """
        providers = self.all()
        if len(providers) > 1:
            raise SettingError(
                f"expected one provider of shelfprice.{self.name}, found {len(providers)}: uninstall all but one"
            )
        return providers[0] if providers else None

    def needed(self, why: str) -> Provider:
        """Return the single registered provider.

        Parameters
        ----------
        why
            What requires it, such as the name of a setting.

        Raises
        ------
        SettingError
            When no plugin registers, or two do.
        """
        provider = self.only()
        if provider is None:
            raise SettingError(
                f"{why}: expected an installed package that provides shelfprice.{self.name}, found none; nothing was "
                "done: run `make install`"
            )
        return provider


@cache
def _registered(name: str) -> tuple[Any, ...]:
    entries = sorted(_installed().select(group=f"shelfprice.{name}"), key=lambda entry: entry.name)
    return tuple(entry.load() for entry in entries)


@cache
def _installed() -> Any:  # the type of entry points differs between Python 3.11 and 3.12
    """Return all entry points; read once, since every installed package is opened."""
    return entry_points()


class AfterBook(Protocol):
    """What listens for committed price books."""

    def __call__(self, workspace: "Workspace", date: dt.date) -> str | None:
        """React to a price book of a date that was committed; return a sentence for the log, or None."""
        ...


class AfterNight(Protocol):
    """What listens for the end of a night."""

    def __call__(self, workspace: "Workspace") -> Sequence[str]:
        """React to a night that has ended; return sentences for the log."""
        ...


@dataclass(frozen=True)
class DemandChange:
    """A product whose shoppers answer prices otherwise than the champion says.

    `business_date` is the day of the detection, `since` the first day of the new answer. Shoppers buy `more` or `less`
    (`direction`). `before` and `after` are shares that bought less the chance of sale, probability.
    """

    sku: str
    business_date: dt.date
    since: dt.date
    direction: str
    before: float
    after: float


Announce = Callable[[str, Sequence[DemandChange]], None]
"""Called with the champion's version and new changes in demand, before the days that show them are published."""


def unannounced(_version: str, _changes: Sequence[DemandChange]) -> None:
    """Announce nothing."""


class ChangesSeen(Protocol):
    """What watches whether the champion's demand still holds."""

    def __call__(self, workspace: "Workspace", champion: "Champion", through: dt.date, announce: Announce) -> object:
        """Check the champion on the days through a date, and publish them in `drift_checks`."""
        ...


@dataclass(frozen=True)
class SecondOpinion:
    """What a plugin says of a challenger's prices, beside the belief.

    `veto` says why they may not be used, None where nothing speaks against them; `note` is a sentence for people. The
    `figures` are kept in `model_versions` under `name`; nested numbers become metrics of the training.
    """

    name: str
    veto: str | None
    note: str
    figures: Mapping[str, Any]


class Veto(Protocol):
    """What may stop a challenger whose prices the belief would promote."""

    def __call__(
        self, connection: "duckdb.DuckDBPyConnection", workspace: "Workspace", dataset: "Dataset", rivals: "RivalBooks"
    ) -> SecondOpinion | None:
        """Judge the challenger's price book against the one in force, on the held-out days; None without evidence."""
        ...


class ReportSection(Protocol):
    """A section of the report after a loop; `section` is its name."""

    section: str

    def collect(self, lake: "Lake") -> dict[str, Any] | None:
        """Return what the section says as plain values; None where there is nothing to say."""
        ...

    def show(self, record: dict[str, Any], money: "Currency") -> None:
        """Print what was collected."""
        ...


class OpenDays(Protocol):
    """What sells the twin's days tick by tick."""

    def __call__(self, workspace: "Workspace", date: dt.date, seed: int) -> int:
        """Sell what is left of a date's open days and close them; return how many there were.

        Raises
        ------
        Declined
            When another process is selling one of the stores.
        """
        ...


class Machines(Protocol):
    """A cluster of machines that runs jobs."""

    def refuse_absent_cluster(self, settings: "Settings") -> None:
        """Raise when the cluster of `SHELFPRICE_DASK` does not answer."""
        ...

    def on_cluster(self, settings: "Settings", say: Callable[[str], None]) -> AbstractContextManager["Spread"]:
        """Run jobs on the workers of a cluster while the context is open."""
        ...


class Database(Protocol):
    """A database server that holds the records of services."""

    def refuse_absent_database(self, address: SecretStr) -> None:
        """Raise when the database of `SHELFPRICE_DATABASE` does not answer."""
        ...

    def keep_database_up_to_date(self, settings: "Settings", say: Callable[[str], None]) -> None:
        """Migrate the schemas of Prefect and MLflow to the installed versions."""
        ...


class Standing(Protocol):
    """A price that stands, EUR, and the rule that decided it, a key of `catalog.decisions.rules.RULES`."""

    @property
    def price(self) -> float: ...  # noqa: D102 - described above

    @property
    def rule(self) -> str: ...  # noqa: D102


class StoreStanding(Protocol):
    """What stands in a store from its next tick on."""

    @property
    def prices(self) -> "Floats":
        """EUR, shape (n_products,); NaN where unknown."""
        ...

    def of(self, sku: str) -> Standing | None:
        """Return what stands for a product; None where that is unknown."""
        ...


class ShelfQuotes(Protocol):
    """Quotes the prices that stand in stores without a price book."""

    @property
    def tag(self) -> tuple[str, ...]:
        """Return the version tag of the prices in force."""
        ...

    def open_for(self, stores: Sequence[str]) -> None:
        """Read the prices that stand in stores."""
        ...

    def distinct(self, question: "PriceQuestion") -> dict[tuple[float, str], list[str]]:
        """Return the stores of each price of a product, EUR, and its rule; infinite where unknown."""
        ...

    def answer(self, question: "PriceQuestion", store: str) -> "PriceQuote":
        """Answer a question for one store."""
        ...


class Seller(Protocol):
    """Prices, closes and quotes the stores whose sales come from outside."""

    def sells_from_book(self, catalog: "Catalog") -> bool:
        """Return whether the belief of a price book sells in these stores, around the owner's prices."""
        ...

    def sold_since(self, lake: "Lake", catalog: "Catalog", through: dt.date) -> dt.date | None:
        """Return the first date up to one that was sold at prices of ours; None where all dates teach."""
        ...

    def regular_prices(self, lake: "Lake", catalog: "Catalog", before: dt.date | None = None) -> "ShelfPrices | None":
        """Return the last regular prices before a date, or of all, EUR; None in a lake that is not a retailer's."""
        ...

    def changes_of_shelves(self, lake: "Lake") -> tuple[object, ...]:
        """Return a version tag of the retailer's log; constant for other lakes."""
        ...

    def holds_exported(
        self, connection: "duckdb.DuckDBPyConnection", catalog: "Catalog", after: dt.date, through: dt.date
    ) -> bool:
        """Return whether a decision that counts, after a date and up to another, met a price that others set."""
        ...

    def spans_of_exports(self, lake: "Lake", date: dt.date) -> "tuple[Span, ...]":
        """Return what lies beside exported sales before a date; empty where there are none."""
        ...

    def standing_prices(self, lake: "Lake", catalog: "Catalog", date: dt.date) -> "ShelfPrices":
        """Return the owner's prices on a date, EUR; NaN where no sale has shown one."""
        ...

    def pricing_on(
        self,
        lake: "Lake",
        catalog: "Catalog",
        date: dt.date,
        orders: "Orders",
        stores: Sequence[str] | None,
        *,
        is_stopped: bool,
    ) -> "PricedBy":
        """Return the policy that prices a date; the owner's prices stand while the kill switch is on."""
        ...

    def next_open_date(self, catalog: "Catalog", store: str, date: dt.date, now: dt.datetime) -> dt.date:
        """Return the first open date, from a date on, on which a store has not closed at a moment, UTC."""
        ...

    def night(
        self, workspace: "Workspace", date: dt.date, seed: int, inputs: str, opens: dt.date | None
    ) -> "Night | None":
        """Do the night after a date and record it; None leaves the night to the belief and its price book."""
        ...

    def quotes(self, lake: "Lake", catalog: "Catalog", stores: "Mapping[str, StoreNow]") -> ShelfQuotes | None:
        """Return the quotes of stores whose prices follow from no price book; None where a book prices them."""
        ...

    def close_days(self, workspace: "Workspace", now: dt.datetime) -> None:
        """Publish the sales of the dates that are over at a moment, UTC."""
        ...

    def reprice(self, workspace: "Workspace", store: str | None, now: dt.datetime) -> "list[Repriced]":
        """Remake the prices of the stores that are open at a moment, UTC, or of one."""
        ...

    def decide_design(self, workspace: "Workspace", reason: str | None, *, is_approved: bool) -> str:
        """Record that a person approved the design of drawn prices or withdrew it; return a sentence."""
        ...

    def set_owner_price(self, workspace: "Workspace", sku: str, price: float, store: str | None, reason: str) -> str:
        """Record the owner's new price of a product whose prices are drawn; return a sentence."""
        ...


COMMANDS: "Hook[tuple[Command, ...]]" = Hook("commands")
"""Further commands of `shelfprice`."""

TABLES: "Hook[tuple[Table, ...]]" = Hook("tables")
"""Contracts of further tables of the lake, beside those in `catalog/tables`."""

VIEWS: Hook[Path] = Hook("views")
"""Folders of SQL files with views over these tables, created after those of `warehouse/query`."""

SECTIONS: "Hook[tuple[Section, ...]]" = Hook("sections")
"""Further sections of store.yaml; `Store.section` returns what the file says there."""

ORDERS: "Hook[OrderBook]" = Hook("orders")
"""The keeper of people's orders, the kill switch among them; without it, a lake with orders is refused."""

STANDING: "Hook[Callable[[Lake, Catalog, Mapping[str, StoreNow]], Mapping[str, StoreStanding]]]" = Hook("standing")
"""Works out what stands in stores next: quotes need it where prices of one shelf limit each other."""

SELLERS: "Hook[Seller]" = Hook("sellers")
"""Prices, closes and quotes the stores whose sales come from outside; the built-in seller is the price book."""

AFTER_BOOK: Hook[AfterBook] = Hook("after_book")
"""Called when a price book has been committed."""

ON_TICK: "Hook[Callable[[Workspace], Any]]" = Hook("on_tick")
"""Called at each tick of a live day."""

CHANGES_SEEN: Hook[ChangesSeen] = Hook("changes_seen")
"""Called each night with the champion; a training splits its days where `drift_checks` shows a change."""

VETOES: Hook[Veto] = Hook("vetoes")
"""Judges a challenger's prices beside the belief; any veto keeps the gate from promoting it."""

TRUTH: "Hook[Callable[[Workspace, Dataset], Floats | None]]" = Hook("truth")
"""The true chance of sale of each held-out cell, by which candidates are scored; None where it is unknown."""

REPORTS: Hook[ReportSection] = Hook("reports")
"""Further sections of the report after a loop."""

AFTER_NIGHT: Hook[AfterNight] = Hook("after_night")
"""Called at the end of each night."""

OPEN_DAYS: Hook[OpenDays] = Hook("open_days")
"""Closes days that were left open while they were sold tick by tick; without it, no day is."""

STORE: "Hook[Callable[[Settings], Any]]" = Hook("store")
"""Opens the `warehouse.stores.protocol.LakeStore` of a lake that is not a folder, such as an object store."""

LOCKS: Hook[Any] = Hook("locks")
"""Locks that hold on every machine that shares a lake."""

SPREAD: Hook[Machines] = Hook("spread")
"""Runs jobs on several machines."""

DATABASE: Hook[Database] = Hook("database")
"""Holds the records of Prefect and MLflow in PostgreSQL."""

SERVICES: "Hook[Callable[[Settings], Any]]" = Hook("services")
"""Reports how the services of `shelfprice up` are; None while they do not run."""
