"""Turn the champion into the price book of a business date."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

from prefect import flow

from catalog.spread import HERE, Spread
from etl.business_dates import ONE_DAY, newest_grouped
from flows.artifacts import as_shown_task
from flows.older_prices import tell_of_damaged_books
from flows.registry import registry_of
from flows.runs import tag_run
from flows.spreading.choose import spreading
from flows.workspace import open_workspace
from serving.solve import is_worth_a_cluster
from training.pricing import Priced, price_date
from warehouse.workspace import Workspace


@flow(name="price", flow_run_name="price-{for_date}")
def price(for_date: dt.date | None = None, catalog_dir: str | None = None) -> Priced:
    """Make the price book of a business date, by default the day after the newest one with decisions.

    When the registry is away or the champion cannot be trusted, the last known good book stands.

    Raises
    ------
    Declined
        When the kill switch is on: base prices stand and no book is written. When the champion is being changed.
    DataError
        When there is no champion.
    ModelError
        When the champion cannot be used and there is no earlier book either.
    """
    workspace = open_workspace(catalog_dir)
    tag_run("pricing")
    date = for_date or newest_grouped(workspace.lake) + ONE_DAY
    with _room_to_price(workspace) as spread:
        registry = registry_of(workspace)
        priced: Priced = as_shown_task(price_date, workspace, registry, date, spread=spread)
    tell_of_damaged_books(workspace.lake, [date])  # where old prices hold, they may be older than the newest book
    return priced


@contextmanager
def _room_to_price(workspace: Workspace) -> Iterator[Spread]:
    """Open the place where prices are worked out; for a small shelf, no cluster is asked whether it is there."""
    if not is_worth_a_cluster(workspace.catalog):
        yield HERE
        return
    with spreading(workspace.settings, seconds=0) as spread:
        yield spread
