"""Play scripted changes of demand, and keep score of when each is seen and what it costs."""

from collections.abc import Sequence
from dataclasses import replace

from prefect import flow, task
from prefect.futures import as_completed
from prefect.task_runners import ThreadPoolTaskRunner

from evaluation.drift.play import Scorecard, publish_scorecard, scorecard_of, study_of
from evaluation.drift.scorecard import ScoredDay, play_world
from evaluation.drift.worlds import asked
from flows.progress import tell
from flows.runs import tag_run
from flows.tasks import COMPUTES
from flows.workspace import open_workspace
from training.mlflow.experiments import log_study

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
    futures = {_play.submit(world, seed): (world.name, seed) for world in longest_first for seed in range(1, seeds + 1)}
    played: dict[tuple[str, int], Sequence[ScoredDay]] = {}
    for done, future in enumerate(as_completed(list(futures)), start=1):
        played[futures[future]] = future.result()
        tell("playing scripted worlds", done, len(futures))
    found = scorecard_of(worlds, played, seeds)
    publish_scorecard(workspace.lake, workspace.catalog.fingerprint, found, seeds)
    return replace(found, run_id=log_study(workspace.settings, study_of(found, played, seeds)))
