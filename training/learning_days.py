"""The days that a training learns from and is judged on, as they stand in the lake."""

import datetime as dt

from features.cells import feature_workbench
from features.shifts import demand_shifts
from training.dataset import Dataset, load_dataset
from warehouse.proof import Span, prove
from warehouse.within import between
from warehouse.workspace import Workspace


def learning_days(workspace: Workspace, through: dt.date, since: dt.date | None) -> Dataset:
    """Read the days to learn from: those of the window, split where demand was seen to change.

    Raises
    ------
    DataError
        When they cannot teach anything.
    DamagedError
        When the bytes of some partitions are not those of their receipts.
    """
    window = workspace.catalog.store.learning.window_days
    first = through - dt.timedelta(days=window - 1) if since is None and window is not None else since
    begin = first or dt.date.min
    spans = (Span("demand_cells", begin, through), Span("drift_checks", begin, through), Span("products"))
    prove(workspace.lake, spans)
    with feature_workbench(workspace.settings, within=between(begin, through)) as connection:
        return load_dataset(connection, workspace.lake, through, first, demand_shifts(connection, through))
