"""Price from a belief, and let the day's own sales correct it: the prices for the ticks that are left are remade.

When they are is the rhythm of learning. It is that of the catalog on a short shelf in some stores; on a long one, or in
many stores, an update costs much, so it waits for what it can change.
"""

from dataclasses import dataclass, replace

import numpy as np

from catalog.decisions.pricing import Lesson, Shelf, Sold
from serving.learning.outlook import Outlook
from serving.optimise.policies import Asked

_OFTEN = 4  # times as many updates on a first day, when each teaches much
_FEW = 200  # products, and stores, whose updates cost little
_TEACHES = 0.5  # share of all visits before by which those since an update must add to them where there are more
_PRIOR = 4.0  # visits to each product that what was believed before anybody came is worth
_LEAST_UPDATES = 4  # parts of a day where there are more: demand may be another one


@dataclass(frozen=True)
class LearningPolicy:
    """The catalog's policy on what is believed by now. Implements `serving.optimise.policies.PricingPolicy`.

    `pending` are the sales since the outlook was formed; the next update includes them.
    """

    outlook: Outlook
    pending: tuple[Sold, ...] = ()

    @property
    def name(self) -> str:
        """Name of the policy on the belief."""
        return self.outlook.policy.name

    @property
    def model_version(self) -> str | None:
        """The champion behind the belief, or None."""
        return self.outlook.start.model_version

    @property
    def rules(self) -> tuple[str, ...]:
        """Rules of the policy on the belief, and on a first day that of its opening prices."""
        is_first_day = self.outlook.start.opened.is_first_day
        return (*self.outlook.policy.rules, "base_price") if is_first_day else self.outlook.policy.rules

    def ask(self, shelf: Shelf) -> Asked:
        """Ask for what earns most until closing; before the first update ever, for the owner's prices."""
        wanted = self.outlook.policy.ask(shelf)
        if not self.outlook.is_before_first_update:
            return wanted
        prices = np.broadcast_to(self.outlook.start.owners_prices, wanted.prices.shape)
        rule = np.full(wanted.rule.shape, self.rules.index("base_price"))
        return replace(wanted, prices=prices, rule=rule, p_sale=np.full(prices.shape, np.nan))

    @property
    def lesson(self) -> Lesson | None:
        """What the day has taught; None before the first update."""
        return self.outlook.lesson if self.outlook.today.ticks else None

    def learned(self, sold: Sold) -> "LearningPolicy":
        """Return the policy after a tick.

        An update is due after every `belief.update_ticks` of them, on a first day four times as often, and at once when
        far more or fewer come than the prices were made for. Its cost grows with products and stores, what it can
        change with what was seen since the last one. So with more than 200 of either it waits, by the same rhythm,
        until that is half of all seen before, the prior worth four visits a product, or a quarter of a day has passed.
        So many updates are enough: log(1 + a day's visits to a product / 4) / log(1.5) on a first day, and three later.
        Ticks already processed are ignored.
        """
        if sold.tick < self.outlook.today.ticks + len(self.pending):
            return self
        pending, ticks = (*self.pending, sold), self.outlook.start.catalog.store.opening.ticks
        if sold.tick + 1 == ticks or not (self._is_due(pending) or self.outlook.is_overtaken(pending)):
            return replace(self, pending=pending)
        return LearningPolicy(self.outlook.after(pending))

    def _is_due(self, pending: tuple[Sold, ...]) -> bool:
        start, today = self.outlook.start, self.outlook.today
        store, n_products, footfall = start.catalog.store, len(start.catalog.skus), start.footfall
        often = _OFTEN if start.opened.is_first_day else 1
        if (today.ticks + len(pending)) % max(1, store.belief.update_ticks // often):
            return False
        are_few = max(n_products, len(pending[-1].prices)) <= _FEW
        if are_few or len(pending) * _LEAST_UPDATES >= store.opening.ticks:
            return True
        before = today.visits.sum() + footfall.store_days * footfall.daily.sum() + _PRIOR * n_products
        return bool(sum(sold.visits.sum() for sold in pending) >= _TEACHES * before)
