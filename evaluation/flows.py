"""The Prefect flows of evaluation: policies and learners beside a clairvoyant, scripted changes of demand."""

from collections.abc import Sequence
from typing import Any

from prefect import flow
from prefect.artifacts import create_table_artifact

from evaluation.as_shipped.lived_days import AsShipped, AsShippedQuestion, WorldToLive, put_together
from evaluation.drift.scorecard import Scorecard, ShocksToPlay, scorecard_of
from evaluation.first_days import FirstDaysToLive
from evaluation.harness import play_part
from evaluation.learner_worlds import asked_worlds
from evaluation.policy_comparison import (
    ComparisonQuestion,
    LogToLearnFrom,
    PolicyComparison,
    gathered,
    limits_of,
    shares,
)
from evaluation.reporting import MeanInterval
from evaluation.worlds import DECISIONS, POLICIES, asked_comparison, asked_shocks
from flows.runs import spread_as_task, tag_run
from flows.spreading import spreading
from flows.workspace import open_workspace
from warehouse.workspace import whereabouts

_THREADS = 2  # for little work
_SECONDS_A_SCENARIO, _SECONDS_A_DAY = 0.4, 0.5  # on one core, roughly


@flow(name="compare", flow_run_name="compare-{seeds}-seeds")
def compare(
    policies: tuple[str, ...] = POLICIES,
    scenarios: tuple[str, ...] = (),
    decisions: tuple[int, ...] = DECISIONS,
    seeds: int = 10,
    store_days: int = 60,
    first_days: int = 0,
    catalog_dir: str | None = None,
) -> PolicyComparison:
    """Let policies learn from logs of several sizes, score them exactly, and play them on the same shoppers.

    Parameters
    ----------
    policies, scenarios
        Names; no scenario means all of them.
    decisions
        Sizes of the logs to learn from; the matches are played after the largest.
    seeds, store_days
        Logs and worlds, each with another seed: the intervals are over these. Store days in a match.
    first_days
        Days of a store that starts to learn, to see what learning costs; 0 leaves that out.

    Raises
    ------
    DataError
        When a policy or scenario is unknown.
    """
    workspace = open_workspace(catalog_dir)
    question = ComparisonQuestion(
        *asked_comparison(workspace.catalog, policies, scenarios), decisions, seeds, store_days, first_days
    )
    tag_run("comparison")
    limits = limits_of(question.scenarios)
    work = len(question.parts) * len(question.scenarios) * _SECONDS_A_SCENARIO + seeds * first_days * _SECONDS_A_DAY
    with spreading(workspace.settings, seconds=work, threads=_THREADS) as spread:
        where = whereabouts(workspace, spread)
        logs = [LogToLearnFrom(where, question, limits, size, seed) for size, seed in question.parts]
        stores = [FirstDaysToLive(where, first_days, seed) for seed in range(1, seeds + 1) if first_days]
        played = spread_as_task(spread, play_part, logs, "comparing policies")
        lived = spread_as_task(spread, play_part, stores, "living the first days")
    from evaluation.comparison_report import keep_comparison

    found = keep_comparison(workspace, question, gathered(question, limits, played, lived))
    _show_shares(shares(found.scores))
    return found


@flow(name="as-shipped", flow_run_name="as-shipped-{seeds}")
def compare_as_shipped(
    worlds: Sequence[str] = (), days: int = 60, seeds: int = 10, stores: int = 1, catalog_dir: str | None = None
) -> AsShipped:
    """Live the first days of worlds, by default all, with the product as shipped and its peers on the same shoppers.

    Raises
    ------
    DataError
        When a world is unknown; nothing was played.
    """
    workspace = open_workspace(catalog_dir)
    question = AsShippedQuestion(asked_worlds(worlds, workspace.catalog), days, seeds, stores)
    tag_run("comparison")
    parts = [WorldToLive(world, seed, days, stores) for world, seed in question.parts]
    with spreading(workspace.settings, seconds=len(parts) * days * _SECONDS_A_DAY, threads=_THREADS) as spread:
        lived = spread_as_task(spread, play_part, parts, "living the first days as shipped")
    from evaluation.as_shipped.shipped_report import keep_as_shipped

    return keep_as_shipped(workspace, put_together(question, lived))


@flow(name="shocks", flow_run_name="shocks-{seeds}-seeds")
def play_shocks(scenarios: tuple[str, ...] = (), seeds: int = 3, catalog_dir: str | None = None) -> Scorecard:
    """Play the scripted worlds day by day, in temporary lakes, and keep the score in this one.

    Parameters
    ----------
    scenarios
        Names of worlds; empty for all of them.

    Raises
    ------
    DataError
        When a scenario is unknown; nothing was played.
    """
    workspace = open_workspace(catalog_dir, for_the_twin=True)
    worlds = asked_shocks(workspace.catalog, scenarios)
    tag_run("comparison")
    longest_first = sorted(worlds, key=lambda world: -world.days)
    parts = [ShocksToPlay(world, seed) for world in longest_first for seed in range(1, seeds + 1)]
    work = sum(part.world.days for part in parts) * _SECONDS_A_DAY
    with spreading(workspace.settings, seconds=work, threads=_THREADS) as spread:
        lived = spread_as_task(spread, play_part, parts, "playing scripted worlds")
    played = {(part.world.name, part.seed): days for part, days in zip(parts, lived, strict=True)}
    from evaluation.drift.drift_report import keep_scorecard

    return keep_scorecard(workspace, scorecard_of(worlds, played, seeds), played, seeds)


def _show_shares(shares: dict[tuple[str, int, str], MeanInterval]) -> None:
    """Keep each policy's share of the clairvoyant by scenario as a table."""
    rows: list[dict[str, Any]] = [
        {
            "policy": policy,
            "decisions": decisions,
            "scenario": scenario,
            "share of clairvoyant, %": round(100 * found.mean, 2),
        }
        for (policy, decisions, scenario), found in shares.items()
    ]
    create_table_artifact(key="shares", table=rows, description="Share of the clairvoyant, exact under true demand")
