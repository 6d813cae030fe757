"""The product as an outside store that changes hourly talks to it: intake, reprice, export and night."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from catalog.arrays import Floats
from catalog.load import Catalog
from catalog.settings import Settings
from connect.export.acknowledge import acknowledge
from connect.export.batch import PriceBatch
from connect.export.export import export
from connect.export.export_log import ExportLog
from connect.intake.day_so_far import TakenIn
from connect.intake.intake import Intake
from connect.intake.sale_lines import Kind
from etl.transform import transform
from evaluation.memory_registry import MemoryRegistry
from flows.workspace import prepared
from serving.outside_day import reprice_outside
from training.hourly_start import begin_hourly
from training.night import price_date, run_night
from warehouse.workspace import Workspace

_ONE_DAY = dt.timedelta(days=1)
_SECOND = dt.timedelta(seconds=1)


class Engine(Protocol):
    """What an outside store talks to."""

    def tell(self, kind: Kind, messages: Sequence[Any], now: dt.datetime) -> None:
        """Send what was sold, counted or came."""
        ...

    def prices(self, now: dt.datetime, standing: Floats) -> Floats:
        """Return what tills charge from now on, EUR, shape (n_stores, n_products); `standing` where nothing is sent."""
        ...

    def remake(self, now: dt.datetime) -> None:
        """Let prices be remade for the tick that begins."""
        ...

    def night(self, date: dt.date) -> None:
        """Let the night after a date be done."""
        ...


@dataclass
class _Shelves:
    """A target of the export: the newest price that each till and label was sent, EUR, by store and product."""

    till: dict[tuple[str, str], float] = field(default_factory=dict)
    label: dict[tuple[str, str], float] = field(default_factory=dict)
    newest: dict[str, str] = field(default_factory=dict)
    name: str = "shelves"

    def deliver(self, batch: PriceBatch) -> None:
        """Take a batch."""
        self.newest[batch.store] = batch.id
        for price in batch.prices:
            self.till[batch.store, price.sku], self.label[batch.store, price.sku] = price.till_price, price.price


class InProcess:
    """The product in a lake of its own, in this process, on a clock that the store sets."""

    def __init__(self, settings: Settings, catalog: Catalog, seed: int, *, trains: bool = True) -> None:
        self.trains = trains
        self.workspace: Workspace = prepared(settings, catalog)
        self.registry, self.seed, self._now = MemoryRegistry(), seed, dt.datetime.now(dt.UTC)
        self.intake = Intake(self.workspace.lake, lambda _: self._now)
        self._shelves, self._log, self._sales = _Shelves(), ExportLog(self.workspace.lake), TakenIn()

    def tell(self, kind: Kind, messages: Sequence[Any], now: dt.datetime) -> None:
        """Send what was sold, counted or came."""
        self._now = now
        result = self.intake.take(self.workspace, kind, messages, "till")
        if result.refused:
            raise ValueError(f"expected an intake that takes {kind}, found {result.refused[0]}; the run was ended")

    def prices(self, now: dt.datetime, standing: Floats) -> Floats:
        """Export until tills and labels agree, acknowledge what they show, and return what tills charge."""
        shelves, stores, skus = self._shelves, self.workspace.catalog.store.stores, self.workspace.catalog.skus
        for _ in range(2):  # a till follows a raise once the label has
            export(self.workspace, shelves, log=self._log)
            said = [
                {"batch": batch, "store": store, "device": device, "at": now.isoformat()}
                for store, batch in shelves.newest.items()
                for device in ("label", "till")
            ]
            acknowledge(self.workspace, said, "till", self._log)
            if shelves.till == shelves.label:
                break
        shown = standing.copy()
        for row, store in enumerate(stores):
            for column, sku in enumerate(skus):
                shown[row, column] = shelves.till.get((store, sku), standing[row, column])
        return shown

    def remake(self, now: dt.datetime) -> None:
        """Remake the prices of the stores that are open."""
        reprice_outside(self.workspace, now, sales=self._sales, seed=self.seed)

    def night(self, date: dt.date) -> None:
        """Close a date and do its night."""
        self._now = self.workspace.catalog.store.clock_of(None).midnight_after(date) + _SECOND
        self.intake.make_dates(self.workspace)
        if self.trains:
            run_night(self.workspace, self.registry, date, self.seed)
            return
        transform(self.workspace)
        begin_hourly(self.workspace.lake, self.workspace.catalog, date + _ONE_DAY)
        price_date(self.workspace, self.registry, date + _ONE_DAY)
