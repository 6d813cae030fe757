"""Play scripted changes of demand, score how soon each is seen and what it costs, and keep the score."""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from evaluation.drift.figures import shares_by_day
from evaluation.drift.scorecard import RULES, DriftOutcome, ScoredDay, outcomes, outcomes_to_table
from evaluation.drift.worlds import ShockedWorld
from training.mlflow.experiments import Study, log_study
from warehouse.lake import Lake, Partition
from warehouse.workspace import Workspace

PlayedDays = Mapping[tuple[str, int], Sequence[ScoredDay]]
"""The scored days of each world and seed."""


@dataclass(frozen=True)
class Scorecard:
    """The worlds that were played, one outcome for each change, rule and seed, and the MLflow run with the figure."""

    worlds: tuple[ShockedWorld, ...]
    outcomes: tuple[DriftOutcome, ...]
    run_id: str = ""


def scorecard_of(worlds: Sequence[ShockedWorld], played: PlayedDays, seeds: int) -> Scorecard:
    """Score what was played; what becomes of the first champion is read off the same days."""
    found = [
        outcome
        for world in worlds
        for rule in RULES
        for seed in range(1, seeds + 1)
        for outcome in outcomes(world, rule, seed, played[world.name, seed])
    ]
    return Scorecard(tuple(worlds), tuple(found))


def keep_scorecard(workspace: Workspace, found: Scorecard, played: PlayedDays, seeds: int) -> Scorecard:
    """Keep a scorecard in the lake and in MLflow, and return it with its run."""
    publish_scorecard(workspace.lake, workspace.catalog.fingerprint, found, seeds)
    return replace(found, run_id=log_study(workspace.settings, study_of(found, played, seeds)))


def publish_scorecard(lake: Lake, fingerprint: str, found: Scorecard, seeds: int) -> None:
    """Keep a scorecard; the same one made again replaces itself. `fingerprint` is that of the catalog."""
    names = [world.name for world in found.worlds]
    key = hashlib.sha256(repr((fingerprint, names, seeds)).encode()).hexdigest()
    table = outcomes_to_table(found.outcomes, dt.datetime.now(dt.UTC))
    lake.publish(Partition("drift_results", None, key[:16]), table, inputs=key)


def study_of(found: Scorecard, played: PlayedDays, seeds: int) -> Study:
    """Return the scorecard as it is logged: euros lost as metrics, and the shares day by day as a figure."""
    return Study(
        name=f"{len(found.worlds)} scripted worlds, {seeds} seeds",
        description="When a change of demand is seen, and what it costs until prices answer.",
        parameters={"seeds": seeds, "scenarios": [world.name for world in found.worlds]},
        metrics={f"lost_eur/{o.scenario}/{o.change}/{o.rule}/{o.seed}": o.lost_eur for o in found.outcomes},
        figures={"shares_by_day": shares_by_day(found.worlds, played)},
        tables={},
    )
