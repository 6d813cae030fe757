"""A night of the store in six steps: group, watch, learn, judge, price, commit.

Decisions are grouped into cells, the champion's demand is checked, a model is trained if one is due, the gate judges
it, the day after is priced, and the price book and the night's record become one commit. Flows run the steps as tasks,
evaluation runs them plainly: both live through the same night.

A date is priced from the champion; old prices hold when it cannot be asked. The night of a store that sells by itself
is its seller's.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from catalog.errors import DataError, Declined, ModelError
from catalog.hooks import AFTER_BOOK, CHANGES_SEEN
from catalog.load import Catalog
from etl.calendar import ONE_DAY
from etl.transform import transform
from serving.book.book import PriceBook
from serving.book.make import NewBook, commit_book, make_book
from serving.book.store import book_in_force, kinds_in_words
from serving.learning.outlook import WITHOUT_CHAMPION
from serving.store.markdowns import publish_markdowns
from training.champion import LOCK, finish_changes, newest
from training.evening import PLAINLY, Evening, RunContext
from training.fit.session import LEARNING, train
from training.registry import ModelRegistry
from training.schedule import (
    Due,
    Night,
    decided_from,
    inputs_of_night,
    is_done,
    needs_a_decision,
    newest_versions,
    record,
    recorded,
    why_due,
)
from warehouse.checks.whole import parts_of_book
from warehouse.commits.locks import held, waited_for
from warehouse.lake import Lake
from warehouse.origin import seller_of, sold_dates
from warehouse.query.advice import next_command, situation_of
from warehouse.workspace import Workspace


@dataclass(frozen=True)
class Priced:
    """The book in force for a date, why it is not a new one if so, and remarks about it."""

    book: PriceBook
    old_prices_hold: str | None
    said: str | None = None


def run_night(
    workspace: Workspace,
    registry: ModelRegistry,
    date: dt.date,
    seed: int,
    means: RunContext = PLAINLY,
    *,
    redo: bool = False,
) -> Night:
    """Do the night after a business date that is sold to its end: group, watch, learn, judge, price, commit.

    A night that was interrupted goes on where it stopped.

    Parameters
    ----------
    redo
        Whether a night that is done is decided anew if anything has changed that it was decided from.

    Raises
    ------
    ModelError
        When the registry is away while a model is due, or there is no earlier book; the night is yet to do.
    """
    means.run(transform, workspace, progress=means.progress, spread=means.spread)
    if not redo and not needs_a_decision(workspace.lake, date):
        return recorded(workspace.lake, date)
    evening = Evening(workspace, registry, date, seed, means)
    watch(evening)
    return decide(evening)


def require_new_prices(night: Night) -> Night:
    """Return a night that is done.

    Raises
    ------
    ModelError
        When old prices hold because the registry is away; the night is yet to do.
    """
    if night.outcome == "old prices hold":
        raise ModelError(f"{night.remark}; run this night again when it is mended")
    return night


def watch(evening: Evening) -> None:
    """Check whether the champion's demand still holds; a champion that cannot be asked is left alone."""
    with suppress(ModelError):
        if evening.champion is not None:
            for check in CHANGES_SEEN.all():
                evening.means.run(check, evening.workspace, evening.champion, evening.date, evening.means.announce)


def decide(evening: Evening) -> Night:
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
    workspace, lake, date = evening.workspace, evening.workspace.lake, evening.date
    with waited_for(workspace.settings.locks, LEARNING):
        inputs = inputs_of_night(lake, workspace.catalog, date, evening.seed)
        decided = decided_from(lake, date)
        seller = seller_of(lake.store, workspace.catalog.store)
        if seller is not None:
            night = seller.night(workspace, date, evening.seed, inputs, evening.means.opens)
            if night is not None:
                return night
        has_changed = decided not in {None, inputs}
        due = Due("what the night was decided from has changed") if has_changed else why_due(evening)
        if due.because is None and decided is not None and is_done(lake, date):
            return recorded(lake, date)
        why_not_learned = learn(evening) if due.because else None
        night = judged(workspace, date, why_not_learned or due.why_skipped)
        return evening.means.run(price_and_commit, evening, night, inputs)


def learn(evening: Evening) -> str | None:
    """Train, judge and register; return why nothing was learned, if so."""
    try:
        evening.means.run(train, evening)
    except (DataError, Declined) as error:
        return f"nothing new was learned: {error}"
    finally:
        with suppress(ModelError):
            evening.refresh_champion()
    return None


def judged(workspace: Workspace, date: dt.date, why_not: str | None) -> Night:
    """Return the night with the gate's verdict about the version judged through its date, if there is one."""
    row = next((row for row in newest_versions(workspace.lake) if row["judged_through"] == date), None)
    if row is None:
        return Night(date, "priced", said=why_not)
    return Night(date, "priced", row["version"], row["promoted"], said=why_not or row["said"])


