"""Whether a model is due to be trained, and why."""

import datetime as dt
from collections.abc import Iterator
from itertools import islice
from typing import Any

from etl.business_dates import ONE_DAY
from features.cells import feature_workbench
from features.shifts import demand_shifts
from training.registry import ModelRegistry
from warehouse.lake import Lake
from warehouse.proof import Span, prove
from warehouse.within import between
from warehouse.workspace import Workspace

_LEAST_DAYS = 2  # one to fit on, one to judge on
_NEWEST = 32  # model versions


def why_due(workspace: Workspace, registry: ModelRegistry, through: dt.date) -> str | None:
    """Say why a model is due after a business date, or return None when none is.

    What was learned from once is not learned from again, so a night that was interrupted goes on after its training.

    Raises
    ------
    ModelError
        When the registry is away.
    """
    days = (day for day in workspace.lake.newest_dates("demand_cells") if day <= through)
    if len(list(islice(days, _LEAST_DAYS))) < _LEAST_DAYS:
        return None
    judged = newest_judged(workspace)
    if judged is not None and judged >= through:
        return None
    every = workspace.catalog.store.learning.train_every_days
    if judged is None:
        return "nothing was learned yet"
    if (through - judged).days >= every:
        return f"the last training saw {judged}, and one is due {'every day' if every == 1 else f'every {every} days'}"
    champion = registry.load()
    if champion is None:
        return "there is no champion yet"
    first = champion.trained_through + ONE_DAY if champion.trained_through else dt.date.min
    prove(workspace.lake, (Span("drift_checks", first, through),))
    with feature_workbench(workspace.settings, within=between(first, through)) as connection:
        shifts = demand_shifts(connection, through, champion.version)
    return f"demand changed on {shifts[-1]}, and champion {champion.version} does not know" if shifts else None


def judged_through(workspace: Workspace, date: dt.date) -> tuple[str, bool, str | None] | None:
    """Return the newest version judged through a date, whether it was promoted and what was said; None without one."""
    of_date = (row for row in _newest_versions(workspace.lake) if row["judged_through"] == date)
    row = next(of_date, None)
    return None if row is None else (str(row["version"]), bool(row["promoted"]), row["said"])


def newest_judged(workspace: Workspace) -> dt.date | None:
    """Return the last business date that any model version was judged through; None before the first training."""
    return max((row["judged_through"] for row in _newest_versions(workspace.lake)), default=None)


def _newest_versions(lake: Lake) -> Iterator[dict[str, Any]]:
    """Yield the rows of the newest model versions, the newest first.

    People may train through an earlier date again, so the newest is not enough. Beyond some dozens none is looked at:
    there is one more for every night.
    """
    judged = sorted(lake.partitions("model_versions"), key=lambda part: int(part.group.removeprefix("v")), reverse=True)
    for part in judged[:_NEWEST]:
        yield lake.read(part).to_pylist()[0]
