"""A night of the store: group the day's decisions, watch for drift, learn if that is due, judge, and price tomorrow.

Everything here can be called without an orchestrator. Flows run the steps as tasks, evaluation runs them plainly: both
live through the same night.

A date is priced from the champion; old prices hold when it cannot be asked. Prices of an outside store are drawn, from
what sold at those that were drawn before.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace

from catalog.errors import DataError, Declined, ModelError
from catalog.hooks import AFTER_BOOK
from catalog.load import Catalog
from etl.transform import transform
from serving.book.book import PriceBook
from serving.book.make import NewBook, commit_book, make_book
from serving.book.store import book_in_force, kinds_in_words
from serving.learning.outlook import WITHOUT_CHAMPION
from serving.store.markdowns import publish_markdowns
from training.champion import LOCK, finish_changes, newest
from training.drift_watch import watch_drift
from training.fit.session import LEARNING, train
from training.registry import ModelRegistry
from training.run_context import PLAINLY, RunContext
from training.schedule import (
    Due,
    Night,
    decided_from,
    inputs_of,
    is_done,
    judged_through,
    needs_a_decision,
    record,
    recorded,
    why_due,
)
from warehouse.checks.whole import parts_of_book
from warehouse.commits.locks import held, waited_for
from warehouse.lake import Lake
from warehouse.origin import origin_of, seller_of, sells_outside
from warehouse.query.advice import next_command, situation_of
from warehouse.sold import sold_dates
from warehouse.workspace import Workspace


@dataclass(frozen=True)
class Priced:
    """The book in force for a date, why it is not a new one when it is not, and what is to be said of it."""

    book: PriceBook
    old_prices_hold: str | None
    said: str | None = None


CommitBook = Callable[[Lake, NewBook], object]
"""Commits a price book, alone or with what belongs to it."""


def price_date(
    workspace: Workspace, registry: ModelRegistry, date: dt.date, commit_as: CommitBook = commit_book
) -> Priced:
    """Make the price book of a business date.

    When the registry is away or the champion cannot be trusted, the last known good book stands.

    Parameters
    ----------
    commit_as
        Commits the book; a night commits its own record with it.

    Raises
    ------
    Declined
        When stores sell by themselves, for their own prices stand. When the kill switch is on: base prices stand and no
        book is written. When the champion is being changed.
    DataError
        When there is no champion, and no sales at prices of our own to form a belief from.
    ModelError
        When the champion cannot be used and there is no earlier book either.
    """
    shop = workspace.catalog.store
    if sells_outside(workspace.lake.store, shop) and not shop.is_priced_hourly:
        raise Declined(
            "no price book is made for stores that sell by themselves: the last regular price of each shelf stands "
            "until prices are drawn; name products under `drawn_prices` in store.yaml, and `shelfprice nightly` draws "
            "theirs"
        )
    if workspace.catalog.store.guardrails.kill_switch:
        raise Declined(
            "guardrails.kill_switch is on: base prices stand and no price book is written; turn it off to price again"
        )
    try:
        with held(workspace.settings.locks, LOCK):  # no rollback comes between the champion and its book
            finish_changes(workspace, registry, date)
            champion = registry.load()
            if champion is None and not may_price_without_champion(workspace, date):
                remedy = next_command(situation_of(workspace.settings)) or "shelfprice train"
                raise DataError(f"expected a champion in the model registry, found none; run `{remedy}`")
            new = make_book(workspace, champion, date)
            commit_as(workspace.lake, new)
        publish_markdowns(workspace.lake, workspace.catalog, date)
        of_wings = [hear(workspace, date) for hear in AFTER_BOOK.all()]
        said = [own for own in (_said_of_stores(workspace.catalog, new), *of_wings) if own]
        return Priced(new.book, None, "; ".join(said) or None)
    except ModelError as error:
        known_good = book_in_force(workspace.lake, date)
        if known_good is None:
            raise
        return Priced(known_good[0], str(error))


def may_price_without_champion(workspace: Workspace, date: dt.date) -> bool:
    """Tell whether a belief from the log alone may price a date.

    Everything before it was sold at prices of our own, and no champion is on record that the registry has lost. A store
    that changes hourly knows which visits were at a price of ours, and the others do not count.
    """
    policies = workspace.catalog.store.policies
    if workspace.catalog.store.is_priced_hourly:
        return newest(workspace.lake) is None
    return (
        policies.before_champion == "belief"
        and newest(workspace.lake) is None
        and origin_of(workspace.lake.store) == "twin"
        and any(sold < date for sold in sold_dates(workspace.lake))
    )


def run_night(
    workspace: Workspace, registry: ModelRegistry, date: dt.date, seed: int, means: RunContext = PLAINLY
) -> Night:
    """Do the night after a business date that is sold to its end.

    A night that is done is not done again; one that was interrupted goes on where it stopped.

    Raises
    ------
    ModelError
        When the registry is away: old prices hold, and the night is yet to do.
    """
    run = means.run
    run(transform, workspace, progress=means.progress, spread=means.spread)
    if not needs_a_decision(workspace.lake, date):
        return recorded(workspace.lake, date)
    run(watch_drift, workspace, registry, date, means.announce)
    night = decide(workspace, registry, date, seed, means)
    if night.outcome == "old prices hold":
        raise ModelError(f"{night.remark}; run this night again when it is mended")
    return night


def decide(
    workspace: Workspace, registry: ModelRegistry, date: dt.date, seed: int, means: RunContext = PLAINLY
) -> Night:
    """Learn from everything through a business date if that is due, and price the day after it.

    If another run is training, wait, then reuse its result if the inputs are unchanged.

    Returns
    -------
    Night
        What was decided. It is recorded, unless old prices hold because the registry is away: then it is yet to do.

    Raises
    ------
    ModelError
        When the registry is away while a model is due, or there is no earlier book; the night is yet to do.
    """
    lake = workspace.lake
    with waited_for(workspace.settings.locks, LEARNING):
        inputs = inputs_of(lake, workspace.catalog, date, seed)
        decided = decided_from(lake, date)
        changed = decided not in {None, inputs}
        seller = seller_of(lake.store, workspace.catalog.store)
        if seller is not None and (night := seller.night(workspace, date, seed, inputs, means.opens)) is not None:
            return night
        anew = Due("what the night was decided from has changed")
        due = anew if changed else why_due(workspace, registry, date)
        if due.because is None and decided is not None and is_done(lake, date):
            return recorded(lake, date)
        why_not = _learn(workspace, registry, date, seed, means) if due.because else None
        version, promoted, said = judged_through(workspace, date) or (None, False, due.rests)
        night = Night(date, "priced", version, promoted, said=why_not or said)
        return _price_after(workspace, registry, night, inputs, means)


def _learn(workspace: Workspace, registry: ModelRegistry, date: dt.date, seed: int, means: RunContext) -> str | None:
    """Train; return why nothing was learned, if so. What a training says of its version stands in the version's row."""
    try:
        means.run(train, workspace, registry, date, seed, progress=means.progress, spread=means.spread)
    except (DataError, Declined) as error:
        return f"nothing new was learned: {error}"
    return None


