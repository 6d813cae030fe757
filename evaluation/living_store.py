"""A chain that lives through the very functions of the product, in a lake of its own.

Batches are played and published, cells are grouped, and every night is `training.night.run_night`. Only the registry is
kept in memory. What is measured on it is the product, its gate included.
"""

import datetime as dt
from dataclasses import dataclass

from catalog.load import Catalog
from catalog.priced_by import PricedBy
from catalog.settings import Settings
from etl.batches import batches_of, play_batch
from etl.prepare import prepared
from etl.transform import transform
from evaluation.memory_registry import MemoryRegistry
from serving.champion import Champion
from serving.in_force import pricing_on
from training.drift.watch import Announce, unannounced
from training.means import Means
from training.night import run_night
from training.nights import Night
from training.same_shoppers import earned_in


@dataclass(frozen=True)
class SoldDate:
    """What priced a business date, how many decisions all stores made, and what they earned together, EUR."""

    priced_by: PricedBy
    decisions: int
    gain_eur: float


class LivingStore:
    """A chain in a home of its own."""

    def __init__(self, settings: Settings, catalog: Catalog, seed: int) -> None:
        """Open before the first day, without a champion."""
        self.workspace, self.registry, self.seed = prepared(settings, catalog), MemoryRegistry(), seed

    @property
    def champion(self) -> Champion | None:
        """The champion, if there is one."""
        return self.registry.load()

    def sell(self, date: dt.date) -> SoldDate:
        """Sell a day at the prices in force and group it into cells."""
        lake, catalog = self.workspace.lake, self.workspace.catalog
        priced_by = pricing_on(lake, catalog, date)
        batches = batches_of(catalog, [date], None)
        decisions = sum(play_batch(self.workspace, batch, priced_by, self.seed).rows for batch in batches)
        transform(self.workspace)
        gain = sum(earned_in(lake, batch.partition, catalog) for batch in batches)
        return SoldDate(priced_by, decisions, gain)

    def night(self, date: dt.date, announce: Announce = unannounced) -> Night:
        """Do the night after a date."""
        return run_night(self.workspace, self.registry, date, self.seed, Means(announce=announce))
