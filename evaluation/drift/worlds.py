"""The worlds that the scorecard of drift plays: a store that sells well, and what happens to its shoppers then."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from catalog.errors import DataError
from catalog.load import Catalog
from catalog.records.shoppers import Shock

FIRST = dt.date(2026, 1, 5)
EXPLORE_DAYS = 7
_QUIET_DAYS = 60
_SCARCE = 4.0  # times the visits, for the same stock
_CHANGES_AFTER = 14  # days: a week of trying and a week priced by the champion
_DAYS_AFTER = 21
_SLIDE_DAYS = 14
_FAR = dt.date(2099, 12, 31)


@dataclass(frozen=True)
class ShockedWorld:
    """One scripted world.

    Attributes
    ----------
    days
        How many are played, the days of trying prices included.
    changes
        Dates on which demand changes; an alarm on any day before the first, or where there is none, is false.
    """

    name: str
    description: str
    catalog: Catalog
    days: int
    changes: tuple[dt.date, ...] = ()

    @property
    def dates(self) -> list[dt.date]:
        """The business dates that are played."""
        return [FIRST + dt.timedelta(days=day) for day in range(self.days)]


def shocked_worlds(catalog: Catalog) -> tuple[ShockedWorld, ...]:
    """Return the scripted worlds on a catalog's own shelf and store; its shocks are left out."""
    change = FIRST + dt.timedelta(days=_CHANGES_AFTER)
    second = change + dt.timedelta(days=_DAYS_AFTER)
    product = catalog.skus[0]

    def world(name: str, description: str, shocks: tuple[Shock, ...], *changes: dt.date, days: int = 0) -> ShockedWorld:
        store = catalog.store.model_copy(update={"shocks": shocks})
        played = days or _CHANGES_AFTER + _DAYS_AFTER * max(1, len(changes))
        return ShockedWorld(name, description, Catalog(catalog.products, store), played, changes)

    less, more = _lasting(change, budget_shift=-0.2), _lasting(change, budget_shift=0.2)
    one = less.model_copy(update={"sku": product})
    slide = tuple(
        _lasting(change + dt.timedelta(days=day), budget_shift=-0.25 / _SLIDE_DAYS) for day in range(_SLIDE_DAYS)
    )
    back = _lasting(second, budget_shift=0.3)
    busy = {"shocks": (), "visits_per_day": _SCARCE * catalog.store.visits_per_day}
    scarce = Catalog(catalog.products, catalog.store.model_copy(update=busy))
    missed = Shock(business_date=change, through=change + dt.timedelta(days=2), delivered_share=0.2)
    return (
        world("quiet", "nothing happens for 60 days", (), days=EXPLORE_DAYS + _QUIET_DAYS),
        ShockedWorld("quiet and scarce", "the same with four times the visits", scarce, EXPLORE_DAYS + _QUIET_DAYS),
        world("budgets fall", "everyone's budget falls by 20 % of the base price", (less,), change),
        world("budgets rise", "everyone's budget rises by 20 % of the base price", (more,), change),
        world("one product", f"budgets for {product} alone fall by 20 %", (one,), change),
        world("slow slide", f"budgets fall by 25 % over {_SLIDE_DAYS} days", slide, change),
        world("second change", "budgets fall by 20 %, three weeks later rise by 30 %", (less, back), change, second),
        world("doubled footfall", "twice as many come", (_lasting(change, demand_factor=2.0),)),
        world("missed delivery", "for three days a fifth is delivered", (missed,)),
    )


def _lasting(since: dt.date, *, budget_shift: float = 0.0, demand_factor: float = 1.0) -> Shock:
    return Shock(business_date=since, through=_FAR, budget_shift=budget_shift, demand_factor=demand_factor)


def asked(catalog: Catalog, names: Sequence[str]) -> tuple[ShockedWorld, ...]:
    """Return worlds by their names; no name means all of them.

    Raises
    ------
    DataError
        When a scenario is unknown.
    """
    known = {world.name: world for world in shocked_worlds(catalog)}
    for name in names:
        if name not in known:
            raise DataError(f"expected a scenario out of {'; '.join(known)}, found {name!r}; nothing was played")
    return tuple(known[name] for name in names) if names else tuple(known.values())
