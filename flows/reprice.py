"""Remake the prices of stores in the middle of their day, from what they have sold so far."""

from prefect import flow

from flows.runs import tag_run, warn_of_damaged_books
from flows.tasks import as_task
from flows.workspace import open_workspace
from serving import reprice as remaking
from serving.reprice import Repriced, open_days


@flow(name="reprice")
def reprice(store: str | None = None, catalog_dir: str | None = None) -> list[Repriced]:
    """Let the belief take in what a store has sold today, and publish prices for the ticks that are left.

    Parameters
    ----------
    store
        One store; by default every store that is being sold live.

    Raises
    ------
    Declined
        When no such store is being sold, or the kill switch is on.
    """
    workspace = open_workspace(catalog_dir)
    tag_run("pricing", "reprice")
    warn_of_damaged_books(workspace.lake, [day.business_date for day in open_days(workspace.lake, store)][-1:])
    return as_task(remaking.reprice, workspace, store)
