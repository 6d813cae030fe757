"""Experiments that people plan: for some weeks, a fair coin shows listed products a step above or below their price.

An experiment is recorded once; only that it was withdrawn is added to it. The night draws its prices, as it draws all
others: see `plugins.own_store.draws.next_draw`. Its answer is worked out from
the coin alone: see `plugins.own_store.learning.design_analysis`.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from catalog.errors import DataError, Declined
from catalog.load import Catalog
from plugins.own_store.draws.approved_designs import refuse_the_twin
from plugins.own_store.draws.drawn_prices import draw_on
from plugins.own_store.draws.numbered_records import next_number, numbered_records, put_record
from plugins.own_store.learning.fair_coin import FairCoin
from warehouse.commits.locks import held
from warehouse.commits.notes import left_unended, strike_out, write_down
from warehouse.lake import Lake
from warehouse.origin import newest_closed
from warehouse.workspace import Workspace

TABLE = "experiments"
COMMAND = "experiment"
_ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Experiment:
    """A planned experiment.

    Attributes
    ----------
    starts, through
        First and last business date.
    step
        How far each side is from the price, as a share of it.
    products
        Their skus.
    withdrawn_from
        First business date that it draws no more; None where nobody withdrew it, and so for who, why and when (UTC).
    """

    number: int
    starts: dt.date
    through: dt.date
    step: float
    products: tuple[str, ...]
    reason: str
    asked_by: str
    asked_at: dt.datetime
    withdrawn_from: dt.date | None = None
    withdrawn_reason: str | None = None
    withdrawn_by: str | None = None
    withdrawn_at: dt.datetime | None = None

    @property
    def draws_through(self) -> dt.date:
        """Last business date that it draws prices for; one before its first where it was withdrawn in time."""
        return self.through if self.withdrawn_from is None else min(self.through, self.withdrawn_from - _ONE_DAY)

    def draws_on(self, date: dt.date) -> bool:
        """Tell whether it draws the prices of a business date."""
        return self.starts <= date <= self.draws_through

    def was_withdrawn_from(self, first: dt.date, date: dt.date) -> bool:
        """Tell whether it drew the prices of a slot that began on a date, and was withdrawn since, by another date."""
        return self.draws_on(first) and self.withdrawn_from is not None and self.withdrawn_from <= date

    def repeats(self, other: "Experiment") -> bool:
        """Return whether the same person asked for the same weeks, step and products, for the same reason."""
        through = self.starts + (other.through - other.starts)
        return self == replace(other, number=self.number, starts=self.starts, through=through, asked_at=self.asked_at)

    def coin(self, catalog: Catalog) -> FairCoin:
        """Return the coin over the products of a catalog."""
        return FairCoin(self.step, np.array([sku in self.products for sku in catalog.skus]))


def experiments_in(lake: Lake) -> list[Experiment]:
    """Return every experiment, in the order of their numbers."""
    return [Experiment(**row | {"products": tuple(row["products"])}) for row in numbered_records(lake, TABLE)]


def experiment_on(lake: Lake, date: dt.date) -> Experiment | None:
    """Return the experiment that a business date belongs to; None without one."""
    return next((one for one in experiments_in(lake) if one.draws_on(date)), None)


def next_start(lake: Lake, catalog: Catalog, after: dt.date) -> dt.date:
    """Return the first business date that is not drawn yet, after one with sales, and after all experiments."""
    first = after + dt.timedelta(days=1)
    draw = draw_on(lake, catalog, dt.date.max)
    if draw is not None:
        first = max(first, draw.through + dt.timedelta(days=1))
    return max([first, *(one.draws_through + _ONE_DAY for one in experiments_in(lake))])


def new_experiment(
    workspace: Workspace, step: float, weeks: int, skus: Sequence[str] | None, reason: str
) -> Experiment:
    """Return an experiment from the next date on that is not drawn yet; nothing is recorded.

    Where the same command was killed once the experiment was recorded, that experiment is returned.

    Parameters
    ----------
    skus
        Its products; None is the whole shelf.

    Raises
    ------
    Declined
        When the twin plays the stores.
    DataError
        When nothing has sold yet, or a product is not on the shelf.
    """
    lake, catalog, sold = workspace.lake, workspace.catalog, newest_closed(workspace.lake)
    then = "nothing was planned: set `sales: outside` in store.yaml, or compare sellers with `shelfprice compare`"
    refuse_the_twin(lake.store, catalog.store, then)
    for sku in skus or ():
        catalog.product(sku)
    if sold is None:
        raise DataError(
            "expected sales in the lake, found none; nothing was planned: send them to `shelfprice serve`, or run "
            "`shelfprice take-in`"
        )
    starts = next_start(lake, catalog, sold)
    new = Experiment(
        next_number(lake, TABLE),
        starts,
        starts + dt.timedelta(days=7 * weeks - 1),
        step,
        catalog.store.drawn_prices.with_families(skus or catalog.skus),
        reason,
        workspace.settings.user,
        dt.datetime.now(dt.UTC),
    )
    unended = left_unended(lake.notes, COMMAND)
    recorded = [one for one in experiments_in(lake) if one.starts == unended and one.repeats(new)]
    return recorded[0] if recorded else new


def plan(workspace: Workspace, experiment: Experiment) -> None:
    """Record an experiment; one that is recorded already stays as it is.

    Raises
    ------
    Declined
        When it overlaps another one, or somebody plans one right now.
    """
    lake = workspace.lake
    with held(workspace.settings.locks, "experiments"):
        known = experiments_in(lake)
        others = [one for one in known if one != experiment]
        overlaps = [
            one for one in others if one.starts <= experiment.through and experiment.starts <= one.draws_through
        ]
        if overlaps or (experiment not in known and experiment.number != next_number(lake, TABLE)):
            found = f"one from {overlaps[0].starts}" if overlaps else "one that was planned just now"
            raise Declined(
                f"expected dates without an experiment, found {found}; nothing was planned: run the same command "
                "again for the dates after it"
            )
        write_down(lake.notes, COMMAND, experiment.starts)
        put_record(lake, TABLE, asdict(experiment))
        strike_out(lake.notes, COMMAND)


def withdraw(workspace: Workspace, number: int, reason: str) -> Experiment:
    """End an experiment with the next night, and return it; one that has not begun then never begins.

    The nights so far have drawn their prices, and these stand until the next one brings the products back.

    Raises
    ------
    DataError
        When there is no such experiment.
    Declined
        When it is over, or was withdrawn before.
    """
    lake = workspace.lake
    with held(workspace.settings.locks, "experiments"):
        one = experiment_of(lake, number)
        night, sold = next(lake.newest_dates("nights"), None), newest_closed(lake)
        first = max(
            one.starts if night is None and sold is None else dt.date.min,
            dt.date.min if night is None else night + 2 * _ONE_DAY,
            dt.date.min if sold is None else sold + _ONE_DAY,
        )
        if one.withdrawn_from is not None or one.through < first:
            found = f"it ended on {one.through}"
            if one.withdrawn_from is not None:
                found = f"{one.withdrawn_by} withdrew it from {one.withdrawn_from} on"
            raise Declined(
                f"expected an experiment that goes on, found that {found}; nothing was withdrawn: list them with "
                "`shelfprice experiment`"
            )
        one = replace(
            one,
            withdrawn_from=max(first, one.starts),
            withdrawn_reason=reason,
            withdrawn_by=workspace.settings.user,
            withdrawn_at=dt.datetime.now(dt.UTC),
        )
        put_record(lake, TABLE, asdict(one))
    return one


def experiment_of(lake: Lake, number: int) -> Experiment:
    """Return an experiment by its number.

    Raises
    ------
    DataError
        When there is none of that number.
    """
    known = {one.number: one for one in experiments_in(lake)}
    if number not in known:
        found = f"1 to {len(known)}" if known else "none"
        raise DataError(
            f"expected the number of an experiment, found {number}; there are {found}: nothing was done; list them "
            "with `shelfprice experiment`"
        )
    return known[number]
