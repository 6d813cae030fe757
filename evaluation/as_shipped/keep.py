"""Keep what was found: in the lake as `regret_by_day`, and as a study in MLflow."""

import datetime as dt
import hashlib
from dataclasses import asdict, replace

import pandas as pd
import pyarrow as pa

from catalog.tables.comparisons import REGRET_BY_DAY
from evaluation.as_shipped.figures import regret_by_day
from evaluation.as_shipped.records import LEARNERS, AsShipped
from evaluation.as_shipped.regret import periods_of, regret
from training.mlflow.experiments import Study, log_study
from warehouse.lake import Lake, Partition
from warehouse.workspace import Workspace


def keep(workspace: Workspace, found: AsShipped) -> AsShipped:
    """Keep what was found in the lake and in MLflow, and return it with its run."""
    publish_as_shipped(workspace.lake, found)
    return replace(found, run_id=log_study(workspace.settings, study_of(found)))


def publish_as_shipped(lake: Lake, found: AsShipped) -> None:
    """Keep every lived day; the same question asked again replaces its answer."""
    asked = found.question
    worlds = [(world.name, world.catalog.fingerprint) for world in asked.worlds]
    key = hashlib.sha256(repr((worlds, asked.days, asked.seeds, asked.stores)).encode()).hexdigest()
    lake.publish(Partition("regret_by_day", None, key[:16]), table_of(found, dt.datetime.now(dt.UTC)), inputs=key)


def table_of(found: AsShipped, lived_at: dt.datetime) -> pa.Table:
    """Return the lived days in the columns of `regret_by_day`."""
    return pa.Table.from_pylist([asdict(day) | {"lived_at": lived_at} for day in found.days], REGRET_BY_DAY.schema)


def study_of(found: AsShipped) -> Study:
    """Return what was found as it is logged: regret as metrics, a figure, and every lived day."""
    asked = found.question
    return Study(
        name=f"as shipped: {len(asked.worlds)} worlds, {asked.days} days, {asked.seeds} seeds, {asked.stores} stores",
        description="The product, gate and all, and its peers from a store's first day on.",
        parameters={
            "worlds": [world.name for world in asked.worlds],
            "days": asked.days,
            "seeds": asked.seeds,
            "stores": asked.stores,
        },
        metrics={
            f"regret/{world.name.replace(',', '')}/{learner}/{last}": regret(found.days, world.name, learner, last).mean
            for world in asked.worlds
            for learner in LEARNERS
            for last in periods_of(asked.days)
        },
        figures={"regret_by_day": regret_by_day(found)},
        tables={"lived": pd.DataFrame([asdict(day) for day in found.days])},
    )
