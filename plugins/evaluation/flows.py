"""The Prefect flow of evaluation: sellers beside a clairvoyant."""

from collections.abc import Sequence

from prefect import flow

from flows.runs import spread_as_task, tag_run
from flows.spreading import spreading
from flows.workspace import open_workspace
from plugins.evaluation.as_shipped.lived_days import AsShipped, AsShippedQuestion, WorldToLive, live, put_together
from plugins.evaluation.worlds import asked_worlds

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
        lived = spread_as_task(spread, live, parts, "living the first days")
    from plugins.evaluation.as_shipped.shipped_report import keep_as_shipped

    return keep_as_shipped(workspace, put_together(question, lived))
