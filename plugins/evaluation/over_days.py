"""Days of some stores, one after another: each begins with what the day before left on the shelves."""

import datetime as dt
from collections.abc import Sequence

from catalog.arrays import Ints
from catalog.decisions.pricing import Policy
from catalog.decisions.store_day import KeptStock, StoreDay
from catalog.load import Catalog
from etl.twin.store_day import meet
from etl.twin.visits import Visits

_ONE_DAY = dt.timedelta(days=1)


class OverDays:
    """What stores have from the newest day that each of them played."""

    def __init__(self) -> None:
        """Know of no store."""
        self._left: dict[str, tuple[dt.date, Ints, Ints]] = {}

    def meet(self, catalog: Catalog, policy: Policy, stores: Sequence[str], date: dt.date, visits: Visits) -> StoreDay:
        """Play given visits as `etl.twin.store_day.meet` does, with what was left the day before."""
        day = meet(catalog, policy, stores, date, visits, self.before(catalog, stores, date))
        self.ended(day)
        return day

    def before(self, catalog: Catalog, stores: Sequence[str], date: dt.date) -> KeptStock | None:
        """Return what stores have from the day before a date; None where the shelf is simply full each day."""
        rules = catalog.stock_rules
        if rules is None:
            return None
        kept = KeptStock.unknown(len(stores), len(catalog.skus), rules.columns)
        for position, store in enumerate(stores):
            kept_since = self._left.get(store)
            if kept_since is not None and kept_since[0] == date - _ONE_DAY:
                _, kept.units[position], kept.on_order[position] = kept_since
                kept.known[position] = True
        return kept

    def begin_with(self, kept: KeptStock | None, stores: Sequence[str], date: dt.date) -> None:
        """Take over what somebody else knows of stores that did not play the day before a date."""
        if kept is None:
            return
        for position, store in enumerate(stores):
            kept_since = self._left.get(store)
            if kept.known[position].any() and (kept_since is None or kept_since[0] != date - _ONE_DAY):
                self._left[store] = (date - _ONE_DAY, kept.units[position], kept.on_order[position])

    def ended(self, day: StoreDay) -> None:
        """Remember what a whole day left."""
        if day.moves is not None:
            kept = day.moves.kept
            for position, store in enumerate(day.stores):
                self._left[store] = (day.business_date, kept.units[position], kept.on_order[position])
