"""Compare policies on the same shoppers, and with what a clairvoyant would earn.

The question is cut into parts that are independent of each other, one for each size of log and seed: they may be played
anywhere and in any order.
"""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from catalog.arrays import Floats
from evaluation import comparison_figures
from evaluation.choices import DECISIONS
from evaluation.contestants import (
    CLAIRVOYANT,
    TRUE_DEMAND,
    clairvoyant,
    learn,
    policy_of,
    with_true_demand,
)
from evaluation.first_days import DayResult
from evaluation.results import Match, Score, matches_by_policy, matches_to_table, scores_to_table, shares
from evaluation.scenarios import PLAYED_ON, Scenario
from evaluation.scores import expected_gain, play_all
from features.cells import feature_workbench
from serving.pricing_policy import PricingPolicy
from training.mlflow.experiments import Study, log_study
from warehouse.lake import Lake, Partition
from warehouse.workspace import Workspace


@dataclass(frozen=True)
class Question:
    """What is to be compared.

    Attributes
    ----------
    policies, scenarios
        Names of policies, and the worlds they are played in.
    decisions
        Sizes of the logs to learn from; the matches are played after the largest.
    seeds
        Logs and worlds, each with another seed; the intervals are over these.
    store_days
        Store days in a match.
    first_days
        Days of a store that starts to learn, to see what learning costs; 0 leaves that out.
    """

    policies: tuple[str, ...]
    scenarios: tuple[Scenario, ...]
    decisions: tuple[int, ...] = DECISIONS
    seeds: int = 10
    store_days: int = 60
    first_days: int = 0

    @property
    def parts(self) -> list[tuple[int, int]]:
        """Size of the log and seed of each part, those that take longest first."""
        return [(size, seed) for size in sorted(self.decisions, reverse=True) for seed in range(1, self.seeds + 1)]


@dataclass(frozen=True)
class Limit:
    """The clairvoyant of a scenario, and what it gains on average on a store day, EUR, shape (n_products,)."""

    policy: PricingPolicy
    gain: Floats


@dataclass(frozen=True)
class Played:
    """What one part found: exact scores after learning, and matches on the same shoppers, if any were played."""

    scores: list[Score] = field(default_factory=list)
    matches: list[Match] = field(default_factory=list)


@dataclass(frozen=True)
class PolicyComparison:
    """The outcome: exact scores after learning, matches played on the same shoppers, and the MLflow run."""

    scenarios: tuple[Scenario, ...]
    scores: tuple[Score, ...]
    matches: tuple[Match, ...]
    first_days: tuple[DayResult, ...]
    run_id: str = ""


def limits_of(worlds: Sequence[Scenario]) -> dict[str, Limit]:
    """Return the clairvoyant of each world by the world's name."""
    policies = {world.name: clairvoyant(world.catalog, PLAYED_ON) for world in worlds}
    return {
        world.name: Limit(policies[world.name], expected_gain(policies[world.name], world.catalog, PLAYED_ON))
        for world in worlds
    }


def play_part(workspace: Workspace, question: Question, limits: dict[str, Limit], decisions: int, seed: int) -> Played:
    """Learn from one log for each kind of demand and score every learner exactly; after the largest log, play all."""
    with feature_workbench(workspace.settings) as connection:
        catalogs = {world.demand: world.catalog for world in question.scenarios}
        learned = {demand: learn(connection, catalog, decisions, seed) for demand, catalog in catalogs.items()}
    store_days = question.store_days if decisions == max(question.decisions) else 0
    played = Played()
    for world in question.scenarios:
        limit = limits[world.name]
        own = {name: policy_of(name, world.catalog, learned[world.demand]) for name in question.policies}
        for name in question.policies:
            if name not in {"static", "rule"}:
                share = float((expected_gain(own[name], world.catalog, PLAYED_ON) / limit.gain).mean())
                played.scores.append(Score(world.name, name, decisions, seed, share))
        if store_days:
            tallies = play_all(own | {CLAIRVOYANT: limit.policy}, world.catalog, store_days, seed)
            most = tallies[CLAIRVOYANT].gain_eur
            played.matches.extend(
                Match(world.name, name, decisions, seed, store_days, tally, tally.gain_eur / most)
                for name, tally in tallies.items()
            )
    return played


def gathered(
    question: Question, limits: dict[str, Limit], played: Sequence[Played], lived: Sequence[Sequence[DayResult]]
) -> PolicyComparison:
    """Put the parts together, with the best that each world's own ladder allows; `lived` has one part per seed."""
    best = [_best_possible(world, limits[world.name]) for world in question.scenarios]
    scores = [*best, *(score for part in played for score in part.scores)]
    matches = [match for part in played for match in part.matches]
    scores.sort(key=lambda row: (-row.decisions, row.seed))
    matches.sort(key=lambda row: row.seed)
    days = sorted((row for part in lived for row in part), key=lambda row: (row.policy, row.seed, row.day))
    return PolicyComparison(question.scenarios, tuple(scores), tuple(matches), tuple(days))


def keep_comparison(workspace: Workspace, question: Question, found: PolicyComparison) -> PolicyComparison:
    """Keep a comparison in the lake and in MLflow, and return it with its run."""
    publish_comparison(workspace.lake, question, workspace.catalog.fingerprint, found)
    return replace(found, run_id=log_study(workspace.settings, study_of(question, found)))


def publish_comparison(lake: Lake, question: Question, fingerprint: str, found: PolicyComparison) -> None:
    """Keep a comparison; the same one made again replaces itself.

    `fingerprint` is that of the catalog it was asked on.
    """
    worlds = [world.name for world in question.scenarios]
    key = (fingerprint, question.policies, worlds, question.decisions, question.seeds, question.store_days)
    inputs = hashlib.sha256(repr(key).encode()).hexdigest()
    compared_at, group = dt.datetime.now(dt.UTC), inputs[:16]
    tables = {
        "policy_results": matches_to_table(found.matches, compared_at),
        "learning_results": scores_to_table(found.scores, compared_at),
    }
    for name, rows in tables.items():
        lake.publish(Partition(name, None, group), rows, inputs=inputs)


def study_of(question: Question, found: PolicyComparison) -> Study:
    """Return the comparison as it is logged: shares as metrics, and figures."""
    by_policy, exact = matches_by_policy(found.matches), shares(found.scores)
    figures = {
        "shares_by_scenario": comparison_figures.shares_by_scenario(by_policy),
        "learning_curves": comparison_figures.learning_curves(exact, [world.name for world in found.scenarios]),
    }
    if found.first_days:
        figures["regret"] = comparison_figures.regret(found.first_days)
    return Study(
        name=f"{len(found.scenarios)} scenarios, {len(set(by_policy['policy']))} policies",
        description="Policies on the same shoppers, as a share of what a clairvoyant earns.",
        parameters={
            "seeds": question.seeds,
            "store_days": question.store_days,
            "decisions": question.decisions,
            "first_days": question.first_days,
        },
        metrics={
            f"share/{scenario.replace(',', '')}/{policy}/{decisions}": own.mean
            for (policy, decisions, scenario), own in exact.items()
        },
        figures=figures,
        tables={"played": by_policy},
    )


def _best_possible(world: Scenario, limit: Limit) -> Score:
    gain = expected_gain(with_true_demand(world.catalog, PLAYED_ON), world.catalog, PLAYED_ON)
    return Score(world.name, TRUE_DEMAND, 0, 0, float((gain / limit.gain).mean()))
