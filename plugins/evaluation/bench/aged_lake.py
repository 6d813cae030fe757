"""Lakes of any age: a first week is really played and lived through, and later days are copies of it.

Every table that a day or a night leaves is there at its usual density: decisions, price decisions, cells, counts,
books, curves and beliefs, what was in force, drift checks, nights, a judged model version a night, and a change of
champion now and then. So a lake of 1,000 days has as many files as a store that sold for 1,000 days, and is made in a
minute.
"""

import datetime as dt
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from catalog.load import CLASSIC, Catalog, load
from catalog.settings import Settings, read_settings
from catalog.tables.contracts import TABLES
from etl.calendar import DEFAULT_START
from features.cells import cells_from, definition_of
from features.stored_model import StoredModel
from plugins.evaluation.living_store import LivingStore
from plugins.evaluation.memory_registry import MemoryRegistry
from training.champion import THE_GATE, ChampionChange, record
from training.registry import RegistryState
from warehouse.lake import Lake, Partition
from warehouse.origin import GROUPED
from warehouse.receipts import Receipt

SEED = 7
PLAYED = 8  # days that are really played; copies of the last seven fall on the same weekday
CHANGE_EVERY = 2  # days between two champions
_BY_DAY = tuple(name for name, table in TABLES.items() if table.by == "day" and name not in {"interactions", *GROUPED})


class AgedStore:
    """A store whose lake holds some days, ready to sell the next; it is copied and lengthened, never shortened."""

    def __init__(self, home: Path, played: int, catalog: Catalog | None = None) -> None:
        """Play and live through the first days of a store in a home of its own; at least four, so that a model prices.

        Parameters
        ----------
        played
            Days that are really played; those after the first are what later days are copies of.
        """
        self.home, self.catalog, self.played, self.days = home, catalog or load(CLASSIC), played, played
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
            sold = list(lake.partitions_on("interactions", later.source))
            others = [part for table in _BY_DAY for part in lake.partitions_on(table, later.source)]
            is_played = {part: later.receipt_of(part).is_of_the_twin for part in others}
            later.commit("batch", [*(part for part in others if is_played[part]), *sold])
            later.commit("night", [part for part in others if not is_played[part]])
            for part in sold:
                copy = replace(part, business_date=later.target)
                for made, inputs in cells_from(copy, later.receipt_of(copy).sha256, definition).parts.items():
                    later.publish(replace(made, business_date=later.source), inputs)
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
            change = ChampionChange(
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

    def receipt_of(self, part: Partition) -> Receipt:
        """Return the receipt of a partition that must be there."""
        receipt = self.lake.receipt(part)
        if receipt is None:
            raise ValueError(f"{part}: expected a receipt")
        return receipt

    def commit(self, kind: str, parts: list[Partition]) -> None:
        """Commit copies of the partitions of a batch or of a night together."""
        seed = self.receipt_of(parts[0]).seed
        with self.lake.commit(f"{kind}-{self.target}", inputs="a copy", seed=seed) as commit:
            for part in parts:
                commit.publish(*self._copy_of(part), inputs=self.receipt_of(part).inputs)

    def publish(self, part: Partition, inputs: str) -> None:
        """Publish a copy of a partition alone."""
        self.lake.publish(*self._copy_of(part), inputs=inputs)

    def _copy_of(self, part: Partition) -> tuple[Partition, pa.Table]:
        rows = shifted(self.lake.read(part), (self.target - self.source).days)
        return replace(part, business_date=self.target), rows


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
