"""Make the price book of a business date: what is known before it, the policy in every state, the tables to commit.

The belief comes from a champion and the log. A champion has no say where somebody else set prices: those prices had
reasons that were not logged. The book is the belief's prices under the static limits; limits that look at the price
shown before wait for the store.

A large shelf is tabulated in blocks of products: given what their sales bring, substitutes included, products are
independent.
"""

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import duckdb
import numpy as np
import pyarrow as pa

from catalog.arrays import Floats
from catalog.decisions.pricing import Shelf
from catalog.errors import ModelError
from catalog.hooks import SELLERS
from catalog.load import Catalog
from catalog.names import BOOK_GROUP
from features.cells import feature_workbench
from features.context import TABLES_OF_CONTEXT
from features.footfall import observed_prices
from features.prior_forests import PriorForests
from serving.belief.log import ChampionCurves, LogEvidence, belief_from, read_log_evidence
from serving.belief.said import NOTHING_SAID, Said
from serving.belief.sales import LOOKS_BACK
from serving.belief.table import belief_from_table, belief_to_table, log_fingerprint
from serving.book.book import BookCells, PriceBook, book_to_table, joined, positions_of
from serving.learning.outlook import Outlook, start_of_day
from serving.limits.limits import anywhere, limits_of
from serving.optimise.curves import (
    DemandCurves,
    DemandModel,
    chance_at,
    curves_to_table,
    demand_curves,
)
from serving.optimise.policies import PricingPolicy, policy_with_model, sales_of
from warehouse.checks.proof import Span, prove
from warehouse.checks.whole import parts_of_book
from warehouse.commits.commit import Commit
from warehouse.lake import Lake, Partition
from warehouse.origin import COUNTS, SOLD
from warehouse.partition import Within, between
from warehouse.workspace import Workspace

_SAME = 1e-9  # EUR
_BLOCK_STATES = 250_000  # states of a block of products; a block has at least one product


class DatedModel(DemandModel, Protocol):
    """A demand model that says from which days it learned, and what it says of products and days before a sale."""

    @property
    def learned_from(self) -> dt.date | None:
        """First business date it learned from; None for all of them."""
        ...

    @property
    def trained_through(self) -> dt.date | None:
        """Last business date it learned from; None where it does not say."""
        ...

    @property
    def prior(self) -> PriorForests:
        """Its forests of products and of days."""
        ...


@dataclass(frozen=True)
class DayKnowledge:
    """What is known of a business date before it begins.

    Attributes
    ----------
    curves
        Chances of sale; they know which prices were observed.
    visits
        Visits expected per store day, shape (n_products, n_ticks).
    belief
        The belief behind both, in the columns of `beliefs`.
    outlook
        The belief before the first visit, which the day's sales correct.
    champion
        The champion that the belief heard; None without one.
    said
        What its forests said beforehand.
    """

    curves: DemandCurves
    visits: Floats
    belief: pa.Table
    outlook: Outlook
    champion: ChampionCurves | None = None
    said: Said = NOTHING_SAID


def known_before(
    lake: Lake,
    model: DatedModel | None,
    catalog: Catalog,
    date: dt.date,
    products: pa.Table | None = None,
    log: LogEvidence | None = None,
    *,
    sets_aside: bool = True,
) -> DayKnowledge:
    """Return what is known of a business date before it begins, once everything that tells of it is proven.

    Parameters
    ----------
    products
        The shelf, if it is another than the one in the lake.
    log
        What the log shows before the date, if it was read already.
    sets_aside
        Whether damaged decisions and cells are moved out of the lake.

    Raises
    ------
    DamagedError
        When the bytes of some partitions are not those of their receipts.
    """
    prove(lake, read_for(lake, model, date), sets_aside=sets_aside)
    with feature_workbench(lake.settings, products, within=dates_known_from(lake, (model,), date)) as connection:
        return learned_for(connection, model, catalog, date, log)


def learned_for(
    connection: duckdb.DuckDBPyConnection,
    model: DatedModel | None,
    catalog: Catalog,
    date: dt.date,
    log: LogEvidence | None = None,
) -> DayKnowledge:
    """Return what is known of a business date before it begins, from a champion and the log, or the log alone.

    Parameters
    ----------
    log
        What the log shows before the date, if it was read already.
    """
    through, champion = date - dt.timedelta(days=1), None
    if holds_exported(connection, catalog, dt.date.min, through):
        model = None
    if model is not None:
        curves = supported_curves(connection, model, catalog, through)
        champion = ChampionCurves(curves, model.trained_through or through, model.prior)
    belief = belief_from(catalog, log or read_log_evidence(connection, catalog, through), date, champion)
    outlook, table = start_of_day(catalog, belief).outlook(), belief_to_table(catalog, belief)
    return DayKnowledge(outlook.curves, belief.footfall.by_tick, table, outlook, champion, belief.said)