def _price_after(workspace: Workspace, registry: ModelRegistry, night: Night, inputs: str, means: RunContext) -> Night:
    """Price the day after and commit that with the night; return the night with what became of its prices."""
    lake = workspace.lake
    if workspace.catalog.store.guardrails.kill_switch:
        said = "the kill switch is on, so no price book was made"
        return _recorded(lake, replace(night, outcome="base prices stay", said=said), inputs)
    try:
        if registry.load() is None and not may_price_without_champion(workspace, night.prices_for):
            return _recorded(lake, replace(night, outcome="base prices stay"), inputs)
    except ModelError:
        pass  # pricing knows which book holds meanwhile, or says that none does

    def with_the_night(lake: Lake, book: NewBook) -> None:
        record(lake, _priced_by(night, book.book, _said_of_stores(workspace.catalog, book)), inputs, book)

    priced = means.run(price_date, workspace, registry, night.prices_for, with_the_night)
    if priced.old_prices_hold:
        return replace(_priced_by(night, priced.book, None), outcome="old prices hold", said=priced.old_prices_hold)
    done = _priced_by(night, priced.book, priced.said)
    return done if done == recorded(lake, night.business_date) else _recorded(lake, done, inputs)


def _recorded(lake: Lake, night: Night, inputs: str) -> Night:
    record(lake, night, inputs)
    return night


def _priced_by(night: Night, book: PriceBook, of_stores: str | None) -> Night:
    version, said = book.model_version, "; ".join(own for own in (night.said, of_stores) if own) or None
    return replace(night, priced_by=None if version == WITHOUT_CHAMPION else version, said=said)


def _said_of_stores(catalog: Catalog, new: NewBook) -> str | None:
    return kinds_in_words(catalog, new.tables[parts_of_book(new.date)[2]])
