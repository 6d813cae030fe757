"""Make the price book of a business date: from a model, or again from the demand curves that it was made from."""

import datetime as dt

import pyarrow as pa

from catalog.spread import HERE, Spread
from features.cells import feature_workbench
from features.footfall import expected_visits
from serving.belief.table import belief_from_table
from serving.book_store import GROUP, NewBook, StoredBook, in_force_for, new_book, publish_book
from serving.curves import curves_from_table
from serving.day_curves import DatedModel, dates_known_from, known_before, read_for
from serving.price_book.book import PriceBook
from warehouse.lake import Lake, Partition
from warehouse.proof import prove
from warehouse.workspace import Workspace


def make_book(workspace: Workspace, model: DatedModel | None, date: dt.date, spread: Spread = HERE) -> NewBook:
    """Form the belief from a champion, if there is one, and the log, and work the policy out; nothing is published."""
    known = known_before(workspace.lake, model, workspace.catalog, date)
    return new_book(workspace.catalog, known.curves, known.visits, date, known.belief, spread)


def has_curves(lake: Lake, date: dt.date) -> bool:
    """Tell whether the demand curves are there that a date's book was made from."""
    return lake.receipt(Partition("demand_curves", date, GROUP)) is not None


def make_book_again(workspace: Workspace, date: dt.date, spread: Spread = HERE) -> PriceBook:
    """Work a date's book out anew from the demand curves that it was made from, whoever is champion by now."""
    stored = in_force_for(date)
    belief, curves = _belief_beside(workspace.lake, stored), curves_from_table(workspace.lake.read(stored.curves))
    if belief is not None:
        visits = belief_from_table(belief, workspace.catalog)[0].footfall.by_tick
        return publish_book(workspace.lake, workspace.catalog, curves, visits, date, belief, spread)
    prove(workspace.lake, read_for(workspace.lake, None, date))
    through = date - dt.timedelta(days=1)
    with feature_workbench(workspace.settings, within=dates_known_from(workspace.lake, (), through)) as connection:
        visits = expected_visits(connection, workspace.catalog, through)
    return publish_book(workspace.lake, workspace.catalog, curves, visits, date, spread=spread)


def _belief_beside(lake: Lake, stored: StoredBook) -> pa.Table | None:
    """Return the belief that was published with the demand curves of a book, which may itself be lost."""
    own, curves = lake.receipt(stored.belief), lake.receipt(stored.curves)
    is_theirs = own is not None and curves is not None and own.inputs == curves.inputs
    return lake.read(stored.belief) if is_theirs and lake.is_proven(stored.belief) else None


def is_priced(lake: Lake, date: dt.date) -> bool:
    """Tell whether a price book was made for exactly this date."""
    return lake.receipt(Partition("price_book", date, GROUP)) is not None
