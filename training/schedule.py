"""Whether a model is due to be trained, and why."""

import datetime as dt

from features.cells import feature_workbench
from features.shifts import demand_shifts
from training.registry import ModelRegistry
from warehouse.connection import read_only
from warehouse.proof import Span, prove
from warehouse.sql_files import queries_beside
from warehouse.workspace import Workspace

_query = queries_beside(__file__)

_LEAST_DAYS = 2  # one to fit on, one to judge on


def why_due(workspace: Workspace, registry: ModelRegistry, through: dt.date) -> str | None:
    """Say why a model is due after a business date, or return None when none is.

    What was learned from once is not learned from again, so a night that was interrupted goes on after its training.

    Raises
    ------
    ModelError
        When the registry is away.
    """
    if len([day for day in workspace.lake.dates("demand_cells") if day <= through]) < _LEAST_DAYS:
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
    prove(workspace.lake, (Span("drift_checks", last=through),))
    with feature_workbench(workspace.settings) as connection:
        shifts = demand_shifts(connection, through, champion.version)
    return f"demand changed on {shifts[-1]}, and champion {champion.version} does not know" if shifts else None


def judged_through(workspace: Workspace, date: dt.date) -> tuple[str, bool, str | None] | None:
    """Return the newest version judged through a date, whether it was promoted and what was said; None without one."""
    prove(workspace.lake, (Span("model_versions"),))
    with read_only(workspace.settings) as connection:
        row = connection.execute(_query("judged_through"), {"through": date}).fetchone()
    return None if row is None else (str(row[0]), bool(row[1]), row[2])


def newest_judged(workspace: Workspace) -> dt.date | None:
    """Return the last business date that any model version was judged through; None before the first training."""
    prove(workspace.lake, (Span("model_versions"),))
    with read_only(workspace.settings) as connection:
        row = connection.execute(_query("newest_judged")).fetchone()
    return None if row is None else row[0]