def price_and_commit(evening: Evening, night: Night, inputs: str) -> Night:
    """Price the day after, and commit its book with the record of the night."""
    lake, catalog, date = evening.workspace.lake, evening.workspace.catalog, night.prices_for
    if evening.is_stopped:
        sentence = "the kill switch is on, so no price book was made"
        return _committed(lake, replace(night, outcome="base prices stay", said=sentence), inputs)
    try:
        if evening.champion is None and not may_price_without_champion(evening.workspace, date):
            return _committed(lake, replace(night, outcome="base prices stay"), inputs)
        with _new_book(evening, date) as new:
            night = _with_remark(_priced_by(night, new.book), _kinds(catalog, new))
            record(lake, night, inputs, new)
    except ModelError as error:
        book = _book_that_holds(lake, date, error)
        return replace(_priced_by(night, book), outcome="old prices hold", said=str(error))
    remarked = _with_remark(night, *_after_book(evening.workspace, date))
    return night if remarked == night else _committed(lake, remarked, inputs)


def price_date(workspace: Workspace, registry: ModelRegistry, date: dt.date) -> Priced:
    """Make the price book of a business date.

    When the registry is away or the champion cannot be trusted, the last known good book stands.

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
    evening = Evening(workspace, registry, date - ONE_DAY)
    seller = seller_of(workspace.lake.store, workspace.catalog.store)
    if seller is not None and not seller.sells_from_book(workspace.catalog):
        raise Declined(
            "no price book is made for stores that sell by themselves: the last regular price of each shelf stands "
            "until prices are drawn; name products under `drawn_prices` in store.yaml, and `shelfprice nightly` draws "
            "theirs"
        )
    if evening.is_stopped:
        raise Declined(
            "guardrails.kill_switch is on: base prices stand and no price book is written; turn it off to price again"
        )
    try:
        with _new_book(evening, date) as new:
            commit_book(workspace.lake, new)
    except ModelError as error:
        return Priced(_book_that_holds(workspace.lake, date, error), str(error))
    remarks = _kinds(workspace.catalog, new), *_after_book(workspace, date)
    return Priced(new.book, None, _joined(remarks))


@contextmanager
def _new_book(evening: Evening, date: dt.date) -> Iterator[NewBook]:
    """Yield a new price book to commit; meanwhile no promotion or rollback changes the champion."""
    workspace = evening.workspace
    with held(workspace.settings.locks, LOCK):
        finish_changes(workspace, evening.registry, date)
        evening.refresh_champion()
        if evening.champion is None and not may_price_without_champion(workspace, date):
            remedy = next_command(situation_of(workspace.settings)) or "shelfprice train"
            raise DataError(f"expected a champion in the model registry, found none; run `{remedy}`")
        yield make_book(workspace, evening.champion, date, evening.logs.get(date))


def _book_that_holds(lake: Lake, date: dt.date, error: ModelError) -> PriceBook:
    """Return the last known good book, or raise the error without one."""
    known_good = book_in_force(lake, date)
    if known_good is None:
        raise error
    return known_good[0]


def _after_book(workspace: Workspace, date: dt.date) -> list[str | None]:
    """Publish the markdowns of a new book, and return what plugins say about it."""
    publish_markdowns(workspace.lake, workspace.catalog, date)
    return [listen(workspace, date) for listen in AFTER_BOOK.all()]


def may_price_without_champion(workspace: Workspace, date: dt.date) -> bool:
    """Return whether a belief from the log alone may price a date.

    Everything before it was sold at prices of our own, and no champion is on record that the registry has lost. A store
    that changes hourly knows which visits were at a price of ours, and the others do not count.
    """
    lake, store = workspace.lake, workspace.catalog.store
    if newest(lake) is not None or seller_of(lake.store, store) is not None:
        return newest(lake) is None
    return store.policies.before_champion == "belief" and any(sold < date for sold in sold_dates(lake))


def _committed(lake: Lake, night: Night, inputs: str) -> Night:
    record(lake, night, inputs)
    return night


def _priced_by(night: Night, book: PriceBook) -> Night:
    return replace(night, priced_by=None if book.model_version == WITHOUT_CHAMPION else book.model_version)


def _with_remark(night: Night, *remarks: str | None) -> Night:
    return replace(night, said=_joined((night.said, *remarks)))


def _joined(remarks: Iterable[str | None]) -> str | None:
    return "; ".join(remark for remark in remarks if remark) or None


def _kinds(catalog: Catalog, new: NewBook) -> str | None:
    """Return which stores are of which kind in words; None while all are alike."""
    return kinds_in_words(catalog, new.tables[parts_of_book(new.date)[2]])
