"""Make the price book of a business date: from a model and the log, or again from the belief that it was made from.

A large shelf is worked out block by block of its products: they know nothing of each other once it is said what their
sales bring, and substitutes are counted there.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pyarrow as pa

from catalog.arrays import Floats
from catalog.load import Catalog
from serving.belief.table import belief_from_table
from serving.belief.taken_from_log import without_the_champions_word
from serving.book.book import PriceBook, joined
from serving.book.day_curves import DatedModel, known_before
from serving.book.table import book_to_table
from serving.book.tabulate import tabulate
from serving.learning.outlook import morning_of
from serving.optimise.curves import DemandCurves, curves_from_table, curves_to_table
from serving.optimise.policies import policy_with_model, sales_of
from warehouse.checks.whole import parts_of_book
from warehouse.commits.commit import Commit
from warehouse.lake import Lake, Partition
from warehouse.workspace import Workspace

_STATES = 2_000_000  # of a block, at least one product


@dataclass(frozen=True)
class NewBook:
    """A price book of a date that is ready to be committed, with what it stands on.

    Attributes
    ----------
    tables
        Rows by the partition that they become: belief and curves, then the book.
    inputs
        What each of them was made from, as in its receipt.
    """

    date: dt.date
    book: PriceBook
    tables: Mapping[Partition, pa.Table]
    inputs: str

    def stage(self, _lake: Lake, commit: Commit) -> None:
        """Stage the book in place of the one that is in force on its date."""
        for partition, rows in self.tables.items():
            commit.publish(partition, rows, inputs=self.inputs)


def make_book(workspace: Workspace, model: DatedModel | None, date: dt.date) -> NewBook:
    """Form the belief from a champion, if there is one, and the log, and work the policy out; nothing is published."""
    known = known_before(workspace.lake, model, workspace.catalog, date)
    return new_book(workspace.catalog, known.curves, known.visits, date, known.belief)


def has_belief(lake: Lake, date: dt.date) -> bool:
    """Tell whether the demand curves and the belief are whole that a date's book was made from."""
    parts = parts_of_book(date)[1:]
    receipts = [lake.receipt(part) for part in parts]
    return (
        None not in receipts
        and len({receipt.inputs for receipt in receipts if receipt}) == 1
        and all(map(lake.is_proven, parts))
    )


def make_book_again(workspace: Workspace, date: dt.date) -> PriceBook:
    """Work a date's book out anew from the belief that it was made from, whoever is champion by now."""
    _, curves_at, belief_at = parts_of_book(date)
    belief, curves = workspace.lake.read(belief_at), curves_from_table(workspace.lake.read(curves_at))
    outlook = morning_of(workspace.catalog, *belief_from_table(belief, workspace.catalog)).outlook()
    known, visits = outlook.curves, outlook.morning.footfall.by_tick
    curves = replace(curves, by_tick=known.by_tick, switching=known.switching)
    return publish_book(workspace.lake, workspace.catalog, curves, visits, date, belief)


def new_book(catalog: Catalog, curves: DemandCurves, visits: Floats, for_date: dt.date, belief: pa.Table) -> NewBook:
    """Make the price book of a business date; nothing is published.

    Parameters
    ----------
    visits
        Visits expected per store day, shape (n_products, n_ticks).
    belief
        What is believed before the day, in the columns of `beliefs`: stores sell from it and correct it.
    """
    facts = (catalog.fingerprint, curves.model_version, curves.supported.tolist(), visits.tolist())
    known = without_the_champions_word(belief)
    inputs = f"{catalog.fingerprint}:{hashlib.sha256(repr((*facts, known)).encode()).hexdigest()}"
    book = unpublished_book(catalog, curves, visits, for_date)
    book_at, curves_at, belief_at = parts_of_book(for_date)
    tables = {belief_at: belief, curves_at: curves_to_table(curves), book_at: book_to_table(book)}
    return NewBook(for_date, book, tables, inputs)


def publish_book(
    lake: Lake, catalog: Catalog, curves: DemandCurves, visits: Floats, for_date: dt.date, belief: pa.Table
) -> PriceBook:
    """Make the price book of a business date and commit it with the curves and the belief it stands on."""
    return commit_book(lake, new_book(catalog, curves, visits, for_date, belief))


def commit_book(lake: Lake, new: NewBook) -> PriceBook:
    """Commit a price book that nothing else belongs to, and return it."""
    with lake.commit(f"prices-{new.date}", inputs=new.inputs) as commit:
        new.stage(lake, commit)
    return new.book


def unpublished_book(catalog: Catalog, curves: DemandCurves, visits: Floats, for_date: dt.date) -> PriceBook:
    """Return the price book of a business date without publishing it; `visits` as in `new_book`."""
    gains, chances = sales_of(catalog, curves, visits)
    published_at = dt.datetime.combine(for_date, dt.time(), dt.UTC)
    levels = int(catalog.most_stock.max()) + 1
    size = max(1, _STATES // (levels * catalog.store.opening.ticks))
    books = list[PriceBook]()
    for first in range(0, len(catalog.products), size):
        own = slice(first, first + size)
        shelf, known = Catalog(catalog.products[own], catalog.store), curves.among(own)
        policy = policy_with_model(shelf, known, visits[own], sales=(gains[own], chances[..., own, :]))
        books.append(tabulate(policy, shelf, published_at, known))
    return joined(books)
