"""A chain that learns once, and again when its watch on residuals says that demand changed, in a lake of its own."""

import datetime as dt
from collections.abc import Sequence

from catalog.load import Catalog
from catalog.settings import Settings
from evaluation.living_store import LivingStore
from features.cells import feature_workbench
from serving.champion import Champion
from serving.curves import DemandCurves
from serving.day_curves import learned_for
from serving.policies import policy_with_model
from serving.pricing_policy import PricingPolicy
from training.drift.watch import Detection

_NEVER = 3_650  # days between trainings: an alarm alone makes one


class WatchingStore:
    """A chain in a temporary home."""

    def __init__(self, settings: Settings, catalog: Catalog, seed: int) -> None:
        """Open before the first day, without a champion: a week of exploring base prices leads to the first one."""
        learning = catalog.store.learning.model_copy(update={"train_every_days": _NEVER})
        policies = catalog.store.policies.model_copy(update={"before_champion": "static"})
        changed = {"learning": learning, "policies": policies}
        own = Catalog(catalog.products, catalog.store.model_copy(update=changed))
        self._store = LivingStore(settings, own, seed)
        self._seen: list[Detection] = []

    @property
    def champion(self) -> Champion | None:
        """The champion, if there is one."""
        return self._store.champion

    def sell(self, date: dt.date) -> int:
        """Sell a day at the prices in force and group it into cells; return the decisions of all stores."""
        return self._store.sell(date).decisions

    def night(self, date: dt.date) -> bool:
        """Do the night after a date; tell whether a change in demand was seen on it."""
        self._seen.clear()
        self._store.night(date, self._hear)
        return any(found.business_date == date for found in self._seen)

    def prices_for(self, champion: Champion, date: dt.date) -> tuple[PricingPolicy, DemandCurves]:
        """Return what a champion would ask for on a date, with what was known the night before, and its curves."""
        catalog = self._store.workspace.catalog
        with feature_workbench(self._store.workspace.settings) as connection:
            known = learned_for(connection, champion, catalog, date)
        return policy_with_model(catalog, known.curves, known.visits), known.curves

    def _hear(self, _version: str, found: Sequence[Detection]) -> None:
        self._seen.extend(found)
