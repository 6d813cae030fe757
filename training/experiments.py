"""Experiments that people plan: for some weeks, a fair coin shows listed products a step above or below their price.

An experiment is recorded once and never changed. The night draws its prices, as it draws all others: see
`training.next_draw`. What it tells is worked out from the coin alone, see `serving.counts.design_analysis`.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa

from catalog.contracts import TABLES
from catalog.errors import DataError, Declined
from catalog.load import Catalog
from serving.counts.fair_coin import FairCoin
from serving.drawn_prices import draw_on
from warehouse.lake import Lake, Partition
from warehouse.locks import held
from warehouse.origin import sells_outside
from warehouse.sold import newest_closed
from warehouse.workspace import Workspace

TABLE = "experiments"


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
    """

    number: int
    starts: dt.date
    through: dt.date
    step: float
    products: tuple[str, ...]
    reason: str
    asked_by: str
    asked_at: dt.datetime

    def coin(self, catalog: Catalog) -> FairCoin:
        """Return the coin over the products of a catalog."""
        return FairCoin(self.step, np.array([sku in self.products for sku in catalog.skus]))


def experiments_in(lake: Lake) -> list[Experiment]:
    """Return every experiment, in the order of their numbers."""
    rows = [row for part in lake.partitions(TABLE) for row in lake.read(part).to_pylist()]
    found = [Experiment(**{**row, "products": tuple(row["products"])}) for row in rows]
    return sorted(found, key=lambda one: one.number)


def experiment_on(lake: Lake, date: dt.date) -> Experiment | None:
    """Return the experiment that a business date belongs to; None without one."""
    return next((one for one in experiments_in(lake) if one.starts <= date <= one.through), None)


def next_start(lake: Lake, catalog: Catalog, after: dt.date) -> dt.date:
    """Return the first business date that is not drawn yet, after one with sales, and after all experiments."""
    first = after + dt.timedelta(days=1)
    draw = draw_on(lake, catalog, dt.date.max)
    if draw is not None:
        first = max(first, draw.through + dt.timedelta(days=1))
    ends = [one.through for one in experiments_in(lake)]
    return max([first, *(end + dt.timedelta(days=1) for end in ends)])


def new_experiment(
    workspace: Workspace, step: float, weeks: int, skus: Sequence[str] | None, reason: str
) -> Experiment:
    """Return an experiment from the next date on that is not drawn yet; nothing is recorded.

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
    if not sells_outside(lake.store, catalog.store):
        raise Declined(
            "expected stores that sell by themselves, found those of the twin; nothing was planned: set `sales: "
            "outside` in store.yaml, or compare policies with `shelfprice trial`"
        )
    for sku in skus or ():
        catalog.product(sku)
    if sold is None:
        raise DataError(
            "expected sales in the lake, found none; nothing was planned: send them to `shelfprice serve`, or run "
            "`shelfprice take-in`"
        )
    starts = next_start(lake, catalog, sold)
    return Experiment(
        len(experiments_in(lake)) + 1,
        starts,
        starts + dt.timedelta(days=7 * weeks - 1),
        step,
        tuple(dict.fromkeys(skus or catalog.skus)),
        reason,
        workspace.settings.user,
        dt.datetime.now(dt.UTC),
    )


def plan(workspace: Workspace, experiment: Experiment) -> None:
    """Record an experiment.

    Raises
    ------
    Declined
        When it overlaps another one, or somebody plans one right now.
    """
    lake = workspace.lake
    with held(workspace.settings.locks, "experiments"):
        known = experiments_in(lake)
        overlaps = [one for one in known if one.starts <= experiment.through and experiment.starts <= one.through]
        if overlaps or experiment.number != len(known) + 1:
            found = f"one from {overlaps[0].starts}" if overlaps else "one that was planned just now"
            raise Declined(
                f"expected dates without an experiment, found {found}; nothing was planned: run the same command "
                "again for the dates after it"
            )
        row = {name: [getattr(experiment, name)] for name in (field.name for field in fields(experiment))}
        rows = pa.table(row | {"products": [list(experiment.products)]}, schema=TABLES[TABLE].schema)
        lake.publish(Partition(TABLE, None, f"e{experiment.number:06d}"), rows, inputs=repr(experiment))
