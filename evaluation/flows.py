"""The Prefect flows of evaluation: sellers beside a clairvoyant, and scripted changes of demand."""

from collections.abc import Sequence

from prefect import flow

from evaluation.as_shipped.lived_days import AsShipped, AsShippedQuestion, WorldToLive, put_together
from evaluation.drift.scorecard import Scorecard, ShocksToPlay, scorecard_of
from evaluation.harness import play_part
from evaluation.learner_worlds import asked_worlds
from evaluation.worlds import asked_shocks
from flows.runs import spread_as_task, tag_run
from flows.spreading import spreading
from flows.workspace import open_workspace

_THREADS = 2  # for little work
_SECONDS_A_DAY = 0.5  # on one core, roughly


@flow(name="compare", flow_run_name="compare-{seeds}-seeds")
def compare(
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
        lived = spread_as_task(spread, play_part, parts, "living the first days")
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
