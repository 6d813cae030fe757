"""A store that learns once, and again when an alarm says that demand changed: in a lake of its own, without servers.

It goes through the code of the pipeline: what is sold is validated, published and grouped into cells; cells are
checked; models are fitted, judged and priced from. A store that follows the `residuals` learns from the days since the
change and asks the gate. One that follows the `coin` learns from all its days, and what it learns prices, as in the
first demo.
"""

import datetime as dt
from dataclasses import dataclass
from typing import NamedTuple

import duckdb
import numpy as np

from catalog.errors import DataError
from catalog.load import Catalog
from catalog.pricing import Policy
from catalog.settings import Settings
from catalog.store_day import BOUGHT, StoreDay
from etl.load import load_dimensions, load_store_day
from evaluation.contestants import stock_aware
from evaluation.drift.alarms import coin_alarms
from features.cells import cells_of, feature_workbench, query, stale_cells
from features.footfall import expected_visits
from features.shifts import demand_shifts
from features.support import observed_prices
from flows.drift import checks_to_table
from serving.curves import DemandCurves, demand_curves
from serving.pricing_policy import PricingPolicy
from serving.storefront import storefront_before_champion, storefront_with_model
from serving.support import with_support
from simulation.store_day import play
from training.candidates import CANDIDATES, fit
from training.conditions import Condition
from training.dataset import Dataset, load_dataset
from training.drift.checks import check_days
from training.gain import Challenger, gain_over
from training.gate import Incumbent, pass_gate
from warehouse.lake import Lake, Partition

_BY_NAME = {candidate.name: candidate for candidate in CANDIDATES}
_TRIAL = Condition("answers the same in a fresh process", met=True, found="it never left this one")


@dataclass(frozen=True)
class Champion:
    """The model that prices, what it was trained through, and its curves at the catalog's ladder."""

    model: Challenger
    trained_through: dt.date
    curves: DemandCurves


class Offer(NamedTuple):
    """A policy, and the curves with their support that it stands on."""

    policy: PricingPolicy
    curves: DemandCurves


class Evening(NamedTuple):
    """How a day ended: decisions of all stores, and whether the rule raised an alarm."""

    decisions: int
    alarm: bool


class HealingStore:
    """A chain with a lake in a temporary home."""

    def __init__(self, settings: Settings, catalog: Catalog, rule: str, seed: int) -> None:
        """Open before the first day: base prices, and half of the time another one."""
        self._catalog, self._rule, self._seed = catalog, rule, seed
        self._lake = Lake(settings)
        self._lake.prepare()
        load_dimensions(self._lake, catalog, ["Shopper"])
        self._connection: duckdb.DuckDBPyConnection = feature_workbench(settings)
        self._policy: Policy = storefront_before_champion(catalog)
        self._versions = 0
        self._drifted = False
        self.champion: Champion | None = None

    def close(self) -> None:
        """Let go of the lake."""
        self._connection.close()

    def sell(self, date: dt.date) -> Evening:
        """Sell a day and publish it, and look at it by the rule in the evening."""
        day = play(self._catalog, self._policy, self._catalog.store.stores, date, self._seed)
        load_store_day(self._lake, self._catalog, day, "all", inputs=str(date), seed=self._seed)
        for stale in list(stale_cells(self._lake, self._catalog)):
            cells = cells_of(self._connection, self._lake.path(stale.decisions))
            self._lake.publish(stale.cells, cells, inputs=stale.inputs)
        if self.champion is None:
            return Evening(len(day.product), alarm=False)
        alarm = self._coin(day, self.champion) if self._rule == "coin" else self._residuals(date, self.champion)
        self._drifted |= alarm
        return Evening(len(day.product), alarm)

    def learn(self, through: dt.date) -> bool:
        """Learn in the night, the first time or while an alarm stands; tell whether a new model prices from now on."""
        if self.champion is not None and not self._drifted:
            return False
        shifts = demand_shifts(self._connection, through) if self._rule == "residuals" else ()
        try:
            dataset = load_dataset(self._connection, self._lake, through, None, shifts)
        except DataError:
            return False  # old prices hold, the next night tries again
        fitted = fit(_BY_NAME["demand_forest"], dataset, self._seed)
        model = Challenger(str(self._versions + 1), fitted, dataset.learned_from)
        if self._rule == "residuals" and self.champion is not None and not self._passes(model, dataset, self.champion):
            return False
        self._versions += 1
        curves = demand_curves(self._connection, model, self._catalog)
        self.champion, self._drifted = Champion(model, dataset.trained_through, curves), False
        return True

    def prices_for(self, champion: Champion, date: dt.date) -> Offer:
        """Return what a champion would show on a date, with what is known of footfall and prices the night before."""
        through = date - dt.timedelta(days=1)
        observed = observed_prices(self._connection, self._catalog, through, champion.model.learned_from)
        curves = with_support(champion.curves, observed)
        visits = expected_visits(self._connection, self._catalog, through)
        return Offer(stock_aware(self._catalog, curves, visits, "stock_aware"), curves)

    def adopt(self, offer: Offer) -> None:
        """Sell by an offer from the next day on, trying prices on the budget."""
        self._policy = storefront_with_model(self._catalog, offer.policy, offer.curves)

    def _coin(self, day: StoreDay, champion: Champion) -> bool:
        order = np.argsort(day.since_opening_us, kind="stable")
        p_sale = champion.curves.p_sale_at(day.product, day.price)
        return coin_alarms(p_sale[order], (day.outcome == BOUGHT)[order])

    def _residuals(self, date: dt.date, champion: Champion) -> bool:
        span = {"trained_through": champion.trained_through, "judged_through": date}
        cells = self._connection.execute(query("holdout_cells"), span).df()
        today = [c for c in check_days(cells, champion.model.p_sale(cells)) if c.business_date == date]
        if not any(check.shift for check in today):
            return False
        version = champion.model.version
        partition = Partition("drift_checks", date, f"v{version}")
        self._lake.publish(partition, checks_to_table(today, version), inputs=version)
        return True

    def _passes(self, model: Challenger, dataset: Dataset, champion: Champion) -> bool:
        incumbent = champion.model
        money = gain_over(self._connection, self._catalog, dataset, model, incumbent, is_known=False)
        against = demand_shifts(self._connection, dataset.judged_through, incumbent.version)
        return pass_gate(
            model.fitted,
            dataset,
            self._catalog.skus,
            trial=_TRIAL,
            money=money,
            champion=Incumbent(incumbent.p_sale(dataset.holdout), champion.trained_through, against[-1]),
            stale_after_days=self._catalog.store.gate.stale_after_days,
        ).promoted
