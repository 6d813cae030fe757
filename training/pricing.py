"""Price a business date from the champion; old prices hold when it cannot be asked."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from catalog.errors import DataError, Declined, ModelError
from catalog.spread import HERE, Spread
from catalog.wings import registered
from etl.business_dates import came_from_the_twin
from serving.book_store import NewBook, book_in_force, commit_book
from serving.make_book import make_book
from serving.price_book.book import PriceBook
from training.promotion.change import finish_changes
from training.promotion.history import LOCK, newest
from training.registry import ModelRegistry
from warehouse.advice import next_command, situation_of
from warehouse.lake import Lake
from warehouse.locks import held
from warehouse.sold import sold_dates
from warehouse.workspace import Workspace


@dataclass(frozen=True)
class Priced:
    """The book in force for a date, and why it is not a new one when it is not."""

    book: PriceBook
    old_prices_hold: str | None


CommitBook = Callable[[Lake, NewBook], object]
"""Commits a price book, alone or with what belongs to it."""


def price_date(
    workspace: Workspace,
    registry: ModelRegistry,
    date: dt.date,
    commit_as: CommitBook = commit_book,
    spread: Spread = HERE,
) -> Priced:
    """Make the price book of a business date.

    When the registry is away or the champion cannot be trusted, the last known good book stands.

    Parameters
    ----------
    commit_as
        Commits the book; a night commits its own record with it.
    spread
        Where prices are worked out.

    Raises
    ------
    Declined
        When the kill switch is on: base prices stand and no book is written. When the champion is being changed.
    DataError
        When there is no champion, and no sales at prices of our own to form a belief from.
    ModelError
        When the champion cannot be used and there is no earlier book either.
    """
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
            new = make_book(workspace, champion, date, spread)
            commit_as(workspace.lake, new)
        for hear in registered("after_book"):
            hear(workspace, date)
        return Priced(new.book, None)
    except ModelError as error:
        known_good = book_in_force(workspace.lake, date)
        if known_good is None:
            raise
        return Priced(known_good[0], str(error))


def may_price_without_champion(workspace: Workspace, date: dt.date) -> bool:
    """Tell whether a belief from the log alone may price a date.

    Everything before it was sold at prices of our own, and no champion is on record that the registry has lost.
    """
    policies = workspace.catalog.store.policies
    dates = [sold for sold in sold_dates(workspace.lake) if sold < date]
    return (
        policies.before_champion == "belief"
        and newest(workspace.lake) is None
        and bool(dates)
        and came_from_the_twin(workspace.lake, dt.date.min, dates[-1])
    )
