"""Play scripted changes of demand, and keep score of when each is seen and what it costs."""

from prefect import flow

from evaluation.drift.drift_report import keep_scorecard
from evaluation.drift.scorecard import Scorecard, ShocksToPlay, scorecard_of
from evaluation.harness import play_part
from evaluation.worlds import asked_shocks as asked
from flows.runs import tag_run
from flows.spreading.choose import spreading
from flows.tasks import spread_as_task
from flows.workspace import open_workspace

_THREADS = 2  # for little work
_SECONDS_A_DAY = 0.5  # on one core, roughly


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
    worlds = asked(workspace.catalog, scenarios)
    tag_run("comparison")
    longest_first = sorted(worlds, key=lambda world: -world.days)
    parts = [ShocksToPlay(world, seed) for world in longest_first for seed in range(1, seeds + 1)]
    work = sum(part.world.days for part in parts) * _SECONDS_A_DAY
    with spreading(workspace.settings, seconds=work, threads=_THREADS) as spread:
        lived = spread_as_task(spread, play_part, parts, "playing scripted worlds")
    played = {(part.world.name, part.seed): days for part, days in zip(parts, lived, strict=True)}
    return keep_scorecard(workspace, scorecard_of(worlds, played, seeds), played, seeds)
