"""Compare policies, and the product as it ships with its peers, with what a clairvoyant would earn."""

from collections.abc import Sequence

from prefect import flow, task
from prefect.task_runners import ThreadPoolTaskRunner

from evaluation.as_shipped.keep import keep
from evaluation.as_shipped.play import live_world
from evaluation.as_shipped.records import AsShipped, AsShippedQuestion, put_together
from evaluation.choices import DECISIONS, POLICIES, asked
from evaluation.comparison import PolicyComparison, Question, gathered, keep_comparison, limits_of, play_part
from evaluation.first_days import live_one_world
from evaluation.results import shares
from evaluation.worlds import asked_worlds
from flows.artifacts import show_shares
from flows.runs import tag_run
from flows.tasks import COMPUTES, results_of
from flows.workspace import open_workspace

_play = task(task_run_name="learn-from-{decisions}-seed-{seed}", **COMPUTES)(play_part)
_live_shipped = task(task_run_name="as-shipped-{world.name}-seed-{seed}", **COMPUTES)(live_world)
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
    question = Question(*asked(workspace.catalog, policies, scenarios), decisions, seeds, store_days, first_days)
    tag_run("comparison")
    limits = limits_of(question.scenarios)
    futures = [_play.submit(workspace, question, limits, size, seed) for size, seed in question.parts]
    lives = [_live.submit(workspace, first_days, seed) for seed in range(1, seeds + 1) if first_days]
    played, lived = results_of(futures, "comparing policies"), results_of(lives, "living the first days")
    found = keep_comparison(workspace, question, gathered(question, limits, played, lived))
    show_shares(shares(found.scores))
    return found


@flow(name="as-shipped", flow_run_name="as-shipped-{seeds}", task_runner=ThreadPoolTaskRunner(max_workers=2))  # type: ignore[arg-type]
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
    futures = [_live_shipped.submit(world, seed, days, stores) for world, seed in question.parts]
    return keep(workspace, put_together(question, results_of(futures, "living the first days as shipped")))
