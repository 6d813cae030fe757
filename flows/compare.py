"""Compare policies on the same shoppers, and with what a clairvoyant would earn."""

from dataclasses import replace

from prefect import flow, task
from prefect.futures import as_completed
from prefect.task_runners import ThreadPoolTaskRunner

from evaluation.choices import DECISIONS, POLICIES, asked
from evaluation.comparison import (
    PolicyComparison,
    Question,
    gathered,
    limits_of,
    play_part,
    publish_comparison,
    study_of,
)
from evaluation.first_days import DayResult, live_one_world
from evaluation.results import shares
from flows.artifacts import show_shares
from flows.progress import tell
from flows.runs import tag_run
from flows.tasks import COMPUTES
from flows.workspace import open_workspace
from training.mlflow.experiments import log_study
from warehouse.workspace import Workspace

_play = task(task_run_name="learn-from-{decisions}-seed-{seed}", **COMPUTES)(play_part)
_live = task(task_run_name="first-days-seed-{seed}", **COMPUTES)(live_one_world)


@flow(name="compare", flow_run_name="compare-{seeds}-seeds", task_runner=ThreadPoolTaskRunner(max_workers=2))  # type: ignore[arg-type]
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
    workspace = open_workspace(catalog_dir)
    question = Question(*asked(workspace.catalog, policies, scenarios), decisions, seeds, store_days, first_days)
    tag_run("comparison")
    limits = limits_of(question.scenarios)
    futures = [_play.submit(workspace, question, limits, size, seed) for size, seed in question.parts]
    played = []
    for done, future in enumerate(as_completed(futures), start=1):
        played.append(future.result())
        tell("comparing policies", done, len(futures))
    found = gathered(question, limits, played, live_all(workspace, first_days, seeds) if first_days else [])
    publish_comparison(workspace.lake, question, workspace.catalog.fingerprint, found)
    show_shares(shares(found.scores))
    return replace(found, run_id=log_study(workspace.settings, study_of(question, found)))


def live_all(workspace: Workspace, days: int, seeds: int) -> list[DayResult]:
    """Live the first days of a store that starts to learn, on every seed."""
    futures = [_live.submit(workspace, days, seed) for seed in range(1, seeds + 1)]
    results = []
    for done, future in enumerate(as_completed(futures), start=1):
        results += future.result()
        tell("living the first days", done, len(futures))
    return sorted(results, key=lambda row: (row.policy, row.seed, row.day))
