"""Lakes of any age: a first week is really played and lived through, and later days are copies of it.

Every table that a day or a night leaves is there at its usual density: decisions, price decisions, cells, books, curves
and beliefs, what was in force, drift checks, nights, a judged model version a night, and a change of champion now and
then. So a lake of 1,000 days has as many files as a store that sold for 1,000 days, and is made in a minute.
"""

import datetime as dt
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from catalog.contracts import TABLES
from catalog.load import Catalog, load
from catalog.settings import Settings, read_settings
from etl.business_dates import DEFAULT_START
from evaluation.living_store import LivingStore
from evaluation.memory_registry import MemoryRegistry
from features.cells import definition_of
from features.stored_model import StoredModel
from training.promotion.history import THE_GATE, Change, record
from training.registry import RegistryState
from warehouse.lake import Lake, Partition

SEED = 7
PLAYED = 8  # days that are really played; copies of the last seven fall on the same weekday
CHANGE_EVERY = 2  # days between two champions
_BY_DAY = tuple(
    name for name, table in TABLES.items() if table.by == "day" and name not in {"interactions", "demand_cells"}
)


class AgedStore:
    """A store whose lake holds some days, ready to sell the next; it is copied and lengthened, never shortened."""

    def __init__(self, home: Path, played: int, catalog: Catalog | None = None) -> None:
        """Play and live through the first days of a store in a home of its own; at least four, so that a model prices.

        Parameters
        ----------
        played
            Days that are really played; those after the first are what later days are copies of.
        """
        self.home, self.catalog, self.played, self.days = home, catalog or load(), played, played
        store = LivingStore(self.settings, self.catalog, SEED)
        for day in range(played):
            store.sell(date_of(day))
            store.night(date_of(day))
        champion = store.champion
        if champion is None:
            raise ValueError(f"expected a champion after {played} days, found none: play more of them")
        self._model: StoredModel = champion.model
        self._changes = store.registry.state().change
        self._versions = len(list(self.lake.partitions("model_versions")))

    @property
    def settings(self) -> Settings:
        """Where the store lives."""
        return read_settings({"SHELFPRICE_HOME": str(self.home)})

    @property
    def lake(self) -> Lake:
        """Its lake."""
        return Lake(self.settings)

    def copied(self, home: Path) -> "AgedStore":
        """Return a store with the same past, in another home."""
        shutil.copytree(self.home, home, dirs_exist_ok=True)
        other = object.__new__(AgedStore)
        other.__dict__.update(self.__dict__, home=home)
        return other

    def age(self, days: int) -> None:
        """Let the store grow to a number of days, each a copy of a day that was played."""
        lake = self.lake
        definition = definition_of(self.catalog)
        for day in range(self.days, days):
            source = 1 + (day - 1) % (self.played - 1)
            later = _Copied(lake, date_of(source), date_of(day))
            for part in lake.partitions_on("interactions", later.source):
                decisions = later.publish(part)
                cells = Partition("demand_cells", later.source, part.group)
                later.publish(cells, inputs=f"{decisions}:{definition}")
            for table in _BY_DAY:
                for part in list(lake.partitions_on(table, later.source)):
                    later.publish(part)
            self._judge(later)
        self.days = max(self.days, days)

    def registry(self) -> MemoryRegistry:
        """Return the registry that this past would have left; it holds one model under all versions."""
        newest, dated = date_of(self.days - 1), {"learned_from": 28, "trained_through": 6}
        metadata = {name: str(newest - dt.timedelta(days=ago)) for name, ago in dated.items()}
        versions = [str(version) for version in range(1, self._versions + 1)]
        model = replace(self._model, metadata={**self._model.metadata, **metadata})
        return MemoryRegistry(dict.fromkeys(versions, model), versions, RegistryState(self._champion, self._changes))

    @property
    def _champion(self) -> str:
        change = self.lake.read(Partition("champions", None, f"{self._changes:06d}")).to_pylist()[0]
        return str(change["version"])

    def _judge(self, later: "_Copied") -> None:
        """Leave a judged version for a night, and every few nights a change of champion."""
        self._versions += 1
        version = str(self._versions)
        last = Partition("model_versions", None, f"v{self._versions - 1}")
        row = later.lake.read(last).to_pylist()[0]
        days = (later.target - row["judged_through"]).days
        rows = shifted(later.lake.read(last), days).to_pylist()
        rows[0] |= {"version": version, "promoted": self._versions % CHANGE_EVERY == 0}
        table = pa.Table.from_pylist(rows, schema=TABLES["model_versions"].schema)
        later.lake.publish(Partition("model_versions", None, f"v{version}"), table, inputs=version)
        if rows[0]["promoted"]:
            self._changes += 1
            morning = later.target + dt.timedelta(days=1)
            at = dt.datetime.combine(morning, dt.time(), dt.UTC)
            because = "a copy of an earlier night"
            change = Change(
                self._changes, version, self._champion_before, "promoted_by_gate", THE_GATE, at, because, morning
            )
            record(later.lake, change)

    @property
    def _champion_before(self) -> str:
        change = self.lake.read(Partition("champions", None, f"{self._changes - 1:06d}")).to_pylist()[0]
        return str(change["version"])


def date_of(day: int) -> dt.date:
    """Return a business date by its number, from 0."""
    return DEFAULT_START + dt.timedelta(days=day)


class _Copied:
    """One date's partitions, published again under another date with all their dates moved."""

    def __init__(self, lake: Lake, source: dt.date, target: dt.date) -> None:
        self.lake, self.source, self.target = lake, source, target

    def publish(self, part: Partition, inputs: str | None = None) -> str:
        """Publish a copy of a partition, and return its SHA-256."""
        receipt = self.lake.receipt(part)
        if receipt is None:
            raise ValueError(f"{part}: expected a receipt")
        rows = shifted(self.lake.read(part), (self.target - self.source).days)
        made_from = receipt.inputs if inputs is None else inputs
        copy = replace(part, business_date=self.target)
        return self.lake.publish(copy, rows, inputs=made_from, seed=receipt.seed).receipt.sha256


def shifted(rows: pa.Table, days: int) -> pa.Table:
    """Return a table with all its dates and moments moved by some days."""
    columns = [pc.cast(column, column.type) for column in _moved(rows, days)]
    return pa.table(columns, schema=rows.schema)


def _moved(rows: pa.Table, days: int) -> Iterator[pa.ChunkedArray]:
    for column in rows.columns:
        if pa.types.is_date32(column.type):
            moved = pc.add(column.cast(pa.timestamp("s")), pa.scalar(dt.timedelta(days=days), pa.duration("s")))
            yield moved.cast(pa.date32())
        elif pa.types.is_timestamp(column.type):
            yield pc.add(column, pa.scalar(dt.timedelta(days=days), pa.duration(column.type.unit)))
        else:
            yield column
