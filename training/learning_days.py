"""The days a training learns from, and once more with the context of every decision: store, hour, what holds that day.

A change in demand that a context explains is no change, so days before one count in full here. Where it was a change
all the same, a model that believes it was none is worse on the days held out, and is not chosen.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator
from dataclasses import replace

import duckdb
import numpy as np
import pandas as pd

from catalog.load import Catalog
from catalog.tables.draws import HOURLY_DRAWS
from features.cells import feature_workbench
from features.context import (
    KEYS,
    TABLES_OF_CONTEXT,
    cells_in_context,
    dated_cells,
    days_sold_in_context,
    seals_of_context,
    show_context,
)
from features.context_names import HOUR, is_context
from features.footfall import demand_shifts
from training.dataset import MOST_COLUMNS, Dataset, load_dataset
from warehouse.lake import Lake, Partition
from warehouse.partition import Within, between
from warehouse.proof import Span, prove, prove_all
from warehouse.workspace import Workspace

FOLDS = 5
"""Parts that the days of a training are dealt to, one after another: no multiple of a week, and none of a weekday."""

_LEAST_DAYS = 4


def learning_days(workspace: Workspace, through: dt.date, since: dt.date | None) -> Dataset:
    """Read the days to learn from: those of the window, split where demand was seen to change.

    An outside store that changes hourly learns from the days on which it did: before them, prices were its owner's.

    Raises
    ------
    DataError
        When they cannot teach anything.
    DamagedError
        When the bytes of some partitions are not those of their receipts.
    """
    window = workspace.catalog.store.learning.window_days
    first = through - dt.timedelta(days=window - 1) if since is None and window is not None else since
    if workspace.catalog.store.is_priced_hourly:
        begun = min(workspace.lake.dates(HOURLY_DRAWS.name), default=through)
        first = begun if first is None else max(first, begun)
    begin = first or dt.date.min
    by_day = ("demand_cells", "drift_checks", "context_counts", "unit_sales")
    by_key = ("products", "stores", *TABLES_OF_CONTEXT)
    prove(workspace.lake, (*(Span(name, begin, through) for name in by_day), *map(Span, by_key)))
    prove_all(workspace.lake, _uncounted(workspace.lake, between(begin, through)))
    with feature_workbench(workspace.settings, within=between(begin, through)) as connection:
        dataset = load_dataset(connection, workspace.lake, through, first, demand_shifts(connection, through))
        return with_context(connection, workspace.catalog, workspace.lake, dataset)


def _uncounted(lake: Lake, within: Within) -> Iterator[Partition]:
    """Yield the decisions of some dates that nobody has counted yet: those are read themselves."""
    for decisions in lake.partitions("interactions", within):
        if not lake.holds(replace(decisions, table="context_counts")):
            yield decisions


def with_context(connection: duckdb.DuckDBPyConnection, catalog: Catalog, lake: Lake, dataset: Dataset) -> Dataset:
    """Return the dataset with its days by context; as it is where there are too few days or too many products.

    The training cells have a column `fold`, which deals whole dates to `FOLDS` parts.
    """
    first, last = dataset.learned_from or dt.date.min, dataset.judged_through
    fingerprint, seals = dataset.fingerprint, "".join(seals_of_context(lake, first, last))
    if seals:
        fingerprint = hashlib.sha256(f"{fingerprint}\n{seals}".encode()).hexdigest()
    show_context(connection, catalog, first, last)
    days = days_sold_in_context(connection, first, last)
    days["business_date"] = pd.to_datetime(days["business_date"]).dt.date
    learned, held_out = (days[own] for own in _parts(days["business_date"], dataset))
    if (
        learned["business_date"].nunique() < _LEAST_DAYS
        or held_out.empty
        or dataset.training["sku"].nunique() > MOST_COLUMNS
    ):
        return dataset
    told = [str(name) for name in days if name not in KEYS]
    ordinal = np.unique(learned["business_date"], return_inverse=True)[1]
    training = cells_in_context(connection, learned.assign(period=ordinal % FOLDS), told)
    holdout = dated_cells(connection, held_out)
    features = [name for name in map(str, training) if is_context(name) and training[name].nunique(dropna=False) > 1]
    if not features or holdout.empty:
        return dataset
    by_context = replace(
        dataset,
        training=training.rename(columns={"period": "fold"}),
        holdout=holdout,
        fingerprint=fingerprint,
        trained_since=dataset.learned_from,
        context=tuple(sorted(features, key=lambda name: (name != HOUR, name))),
    )
    return replace(dataset, fingerprint=fingerprint, by_context=by_context)


def _parts(dates: pd.Series, dataset: Dataset) -> tuple[pd.Series, pd.Series]:
    """Tell which dates are learned from and which are held out."""
    return dates <= dataset.trained_through, (dates > dataset.trained_through) & (dates <= dataset.judged_through)
