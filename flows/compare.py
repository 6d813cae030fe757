"""Compare policies on the same shoppers, and with what a clairvoyant would earn."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from prefect import flow, task
from prefect.futures import as_completed
from prefect.task_runners import ThreadPoolTaskRunner

from catalog.arrays import Floats
from catalog.errors import DataError
from evaluation import comparison_figures as figures
from evaluation.contestants import (
    CLAIRVOYANT,
    POLICIES,
    TRUE_DEMAND,
    clairvoyant,
    learn,
    policy_of,
    with_true_demand,
)
from evaluation.first_days import DayResult, live_first_days
from evaluation.results import (
    Match,
    Score,
    matches_by_policy,
    matches_to_table,
    scores_to_table,
    shares,
)
from evaluation.scenarios import PLAYED_ON, Scenario, built_in
from evaluation.scores import expected_gain, play_all
from features.cells import feature_workbench
from flows.artifacts import show_shares
from flows.edge import COMPUTES, Surroundings, tag_run
from flows.progress import tell
from serving.pricing_policy import PricingPolicy
from training.mlflow.tracking import log_study
from warehouse.lake import Lake, Partition

DECISIONS = (500, 2_000, 20_000)
LEARNING_WORLD = "200 visits"
_EXPERIMENT = "shelfprice-comparison"


@dataclass(frozen=True)
class Limit:
    """The clairvoyant of a scenario, and what it gains on average on a store day, EUR, shape (n_products,)."""

    policy: PricingPolicy
    gain: Floats


@dataclass(frozen=True)
class Comparison:
    """The outcome: exact scores after learning, matches played on the same shoppers, and the MLflow run."""

    scenarios: tuple[Scenario, ...]
    scores: tuple[Score, ...]
    matches: tuple[Match, ...]
    first_days: tuple[DayResult, ...]
    run_id: str


@flow(name="compare", flow_run_name="compare-{seeds}-seeds", task_runner=ThreadPoolTaskRunner(max_workers=2))  # type: ignore[arg-type]
def compare(
    policies: tuple[str, ...] = POLICIES,
    scenarios: tuple[str, ...] = (),
    decisions: tuple[int, ...] = DECISIONS,
    seeds: int = 10,
    store_days: int = 60,
    first_days: int = 0,
    catalog_dir: str | None = None,
) -> Comparison:
    """Let policies learn from logs of several sizes, score them exactly, and play them on the same shoppers.

    Parameters
    ----------
    policies, scenarios
        Names; no scenario means all of them.
    decisions
        Sizes of the logs to learn from; the matches are played after the largest.
    seeds
        Logs and worlds, each with another seed; the intervals are over these.
    store_days
        Store days in a match.
    first_days
        Days of a store that starts to learn, to see what learning costs; 0 leaves that out.

    Raises
    ------
    DataError
        When a policy or scenario is unknown.
    """
    around = Surroundings(catalog_dir)
    worlds = _chosen(built_in(around.catalog), scenarios)
    _refuse_unknown(policies)
    tag_run("comparison")
    limits = {world.name: _limit(world) for world in worlds}
    futures = [
        learn_and_meet.submit(around, worlds, limits, policies, size, seed, store_days if size == max(decisions) else 0)
        for size in sorted(decisions, reverse=True)
        for seed in range(1, seeds + 1)
    ]
    scores, matches = [_best_possible(world, limits[world.name]) for world in worlds], []
    for done, future in enumerate(as_completed(futures), start=1):
        learned, played = future.result()
        scores += learned
        matches += played
        tell("comparing policies", done, len(futures))
    lived = live_on(around, first_days, seeds) if first_days else []
    key = (around.catalog.fingerprint, policies, [world.name for world in worlds], decisions, seeds, store_days)
    scores.sort(key=lambda row: (-row.decisions, row.seed))
    matches.sort(key=lambda row: row.seed)
    publish_comparison(around.lake, scores, matches, hashlib.sha256(repr(key).encode()).hexdigest())
    found = shares(scores)
    show_shares(found)
    parameters = {"seeds": seeds, "store_days": store_days, "decisions": decisions, "first_days": first_days}
    run_id = _log(around, scores, matches, lived, worlds, parameters)
    return Comparison(worlds, tuple(scores), tuple(matches), tuple(lived), run_id)


def live_on(around: Surroundings, days: int, seeds: int) -> list[DayResult]:
    """Live the first days of a store that starts to learn, where stock is scarce, on every seed."""
    world = next(world for world in built_in(around.catalog) if world.name == LEARNING_WORLD)
    futures = [live_one_world.submit(around, world, days, seed) for seed in range(1, seeds + 1)]
    results = []
    for done, future in enumerate(as_completed(futures), start=1):
        results += future.result()
        tell("living the first days", done, len(futures))
    return sorted(results, key=lambda row: (row.policy, row.seed, row.day))


@task(**COMPUTES, task_run_name="first-days-seed-{seed}")
def live_one_world(around: Surroundings, world: Scenario, days: int, seed: int) -> list[DayResult]:
    """Live the first days with one seed."""
    with feature_workbench(around.settings) as connection:
        return live_first_days(connection, world.catalog, days, seed)


@task(**COMPUTES, task_run_name="learn-from-{decisions}-seed-{seed}")
def learn_and_meet(
    around: Surroundings,
    worlds: Sequence[Scenario],
    limits: dict[str, Limit],
    policies: Sequence[str],
    decisions: int,
    seed: int,
    store_days: int,
) -> tuple[list[Score], list[Match]]:
    """Learn from one log per kind of demand, score every learner exactly, and play all for some store days, if any."""
    with feature_workbench(around.settings) as connection:
        catalogs = {world.demand: world.catalog for world in worlds}
        learned = {demand: learn(connection, catalog, decisions, seed) for demand, catalog in catalogs.items()}
    scores, matches = [], []
    for world in worlds:
        limit = limits[world.name]
        own = {name: policy_of(name, world.catalog, learned[world.demand]) for name in policies}
        for name in policies:
            if name not in {"static", "rule"}:
                share = float((expected_gain(own[name], world.catalog, PLAYED_ON) / limit.gain).mean())
                scores.append(Score(world.name, name, decisions, seed, share))
        if store_days:
            tallies = play_all(own | {CLAIRVOYANT: limit.policy}, world.catalog, store_days, seed)
            most = tallies[CLAIRVOYANT].gain_eur
            matches += [
                Match(world.name, name, decisions, seed, store_days, tally, tally.gain_eur / most)
                for name, tally in tallies.items()
            ]
    return scores, matches


def publish_comparison(lake: Lake, scores: Sequence[Score], matches: Sequence[Match], inputs: str) -> None:
    """Keep a comparison; the same one made again replaces itself."""
    compared_at = dt.datetime.now(dt.UTC)
    group = inputs[:16]
    lake.publish(Partition("policy_results", None, group), matches_to_table(matches, compared_at), inputs=inputs)
    lake.publish(Partition("learning_results", None, group), scores_to_table(scores, compared_at), inputs=inputs)


def _limit(world: Scenario) -> Limit:
    policy = clairvoyant(world.catalog, PLAYED_ON)
    return Limit(policy, expected_gain(policy, world.catalog, PLAYED_ON))


def _best_possible(world: Scenario, limit: Limit) -> Score:
    gain = expected_gain(with_true_demand(world.catalog, PLAYED_ON), world.catalog, PLAYED_ON)
    return Score(world.name, TRUE_DEMAND, 0, 0, float((gain / limit.gain).mean()))


def _chosen(worlds: Sequence[Scenario], names: Sequence[str]) -> tuple[Scenario, ...]:
    known = {world.name: world for world in worlds}
    for name in names:
        if name not in known:
            raise DataError(f"expected a scenario out of {'; '.join(known)}, found {name!r}; nothing was compared")
    return tuple(known[name] for name in names) if names else tuple(worlds)


def _refuse_unknown(policies: Sequence[str]) -> None:
    for name in policies:
        if name not in POLICIES:
            raise DataError(f"expected a policy out of {', '.join(POLICIES)}, found {name!r}; nothing was compared")


def _log(
    around: Surroundings,
    scores: Sequence[Score],
    matches: Sequence[Match],
    lived: Sequence[DayResult],
    worlds: Sequence[Scenario],
    parameters: dict[str, object],
) -> str:
    by_policy = matches_by_policy(matches)
    exact = shares(scores)
    metrics = {
        f"share/{scenario.replace(',', '')}/{policy}/{decisions}": found.mean
        for (policy, decisions, scenario), found in exact.items()
    }
    pictures = {
        "shares_by_scenario": figures.shares_by_scenario(by_policy),
        "learning_curves": figures.learning_curves(exact, [world.name for world in worlds]),
    }
    if lived:
        pictures["regret"] = figures.regret(lived)
    return log_study(
        around.settings,
        _EXPERIMENT,
        f"{len(worlds)} scenarios, {len(set(by_policy['policy']))} policies",
        "Policies on the same shoppers, as a share of what a clairvoyant earns.",
        parameters,
        metrics,
        pictures,
        {"played": by_policy},
    )
