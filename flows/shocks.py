"""Play scripted changes of demand, and keep score of two ways to see them and of what each costs."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from prefect import flow, task
from prefect.futures import as_completed
from prefect.task_runners import ThreadPoolTaskRunner

from catalog.errors import DataError
from evaluation.drift.alarms import RULES
from evaluation.drift.figures import shares_by_day
from evaluation.drift.scorecard import UNHEALED, Outcome, ScoredDay, outcomes, outcomes_to_table, play_world
from evaluation.drift.worlds import ShockedWorld, shocked_worlds
from flows.edge import COMPUTES, Surroundings, tag_run
from flows.progress import tell
from training.mlflow.tracking import log_study
from warehouse.lake import Partition

_EXPERIMENT = "shelfprice-comparison"


@dataclass(frozen=True)
class Scorecard:
    """The worlds that were played, one outcome per change, rule and seed, and the MLflow run with the figure."""

    worlds: tuple[ShockedWorld, ...]
    outcomes: tuple[Outcome, ...]
    run_id: str


@flow(name="shocks", flow_run_name="shocks-{seeds}-seeds", task_runner=ThreadPoolTaskRunner(max_workers=2))  # type: ignore[arg-type]
def play_shocks(scenarios: tuple[str, ...] = (), seeds: int = 3, catalog_dir: str | None = None) -> Scorecard:
    """Play the scripted worlds day by day under each rule, in temporary lakes, and keep the score in this one.

    Parameters
    ----------
    scenarios
        Names of worlds; empty for all of them.

    Raises
    ------
    DataError
        When a scenario is unknown; nothing was played.
    """
    around = Surroundings(catalog_dir)
    worlds = _chosen(shocked_worlds(around.catalog), scenarios)
    tag_run("comparison")
    longest_first = sorted(worlds, key=lambda world: -world.days)
    parts = [(world, rule, seed) for world in longest_first for seed in range(1, seeds + 1) for rule in RULES]
    futures = {play_one_world.submit(*part): part for part in parts}
    played: dict[tuple[str, str, int], list[ScoredDay]] = {}
    for done, future in enumerate(as_completed(list(futures)), start=1):
        world, rule, seed = futures[future]
        played[world.name, rule, seed] = future.result()
        tell("playing scripted worlds", done, len(futures))
    found = _score(worlds, played, seeds)
    key = hashlib.sha256(repr((around.catalog.fingerprint, [w.name for w in worlds], seeds)).encode()).hexdigest()
    table = outcomes_to_table(found, dt.datetime.now(dt.UTC))
    around.lake.publish(Partition("drift_results", None, key[:16]), table, inputs=key)
    run_id = log_study(
        around.settings,
        _EXPERIMENT,
        f"{len(worlds)} scripted worlds, {seeds} seeds",
        "When a change of demand is seen, and what it costs until prices answer.",
        {"seeds": seeds, "scenarios": [world.name for world in worlds]},
        {f"lost_eur/{o.scenario}/{o.change}/{o.rule}/{o.seed}": o.lost_eur for o in found},
        {"shares_by_day": shares_by_day(worlds, played)},
        {},
    )
    return Scorecard(worlds, tuple(found), run_id)


@task(**COMPUTES, task_run_name="{rule}-seed-{seed}")
def play_one_world(world: ShockedWorld, rule: str, seed: int) -> list[ScoredDay]:
    """Play one world under one rule with one seed."""
    return play_world(world, rule, seed)


def _score(
    worlds: Sequence[ShockedWorld], played: dict[tuple[str, str, int], list[ScoredDay]], seeds: int
) -> list[Outcome]:
    """Score every rule; what becomes of the first champion is read off the days under the residuals."""
    return [
        outcome
        for world in worlds
        for rule in (*RULES, UNHEALED)
        for seed in range(1, seeds + 1)
        for outcome in outcomes(world, rule, seed, played[world.name, RULES[0] if rule == UNHEALED else rule, seed])
    ]


def _chosen(worlds: Sequence[ShockedWorld], names: Sequence[str]) -> tuple[ShockedWorld, ...]:
    known = {world.name: world for world in worlds}
    for name in names:
        if name not in known:
            raise DataError(f"expected a scenario out of {'; '.join(known)}, found {name!r}; nothing was played")
    return tuple(known[name] for name in names) if names else tuple(worlds)