def supported_curves(
    connection: duckdb.DuckDBPyConnection, model: DatedModel, catalog: Catalog, through: dt.date
) -> DemandCurves:
    """Ask a model for the demand curves of the day after a date, and mark the prices that decisions until then show.

    A product with a single observed price, or none, has no support: how demand answers is not known.
    """
    curves = demand_curves(connection, model, catalog)
    lowest, highest = np.hsplit(observed_prices(connection, catalog, through, model.learned_from), 2)
    is_inside = (curves.prices >= lowest - _SAME) & (curves.prices <= highest + _SAME)
    return replace(curves, observed=is_inside & (highest - lowest > _SAME))


def holds_exported(connection: duckdb.DuckDBPyConnection, catalog: Catalog, after: dt.date, through: dt.date) -> bool:
    """Return whether a decision that counts, after a date and up to another, met a retailer's own price."""
    return any(seller.holds_exported(connection, catalog, after, through) for seller in SELLERS.all())


def read_for(lake: Lake, model: DatedModel | None, date: dt.date) -> tuple[Span, ...]:
    """Return what is read to know a business date before it begins.

    A belief looks back some weeks. Where somebody else set prices, all of the log counts, and what lay beside it.
    """
    through = date - dt.timedelta(days=1)
    spans = [Span("products"), Span("ingested_files"), *map(Span, TABLES_OF_CONTEXT)]
    first = through - dt.timedelta(days=LOOKS_BACK - 1)
    if exported := [span for seller in SELLERS.all() for span in seller.spans_of_exports(lake, date)]:
        first = dt.date.min
        spans += exported
    spans += [Span(table, first, through) for table in (*SOLD, *COUNTS, "substitute_choices")]
    if model is not None:
        spans.append(Span("demand_cells", model.learned_from or dt.date.min, through))
        spans += [Span(table) for table in TABLES_OF_CONTEXT]
    return tuple(spans)


def dates_known_from(lake: Lake, models: Iterable[DatedModel | None], through: dt.date) -> Within | None:
    """Return which dates up to one tell all that `learned_for` says with some models; None for every date there is.

    A belief looks back some weeks, and a price counts as observed on the days that a model learned from. Of
    exported prices all of the log counts.
    """
    if next(lake.partitions("ingested_files"), None) is not None:
        return None
    return between(first_date_known_from(models, through), through)


def first_date_known_from(models: Iterable[DatedModel | None], through: dt.date) -> dt.date:
    """Return the first date that a belief about the day after, or one of the models, rests on."""
    of_models = [model.learned_from or dt.date.min for model in models if model is not None]
    return min([through - dt.timedelta(days=LOOKS_BACK), *of_models])


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


def make_book(workspace: Workspace, model: DatedModel | None, date: dt.date, log: LogEvidence | None = None) -> NewBook:
    """Form the belief from a champion, if there is one, and the log, and work the policy out; nothing is published."""
    day = known_before(workspace.lake, model, workspace.catalog, date, log=log)
    return new_book(workspace.catalog, day.curves, day.visits, date, day.belief, day.said)


def make_book_again(workspace: Workspace, date: dt.date) -> PriceBook:
    """Work a date's book out anew from the belief that it was made from, whoever is champion by now."""
    belief = workspace.lake.read(parts_of_book(date)[2])
    outlook = start_of_day(workspace.catalog, belief_from_table(belief, workspace.catalog)).outlook()
    visits = outlook.start.footfall.by_tick
    return publish_book(workspace.lake, workspace.catalog, outlook.curves, visits, date, belief)


def has_belief(lake: Lake, date: dt.date) -> bool:
    """Return whether the demand curves and the belief are whole that a date's book was made from."""
    parts = parts_of_book(date)[1:]
    receipts = [lake.receipt(part) for part in parts]
    return (
        None not in receipts
        and len({receipt.inputs for receipt in receipts if receipt}) == 1
        and all(map(lake.is_proven, parts))
    )


def new_book(
    catalog: Catalog,
    curves: DemandCurves,
    visits: Floats,
    for_date: dt.date,
    belief: pa.Table,
    said: Said = NOTHING_SAID,
) -> NewBook:
    """Make the price book of a business date; nothing is published.

    Parameters
    ----------
    visits
        Visits expected per store day, shape (n_products, n_ticks).
    belief
        What is believed before the day, in the columns of `beliefs`: stores sell from it and correct it.
    said
        What the champion's forests said beforehand: kept beside the book.
    """
    facts = (curves.model_version, curves.supported.tolist(), visits.tolist(), log_fingerprint(belief))
    inputs = f"{catalog.fingerprint}:{hashlib.sha256(repr((catalog.fingerprint, *facts)).encode()).hexdigest()}"
    book = unpublished_book(catalog, curves, visits, for_date)
    book_at, curves_at, belief_at = parts_of_book(for_date)
    tables = {belief_at: belief, curves_at: curves_to_table(curves), book_at: book_to_table(book)}
    if (said_of_each := said.to_table(catalog.skus, curves.model_version)) is not None:
        tables[said_beforehand_at(for_date)] = said_of_each
    return NewBook(for_date, book, tables, inputs)


