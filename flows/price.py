"""Turn the champion into the price book of a business date."""

import datetime as dt
from contextlib import nullcontext

from catalog.spread import HERE
from etl.business_dates import ONE_DAY, newest_grouped
from flows.older_prices import say_damaged_books
from flows.registry import registry_of
from flows.spreading.choose import spreading
from flows.workspace import open_workspace
from serving.solve import is_worth_a_cluster
from training.pricing import Priced, price_date


def price(for_date: dt.date | None = None, catalog_dir: str | None = None) -> Priced:
    """Make the price book of a business date, by default the day after the newest one with decisions.

    When the registry is away or the champion cannot be trusted, the last known good book stands. For a small shelf, no
    cluster is asked whether it is there.

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
    date = for_date or newest_grouped(workspace.lake) + ONE_DAY
    is_large = is_worth_a_cluster(workspace.catalog)
    with spreading(workspace.settings, seconds=0) if is_large else nullcontext(HERE) as spread:
        priced = price_date(workspace, registry_of(workspace), date, spread=spread)
    say_damaged_books(workspace.lake, [date])  # where old prices hold, they may be older than the newest book
    return priced
