"""A chain that lives through the very functions of the product, in a lake of its own.

Batches are played and published, cells are grouped, and every night is `training.night.run_night`. Only the registry is
kept in memory. What is measured on it is the product, its gate included.
"""

import datetime as dt
import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, NamedTuple

from catalog.decisions.pricing import PricedBy
from catalog.errors import Declined
from catalog.hooks import Announce, unannounced
from catalog.load import Catalog
from catalog.names import Outcome, outcome_of
from catalog.settings import Settings
from etl.batches import play_batch
from etl.transform import transform
from flows.workspace import prepared
from plugins.evaluation.memory_registry import MemoryRegistry
from plugins.evaluation.same_shoppers import takings_in
from plugins.evaluation.takings import Takings, sum_of
from serving.champion import Champion
from serving.store.play import priced_batches
from training.evening import RunContext
from training.judge.believed_gain import BelievedGain
from training.night import price_date, run_night
from training.schedule import Night
from warehouse.lake import Partition

Source = Literal["base", "belief", "champion"]
_WITHOUT_LEARNING = ("static", "rule")


@dataclass(frozen=True)
class SoldDate:
    """What priced a business date, how many decisions all stores made, and what they took and earned together, EUR."""

    priced_by: PricedBy
    decisions: int
    takings: Takings
    gain_eur: float


class GateFinding(NamedTuple):
    """What the gate found of a version; gains are EUR per store day, None where they are not known.

    Attributes
    ----------
    true_gain_eur
        What its prices would truly earn more than those in force, on the day that they were to price.
    gain_lower_eur, gain_upper_eur
        Ends of the 95 % interval of that gain, by the belief's word.
    """

    verdict: Outcome | None = None
    true_gain_eur: float | None = None
    gain_lower_eur: float | None = None
    gain_upper_eur: float | None = None


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
        priced = priced_batches(self.workspace, [date], None)
        decisions = sum(play_batch(self.workspace, *batch, self.seed).rows for batch in priced)
        transform(self.workspace)
        takings = sum_of([takings_in(lake, batch.partition, catalog) for batch, _ in priced])
        return SoldDate(priced[0][1], decisions, takings, takings.counted(catalog.store.policies.objective))

    def night(self, date: dt.date, announce: Announce = unannounced) -> Night:
        """Do the night after a date."""
        return run_night(self.workspace, self.registry, date, self.seed, RunContext(announce=announce))

    def night_without_training(self, date: dt.date) -> None:
        """Price the day after a date from what was sold, and learn no model; base prices stay where no book is made."""
        with suppress(Declined):
            price_date(self.workspace, self.registry, date + dt.timedelta(days=1))

    def source_of(self, priced_by: PricedBy) -> Source:
        """Tell where prices came from: base prices or a rule on them, a belief alone, or a champion."""
        if priced_by.policy.name in _WITHOUT_LEARNING:
            return "base"
        version = priced_by.policy.model_version
        return "champion" if version is not None and self.registry.knows(version) else "belief"

    def judged(self, version: str) -> GateFinding:
        """Return what the gate found of a version."""
        row = self.workspace.lake.read(Partition("model_versions", None, f"v{version}")).to_pylist()[0]
        unmet = [condition["condition"] for condition in json.loads(row["reasons"]) if not condition["met"]]
        money = json.loads(row["money"]) if row["money"] else {}
        if not money:
            return GateFinding(outcome_of(unmet))
        believed, truth = BelievedGain(**money["believed"]), money["off_policy"].get("true_gain")
        return GateFinding(outcome_of(unmet), truth, believed.lower, believed.upper)
