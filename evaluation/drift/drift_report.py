"""The scorecard of drift as people read it and as it is kept: one row per change and rule."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from catalog.tables.learning import DRIFT_RESULTS
from evaluation.drift.scorecard import RULES, UNWATCHED, DriftOutcome, PlayedDays, Scorecard
from evaluation.harness import keep
from evaluation.reporting import mean_where_it_came, records
from evaluation.share_figures import shares_by_day
from training.mlflow.experiments import Study
from warehouse.workspace import Workspace

COLUMNS = [
    "scenario",
    "change",
    "rule",
    "seen after, days",
    "seen after, decisions",
    "false alarms, days",
    "good again after, days",
    "lost until then, EUR",
]


def rows_of(found: Scorecard) -> list[list[Any]]:
    """Return one row per scenario, change and rule, means of the seeds."""
    return [
        _row(world.name, change, rule, [one for one in found.outcomes if _key(one) == (world.name, change, rule)])
        for world in found.worlds
        for change in range(len(world.changes) + 1)
        for rule in RULES
        if change or rule != UNWATCHED
    ]


def as_json(found: Scorecard) -> dict[str, Any]:
    """Return everything as one JSON object."""
    return {
        "table": records((COLUMNS, rows_of(found))),
        "outcomes": [asdict(outcome) for outcome in found.outcomes],
        "mlflow_run_id": found.run_id,
    }


def keep_scorecard(workspace: Workspace, found: Scorecard, played: PlayedDays, seeds: int) -> Scorecard:
    """Keep a scorecard in the lake, and its losses and figure in MLflow; return it with its run."""
    names = [world.name for world in found.worlds]
    study = Study(
        name=f"{len(names)} scripted worlds, {seeds} seeds",
        description="When a change of demand is seen, and what it costs until prices answer.",
        parameters={"seeds": seeds, "scenarios": names},
        metrics={f"lost_eur/{o.scenario}/{o.change}/{o.rule}/{o.seed}": o.lost_eur for o in found.outcomes},
        figures={"shares_by_day": shares_by_day(found.worlds, played)},
        tables={},
    )
    rows = [asdict(outcome) for outcome in found.outcomes]
    question = (workspace.catalog.fingerprint, names, seeds)
    return replace(found, run_id=keep(workspace, question, [(DRIFT_RESULTS, rows)], study))


def _key(outcome: DriftOutcome) -> tuple[str, int, str]:
    return outcome.scenario, outcome.change, outcome.rule


def _row(scenario: str, change: int, rule: str, seeds: Sequence[DriftOutcome]) -> list[Any]:
    watched = rule != UNWATCHED
    alarms, lost = (float(np.mean([getattr(o, field) for o in seeds])) for field in ("false_alarms", "lost_eur"))
    return [
        scenario,
        f"change {change}" if change else f"before any, {seeds[0].days} days",
        rule,
        mean_where_it_came([outcome.detected_after_days for outcome in seeds]) if change and watched else "",
        mean_where_it_came([outcome.decisions for outcome in seeds]) if change and watched else "",
        f"{alarms:.1f}".removesuffix(".0") if watched else "",
        mean_where_it_came([outcome.recovered_after_days for outcome in seeds]) if change else "",
        f"{round(lost, 2):,.0f}" if change else "",
    ]
