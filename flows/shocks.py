"""Play scripted changes of demand, and keep score of when each is seen and what it costs."""

from prefect import flow, task
from prefect.task_runners import ThreadPoolTaskRunner

from evaluation.drift.play import Scorecard, keep_scorecard, scorecard_of
from evaluation.drift.scorecard import play_world
from evaluation.drift.worlds import asked
from flows.runs import tag_run
from flows.tasks import COMPUTES, results_of
from flows.workspace import open_workspace

_play = task(task_run_name="seed-{seed}", **COMPUTES)(play_world)


@flow(name="shocks", flow_run_name="shocks-{seeds}-seeds", task_runner=ThreadPoolTaskRunner(max_workers=2))  # type: ignore[arg-type]
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
    worlds = asked(workspace.catalog, scenarios)
    tag_run("comparison")
    longest_first = sorted(worlds, key=lambda world: -world.days)
    parts = [(world, seed) for world in longest_first for seed in range(1, seeds + 1)]
    lived = results_of([_play.submit(*part) for part in parts], "playing scripted worlds")
    played = {(world.name, seed): days for (world, seed), days in zip(parts, lived, strict=True)}
    return keep_scorecard(workspace, scorecard_of(worlds, played, seeds), played, seeds)
