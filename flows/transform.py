"""Turn new or changed decisions into demand cells, and check what the data claim to be."""

import datetime as dt

from prefect import flow

from etl.transform import Transformed
from etl.transform import transform as group_and_check
from flows.progress import tell
from flows.runs import tag_run
from flows.spreading.choose import spreading
from flows.tasks import as_task
from flows.workspace import open_workspace
from warehouse.sold import sold_dates
from warehouse.workspace import Workspace


@flow(name="transform")
def transform(catalog_dir: str | None = None, anew_on: tuple[dt.date, ...] = ()) -> Transformed:
    """Group the decisions of every new or changed partition into demand cells, then run the SQL assertions on them.

    Partitions of the dates in `anew_on` are grouped again even though nothing changed.

    Raises
    ------
    DataError
        When an assertion finds rows that break it; the message names the assertion, the date and the first rows.
    """
    workspace = open_workspace(catalog_dir)
    sold = sold_dates(workspace.lake)
    tag_run("features", f"transform-{sold[-1] if sold else 'empty'}")
    return group_decisions(workspace, anew_on)


def group_decisions(workspace: Workspace, anew_on: tuple[dt.date, ...] = ()) -> Transformed:
    """Group and check as a task of the flow run we are in."""
    with spreading(workspace.settings, seconds=0) as spread:
        return as_task(group_and_check, workspace, anew_on, tell, spread)