def said_beforehand_at(date: dt.date) -> Partition:
    """Return where it is kept what a champion's forests said before a date's book."""
    return Partition("said_beforehand", date, BOOK_GROUP)


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
    size = max(1, _BLOCK_STATES // (levels * catalog.store.opening.ticks))
    books = list[PriceBook]()
    for first in range(0, len(catalog.products), size):
        block = slice(first, first + size)
        shelf, demand = Catalog(catalog.products[block], catalog.store), curves.among(block)
        policy = policy_with_model(shelf, demand, visits[block], sales=(gains[block], chances[..., block, :]))
        books.append(tabulate(policy, shelf, published_at, demand))
    return joined(books)


def tabulate(
    policy: PricingPolicy,
    catalog: Catalog,
    published_at: dt.datetime,
    curves: DemandCurves | None = None,
    n_ticks: int | None = None,
) -> PriceBook:
    """Work a policy out for every stock level up to par and every number of ticks left, under the static limits.

    The ticks are those of a whole day, or the last `n_ticks` of one. The curves give the chance of sale where a limit
    binds; without them it is that of the policy's own price. Where stock lives on, all units are new.

    Raises
    ------
    ModelError
        When a policy's price is not finite or leaves floor and ceiling: the whole book is refused and old prices stand.
    """
    levels = np.minimum(np.arange(int(catalog.most_stock.max()) + 1)[:, None], catalog.most_stock)
    ticks = n_ticks or catalog.store.opening.ticks
    nothing_shown, no_dice, stock = np.full(levels.shape, np.nan), np.ones(levels.shape), np.maximum(levels, 1)
    answers = [  # each stock level is one store, and an empty shelf asks as one unit
        policy.ask(Shelf(stock, nothing_shown, left, no_dice, business_date=published_at.date()))
        for left in range(1, ticks + 1)
    ]
    asked, p_asked, policy_rule, unit_value = (
        np.stack([getattr(answer, name) for answer in answers]) for name in ("prices", "p_sale", "rule", "unit_value")
    )  # shape (n_ticks, n_levels, n_products)
    _refuse_impossible(asked, catalog)
    is_empty, sold_out, limits = np.broadcast_to(levels == 0, asked.shape), len(policy.rules), limits_of(catalog)
    p_asked, policy_rule = np.where(is_empty, 0.0, p_asked), np.where(is_empty, sold_out, policy_rule)
    rows = asked.reshape(-1, asked.shape[2])  # each is as good as a shelf of its own, for they look at no stock
    by_row, clamps = anywhere(limits, rows.shape).trail(rows, sold_out + 1)
    prices, rule, p_sale = by_row.reshape(asked.shape), policy_rule.copy(), p_asked
    rule.flat[clamps["decision"]] = clamps["rule"]
    changed = (prices != asked) & ~is_empty
    if curves is not None and changed.any():
        at = [chance_at(curves.prices, curves.at(left).p_sale, own) for left, own in enumerate(prices, start=1)]
        p_sale = np.where(changed, np.stack(at), p_asked)
    by_product = np.stack([prices, asked]).transpose(3, 0, 1, 2)  # shape (n_products, 2, n_ticks, n_levels)
    ladder, positions = positions_of(by_product.reshape(len(catalog.skus), -1))
    price, unconstrained = positions.reshape(by_product.shape).swapaxes(0, 1)
    chances, (product, tick) = np.full((len(ladder), ticks, ladder.shape[1]), np.nan), np.ogrid[: len(ladder), :ticks]
    for position, chance in ((price, p_sale), (unconstrained, p_asked)):
        chances[product[..., None], tick[..., None], position[..., 1:]] = chance.transpose(2, 0, 1)[..., 1:]
    last = unit_value, *(np.where(is_empty, sold_out, rules).astype(np.uint8) for rules in (rule, policy_rule))
    return PriceBook(
        skus=catalog.skus,
        par_stock=catalog.most_stock,
        ladder=ladder,
        chances=chances,
        cells=BookCells(price, unconstrained, *(np.ascontiguousarray(cells.transpose(2, 0, 1)) for cells in last)),
        rules=(*policy.rules, "sold_out", *limits.rules),
        policy=policy.name,
        model_version=policy.model_version or "none",
        published_at=published_at,
    )


def limited_ladder(catalog: Catalog, ladder: Floats) -> Floats:
    """Return what the static limits make of each candidate price, EUR, shape (n_products, n_prices)."""
    return np.ascontiguousarray(anywhere(limits_of(catalog), ladder.T.shape).apply(ladder.T).T)


def _refuse_impossible(prices: Floats, catalog: Catalog) -> None:
    floors, ceilings = np.array([(product.floor, product.ceiling) for product in catalog.products]).T
    bad = np.argwhere(~((prices >= floors) & (prices <= ceilings)))
    if len(bad):
        at = tuple(bad[bad[:, 2].argmin()])
        product = catalog.products[at[2]]
        raise ModelError(
            f"a price of {prices[at]} for {product.sku} is outside {product.floor} to {product.ceiling}; the whole "
            "price book is refused and old prices stand"
        )
