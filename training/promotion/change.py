"""The way back: roll the champion back or promote one by hand, with its prices in force at once.

No orchestrator is needed here, and for a rollback no registry either: the prices of the champion before are in the
lake. `training.promotion.history` says in which order a change is made and how one that was interrupted is finished.
"""

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass, replace

from catalog.errors import DataError, Declined, ModelError
from etl.live.day import days_sold_live
from features.cells import feature_workbench
from flows.edge import Surroundings
from serving.book_store import book_in_force, books_from, newest_book_of, publish_book, put_back, work_out
from serving.champion import load_champion
from serving.day_curves import learned_for
from training.promotion.history import (
    LOCK,
    Change,
    adopt,
    before_current,
    finish,
    history,
    left_by_rollback,
    newest,
    record,
    unfinished,
)
from warehouse.lake import Lake, Partition
from warehouse.locks import held

PutPrices = Callable[[dt.date], object]
_LONGEST_REASON = 1_000


@dataclass(frozen=True)
class Done:
    """A change that was made, the date its price book was worked out for, and why the registry is behind if it is."""

    change: Change
    book_made_for: dt.date | None
    registry_is_behind: str | None


def rollback(around: Surroundings, reason: str, to: str | None, asked_at: dt.datetime) -> Done:
    """Make an earlier champion the champion again, with its newest price book in force at once.

    Parameters
    ----------
    reason
        Why, in a sentence.
    to
        Version that was champion before; by default the one before the current champion.
    asked_at
        When it was asked for, UTC: a change that was made since then wins.

    Raises
    ------
    Declined
        When there is nothing to go back to, or the champion is being changed by someone else.
    ModelError
        When no book of the version is stored and its model cannot be loaded; nothing was changed.
    """
    said = _checked(reason)
    with held(around.settings.locks, LOCK):
        _refuse_if_changed_since(around.lake, asked_at)
        first = first_open_date(around.lake)
        away = _what_fails(lambda: finish_changes(around, first))
        changes = history(around.lake)
        target = _to_go_back_to(changes, to)
        put = _stored_prices_of(around, target, first)
        change = Change(0, target, None, "rolled_back", around.settings.user, _now(), said, first)
        return _change_to(around, changes, change, put, away)


def promote(around: Surroundings, version: str, reason: str | None, asked_at: dt.datetime, *, force: bool) -> Done:
    """Make a version champion by hand, with a price book from its model in force at once.

    Parameters
    ----------
    version
        Registered version.
    reason
        Why, in a sentence; without one, the record says that none was given.
    asked_at
        When it was asked for, UTC: a change that was made since then wins.
    force
        Whether to do it although the gate refused the version, or it was rolled back.

    Raises
    ------
    Declined
        When it is champion already, the gate has something against it, the kill switch is on, or the champion is
        being changed by someone else.
    ModelError
        When the model cannot be loaded or cannot price the shelf; nothing was changed.
    """
    if around.catalog.store.guardrails.kill_switch:
        raise Declined("guardrails.kill_switch is on: no prices are worked out; turn it off to promote")
    said = _checked(reason) if reason is not None else "no reason was given"
    with held(around.settings.locks, LOCK):
        _refuse_if_changed_since(around.lake, asked_at)
        first = first_open_date(around.lake)
        finish_changes(around, first)
        changes = history(around.lake)
        if changes and changes[-1].version == version:
            raise Declined(f"version {version} is the champion already; nothing was changed")
        objection = _objection(around.lake, changes, version)
        if objection and not force:
            raise Declined(f"{objection}; nothing was promoted, add --force to promote it all the same")
        put = _priced_by_model(around, version, first)
        because = f"{said} (forced: {objection})" if objection else said
        change = Change(0, version, None, "promoted_by_hand", around.settings.user, _now(), because, first)
        return _change_to(around, changes, change, put, None)


def catch_up(around: Surroundings, on: dt.date) -> None:
    """Finish a change of champion that was interrupted, and record one that nobody recorded; usually nothing happens.

    `on` is the business date that is about to be priced.

    Raises
    ------
    Declined
        When the champion is being changed right now.
    ModelError
        When the registry is away.
    """
    with held(around.settings.locks, LOCK):
        finish_changes(around, on)


def finish_changes(around: Surroundings, on: dt.date) -> None:
    """Do what `catch_up` does, by one who holds the lock."""
    open_change = unfinished(around.settings, around.lake)
    if open_change is None:
        adopt(around.settings, around.lake, on)
        return
    prices_of = {"rolled_back": _stored_prices_of, "promoted_by_hand": _priced_by_model}.get(open_change.action)
    if prices_of is not None:
        first = first_open_date(around.lake)  # days that were sold meanwhile keep the book they were sold from
        prices_of(around, open_change.version, first)(first)
    finish(around.settings, open_change)


