"""Make days and price books whole again of which a table is damaged, or from another run than the rest."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial

from catalog.decisions.pricing import PricedBy
from catalog.errors import CatalogError, DataError
from catalog.load import Catalog
from etl.batches import Batch, batch_inputs, play_batch, stores_of
from etl.ledger import LedgerRow, in_force_in, kept_catalog
from etl.stock import kept_before
from etl.transform import transform
from plugins.operations.repair.damage import Damage, set_findings_aside
from plugins.operations.repair.kills import Fault
from plugins.operations.replay.day import kept_catalogs
from serving.book.make import has_belief, make_book_again
from serving.book.store import OpenBook, book_with
from serving.store.in_force import pricing_on
from serving.store.play import PricesByKind
from warehouse.lake import Lake, Partition
from warehouse.workspace import Workspace

_NAMED = ("static", "rule", "greedy")
"""Policies that price a day only where they were asked for by name."""

OpenWorkspace = Callable[[], Workspace]


def days_to_play_again(damages: Iterable[Damage], opened: OpenWorkspace) -> Iterator[Fault]:
    """Yield the batches of the twin that are not whole; each is played again as its decisions were."""
    for damage in damages:
        if damage.kind == "played" and damage.date is not None and damage.group is not None:
            what = f"{damage.faults}: decisions of {damage.date}, {damage.group}"
            decisions = Partition("interactions", damage.date, damage.group)
            yield Fault(what, damage.where, "play the day again", partial(_play, damage, decisions, opened))


def books_to_make_again(lake: Lake, damages: Iterable[Damage], opened: OpenWorkspace) -> Iterator[Fault]:
    """Yield the price books that are not whole and whose belief is; the others are priced anew."""
    for damage in damages:
        if damage.kind == "book" and damage.date is not None and has_belief(lake, damage.date):
            what = f"{damage.faults}: the price book for {damage.date}"
            remedy = "make it again from its belief"
            yield Fault(what, damage.where, remedy, partial(_make, damage, opened))


def play_batch_again(workspace: Workspace, decisions: Partition) -> None:
    """Play a batch anew as its decisions were: their stores, their seed, and what priced them as far as that is known.

    Raises
    ------
    DataError
        When neither its decisions nor its ledger say which stores and which seed.
    """
    assert decisions.business_date is not None  # noqa: S101 - decisions are kept by day
    lake, date = workspace.lake, decisions.business_date
    receipt = lake.receipt(decisions)
    rows = in_force_in(lake, date, decisions.group)
    ledger = rows[0] if rows and (receipt is None or receipt.seed == rows[0].seed) else None
    if receipt is not None and receipt.seed is not None:
        stores, seed = stores_of(workspace, decisions), receipt.seed
    elif ledger is not None:
        stores, seed = ledger.stores, ledger.seed
    else:
        raise DataError(
            f"expected the stores and the seed of {date}, {decisions.group}, in its decisions or its ledger, found "
            f"neither; the day is missing: play it with `shelfprice backfill --start {date} --end {date}`"
        )
    batch = Batch(date, decisions.group, stores)
    catalog, priced_by = _as_it_was(workspace, batch, seed, ledger, receipt.inputs if receipt else None)
    play_batch(replace(workspace, catalog=catalog), batch, priced_by, seed, anew=True)


def _as_it_was(
    workspace: Workspace, batch: Batch, seed: int, ledger: LedgerRow | None, inputs: str | None
) -> tuple[Catalog, PricedBy]:
    """Return the catalog and the prices of a batch: those that give its inputs; else those of its ledger, or in force.

    The inputs that a receipt names are a fingerprint: which of some possibilities they are of can be found out.
    """
    first = None
    for catalog, priced_by in _possibilities(workspace, batch, ledger):
        kept = kept_before(workspace.lake, catalog, batch.stores, batch.business_date)
        if inputs is None or batch_inputs(catalog, batch, priced_by, seed, kept) == inputs:
            return catalog, priced_by
        first = first or (catalog, priced_by)
    assert first is not None  # noqa: S101 - the catalog in force is one of them
    return first


def _possibilities(workspace: Workspace, batch: Batch, ledger: LedgerRow | None) -> Iterator[tuple[Catalog, PricedBy]]:
    """Yield what may have priced a batch, the likeliest first."""
    lake, date = workspace.lake, batch.business_date
    if ledger is not None:
        catalog = _catalog_of(workspace, ledger)
        alike = PricesByKind(lake, catalog).alike(batch)
        for stores in (alike, ledger.stores):  # a batch was asked about with all stores of its kind, a live day alone
            yield catalog, _priced_by(lake, catalog, ledger, date, stores)
    for catalog in (workspace.catalog, *kept_catalogs(lake)):
        for name in (None, *_NAMED):
            with suppress(DataError):  # greedy without a book
                yield catalog, PricesByKind(lake, catalog, name).of(batch)


def _catalog_of(workspace: Workspace, ledger: LedgerRow) -> Catalog:
    """Return the catalog that a batch was played under; where it is not kept any more, the one in force."""
    try:
        return kept_catalog(workspace.lake, ledger.catalog)
    except CatalogError:
        return workspace.catalog


def _priced_by(
    lake: Lake, catalog: Catalog, ledger: LedgerRow, date: dt.date, stores: tuple[str, ...] | None
) -> PricedBy:
    """Return what the ledger says: the book that a batch was sold from if it is kept, else what is in force."""
    made_for, at_once = ledger.book_made_for, ledger.at_once
    book = book_with(lake, made_for, ledger.book_sha256) if made_for and ledger.book_sha256 else None
    if book is None:
        name = ledger.policy if ledger.policy in _NAMED else None
        return pricing_on(lake, catalog, date, name, stores, at_once)
    greedy = "greedy" if ledger.policy == "greedy" and book.book.policy != "greedy" else None
    opened = OpenBook(catalog, book)
    return pricing_on(lake, catalog, date, greedy, stores, at_once, lambda *_: opened)


def _play(damage: Damage, decisions: Partition, opened: OpenWorkspace) -> str:
    workspace = opened()
    set_findings_aside(workspace.lake, damage.findings)
    play_batch_again(workspace, decisions)
    transform(workspace)
    return "played again, with its demand cells"


def _make(damage: Damage, opened: OpenWorkspace) -> str:
    workspace = opened()
    set_findings_aside(workspace.lake, damage.findings)
    assert damage.date is not None  # noqa: S101 - books are kept by day
    made = make_book_again(workspace, damage.date)
    return f"made again from the belief of version {made.model_version}"
