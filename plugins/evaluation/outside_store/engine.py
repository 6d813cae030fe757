"""The product as an outside store talks to it: intake, prices of the hour, export and night, on the store's clock."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from catalog.arrays import Floats
from catalog.load import Catalog
from catalog.settings import Settings
from etl.transform import transform
from flows.workspace import now_of, prepared
from plugins.connect.intake.intake import Intake, TakenIn
from plugins.connect.intake.sale_lines import Kind
from plugins.connect.labels.acknowledge import acknowledge
from plugins.connect.labels.batch import PriceBatch
from plugins.connect.labels.export import export
from plugins.connect.labels.export_log import ExportLog
from plugins.evaluation.memory_registry import MemoryRegistry
from plugins.own_store.draws.hourly_prices import begin_hourly
from plugins.own_store.draws.outside_day import reprice_outside
from training.night import price_date, run_night
from warehouse.workspace import Workspace

_ONE_DAY = dt.timedelta(days=1)
_SECOND = dt.timedelta(seconds=1)


@dataclass
class _Shelves:
    """A target of the export: the batches that tills and labels were sent, in order."""

    batches: list[PriceBatch]
    name: str = "shelves"

    def deliver(self, batch: PriceBatch) -> None:
        """Take a batch."""
        self.batches.append(batch)


class InProcess:
    """The product in a lake of its own, on a clock that the store sets.

    A rehearsal's clock is the file that `SHELFPRICE_NOW` names; it never goes back, so a run that was stopped can be
    begun again from its start. Without one, the store's dates lie ahead of this machine's clock.
    """

    def __init__(self, settings: Settings, catalog: Catalog, seed: int, *, trains: bool = True) -> None:
        self.trains = trains
        self.workspace: Workspace = prepared(settings, catalog)
        self.registry, self.seed, self._now = MemoryRegistry(), seed, dt.datetime.now(dt.UTC)
        self.intake = Intake(self.workspace.lake, lambda _: self._now)
        self._log, self._sales = ExportLog(self.workspace.lake), TakenIn()
        self._shelves = _Shelves(list(self._log.history().batches))

    def at(self, now: dt.datetime) -> None:
        """Let it be so late, UTC."""
        self._now = now
        if self.workspace.settings.now is None:
            return
        clock = Path(self.workspace.settings.now)
        if not clock.exists() or dt.datetime.fromisoformat(clock.read_text(encoding="utf-8")) < now:
            draft = clock.with_name(f".{clock.name}")
            draft.write_text(now.isoformat(), encoding="utf-8")
            draft.replace(clock)
        self._now = now_of(self.workspace)

    def tell(self, kind: Kind, messages: Sequence[Any], now: dt.datetime) -> None:
        """Send what was sold, counted or came."""
        self.at(now)
        result = self.intake.take(self.workspace, kind, messages, "till")
        if result.refused:
            raise ValueError(f"expected an intake that takes {kind}, found {result.refused[0]}; the run was ended")

    def prices(self, now: dt.datetime, standing: Floats) -> Floats:
        """Export until tills and labels agree, acknowledge what they show, and return what tills charge from now on.

        EUR, shape (n_stores, n_products); `standing` where nothing was sent.
        """
        catalog = self.workspace.catalog
        rows, columns = ({name: at for at, name in enumerate(own)} for own in (catalog.store.stores, catalog.skus))
        till, label = standing.copy(), standing.copy()
        for _ in range(2):  # a till follows a raise once the label has
            export(self.workspace, self._shelves, log=self._log)
            newest = dict[str, str]()
            for batch in self._shelves.batches:
                for price in batch.prices:
                    if price.valid_from <= now:
                        newest[batch.store], place = batch.id, (rows[batch.store], columns[price.sku])
                        till[place], label[place] = price.till_price, price.price
            said = [
                {"batch": batch, "store": store, "device": device, "at": now.isoformat()}
                for store, batch in newest.items()
                for device in ("label", "till")
            ]
            acknowledge(self.workspace, said, "till", self._log)
            if np.array_equal(till, label, equal_nan=True):
                break
        return till

    def remake(self, now: dt.datetime) -> None:
        """Remake the prices of the stores that are open."""
        reprice_outside(self.workspace, now, sales=self._sales, seed=self.seed)

    def night(self, date: dt.date) -> None:
        """Close a date and do its night."""
        self.at(self.workspace.catalog.store.clock_of(None).midnight_after(date) + _SECOND)
        self.intake.make_dates(self.workspace)
        if self.trains:
            run_night(self.workspace, self.registry, date, self.seed)
            return
        transform(self.workspace)
        begin_hourly(self.workspace.lake, self.workspace.catalog, date + _ONE_DAY)
        price_date(self.workspace, self.registry, date + _ONE_DAY)