def first_open_date(lake: Lake) -> dt.date:
    """Return the first business date that is not sold to its end: one that is being sold live, or the next.

    Raises
    ------
    DataError
        When nothing was ever sold.
    """
    sold = lake.dates("interactions")
    being_sold = [day.business_date for day in days_sold_live(lake) if not day.is_closed(lake)]
    after = [sold[-1] + dt.timedelta(days=1)] if sold else []
    if not sold and not being_sold:
        raise DataError("expected days that were sold, found none: no champion can price yet; run `shelfprice demo`")
    return min([*being_sold, *after])


def _change_to(around: Surroundings, changes: list[Change], change: Change, put: PutPrices, away: str | None) -> Done:
    """Write a change down, put its prices in force, and let the registry follow: in this order."""
    numbered = replace(
        change,
        change=changes[-1].change + 1 if changes else 1,
        previous=changes[-1].version if changes else None,
    )
    record(around.lake, numbered)
    put(numbered.prices_from)
    behind = away or _what_fails(lambda: finish(around.settings, numbered))
    found = book_in_force(around.lake, numbered.prices_from)
    return Done(numbered, found[0].published_at.date() if found else None, behind)


def _stored_prices_of(around: Surroundings, version: str, first: dt.date) -> PutPrices:
    """Return how to put a version's newest stored book in force; without one, as `_priced_by_model`."""
    stored = newest_book_of(around.lake, version)
    if stored is None:
        return _priced_by_model(around, version, first)

    def put(date: dt.date) -> None:
        for each in _dates_from(around.lake, date):
            put_back(around.lake, stored, each)

    return put


def _priced_by_model(around: Surroundings, version: str, first: dt.date) -> PutPrices:
    """Work prices out from a version's model, and return how to put them in force. Nothing is published before."""
    model = load_champion(around.settings, version)
    if model is None:
        raise DataError(f"expected version {version} in the model registry, found none; nothing was changed")
    with feature_workbench(around.settings) as connection:
        curves, visits = learned_for(connection, model, around.catalog, first)
    work_out(around.catalog, curves, visits, first)  # what cannot be priced is refused before anything is changed

    def put(date: dt.date) -> None:
        for each in _dates_from(around.lake, date):
            publish_book(around.lake, around.catalog, curves, visits, each)

    return put


def _dates_from(lake: Lake, first: dt.date) -> list[dt.date]:
    """Return the dates whose books must change: the first, and those that have a book of their own already."""
    return sorted({first, *books_from(lake, first)})


def _to_go_back_to(changes: list[Change], to: str | None) -> str:
    if not changes:
        raise Declined(
            "no change of champion was ever recorded, so there is nothing to go back to; nothing was changed"
        )
    target = to or before_current(changes)
    if target is None:
        raise Declined(
            f"version {changes[-1].version} is the first champion: there is none to go back to; nothing was changed. "
            "For base prices at once, set guardrails.kill_switch in store.yaml"
        )
    if target == changes[-1].version:
        raise Declined(f"version {target} is the champion already; nothing was changed")
    if target not in {change.version for change in changes}:
        raise Declined(
            f"version {target} never was champion; nothing was changed. `shelfprice promote --version {target}` "
            "makes it champion"
        )
    return target


def _objection(lake: Lake, changes: list[Change], version: str) -> str | None:
    """Return what speaks against a version: a rollback, or what the gate said of it; one it never saw is declined."""
    judged = Partition("model_versions", None, f"v{version}")
    if lake.receipt(judged) is None:
        raise Declined(f"the gate never judged version {version}; nothing was promoted, `shelfprice train` judges one")
    left = left_by_rollback(changes).get(version)
    if left is not None:
        return f"version {version} was rolled back by {left.decided_by}: {left.reason}"
    row = lake.read(judged).to_pylist()[0]
    if row["promoted"]:
        return None
    unmet = [f"{reason['condition']}: {reason['found']}" for reason in json.loads(row["reasons"]) if not reason["met"]]
    return f"the gate refused version {version}: {'; '.join(unmet)}"


def _refuse_if_changed_since(lake: Lake, asked_at: dt.datetime) -> None:
    now = newest(lake)
    if now is not None and asked_at <= now.decided_at <= _now():  # one from the future says that the clock was set back
        raise Declined(
            f"{now.decided_by} changed the champion to version {now.version} just now ({now.reason}); nothing more was "
            "changed, look at `shelfprice champions` and decide again"
        )


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _checked(reason: str) -> str:
    if not reason.strip() or len(reason) > _LONGEST_REASON:
        raise DataError(
            f"expected a reason of 1 to {_LONGEST_REASON} characters, found {len(reason.strip())}; nothing was changed"
        )
    return " ".join(reason.split())


def _what_fails(do: Callable[[], object]) -> str | None:
    """Do what the registry or a model is needed for, and return why it cannot be done now, if so."""
    try:
        do()
    except (DataError, ModelError) as error:
        return str(error)
    return None
