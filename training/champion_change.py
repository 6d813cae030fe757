"""Change the champion by hand: roll it back or promote a version, with its prices in force at once.

No orchestrator is needed here. The row in `champions` and the price books, made anew from the model, are one commit,
which the registry follows: see `history`. The same command again, with the same reason, is the same request: it goes on
where it was killed and never does a second change.
"""

import datetime as dt
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from catalog.errors import DataError, Declined, ModelError
from etl.live.calendar import first_open_date
from serving.book_store import book_in_force
from serving.make_book import NewBook
from training.champion_history import (
    LOCK,
    Action,
    ChampionChange,
    adopt,
    before_current,
    finish,
    history,
    left_by_rollback,
    newest,
    prices_from_model,
    record,
    unfinished,
)
from training.registry import ModelRegistry
from warehouse.lake import Lake, Partition
from warehouse.locks import held
from warehouse.workspace import Workspace

_LONGEST_REASON = 1_000
_FORCED = " (forced: "


@dataclass(frozen=True)
class Done:
    """A change that was made.

    Attributes
    ----------
    book_made_for
        The date its price book was worked out for.
    registry_is_behind
        Why the registry has yet to follow, if it has.
    is_repeated
        Whether it was made by the same command before, so that nothing more was changed now.
    """

    change: ChampionChange
    book_made_for: dt.date | None
    registry_is_behind: str | None
    is_repeated: bool = False


def rollback(workspace: Workspace, registry: ModelRegistry, reason: str, to: str | None, asked_at: dt.datetime) -> Done:
    """Make an earlier champion the champion again, with a price book from its model in force at once.

    Asked for again with the same reason, it is made once: to go back further, name a version or give another reason.

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
        When the model cannot be loaded or cannot price the shelf; nothing was changed.
    """
    said = _checked(reason)
    with held(workspace.settings.locks, LOCK):
        _refuse_if_changed_since(workspace.lake, asked_at)
        first = first_open_date(workspace.lake)
        finish_changes(workspace, registry, first)
        changes = history(workspace.lake)
        if (made := _repeated(changes, "rolled_back", to, said)) is not None:
            return _done(workspace, made, None, is_repeated=True)
        target = _to_go_back_to(changes, to)
        books = prices_from_model(workspace, registry, target, first)
        change = ChampionChange(0, target, None, "rolled_back", workspace.settings.user, _now(), said, first)
        return _change_to(workspace, registry, change, books)


def promote(
    workspace: Workspace,
    registry: ModelRegistry,
    version: str,
    reason: str | None,
    asked_at: dt.datetime,
    *,
    force: bool,
) -> Done:
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
    if workspace.catalog.store.guardrails.kill_switch:
        raise Declined("guardrails.kill_switch is on: no prices are worked out; turn it off to promote")
    said = _checked(reason) if reason is not None else "no reason was given"
    with held(workspace.settings.locks, LOCK):
        _refuse_if_changed_since(workspace.lake, asked_at)
        first = first_open_date(workspace.lake)
        finish_changes(workspace, registry, first)
        changes = history(workspace.lake)
        if (made := _repeated(changes, "promoted_by_hand", version, said)) is not None:
            return _done(workspace, made, None, is_repeated=True)
        if changes and changes[-1].version == version:
            raise Declined(f"version {version} is the champion already; nothing was changed")
        objection = _objection(workspace.lake, changes, version)
        if objection and not force:
            raise Declined(f"{objection}; nothing was promoted, add --force to promote it all the same")
        books = prices_from_model(workspace, registry, version, first)
        because = f"{said}{_FORCED}{objection})" if objection else said
        change = ChampionChange(0, version, None, "promoted_by_hand", workspace.settings.user, _now(), because, first)
        return _change_to(workspace, registry, change, books)


def catch_up(workspace: Workspace, registry: ModelRegistry, on: dt.date) -> None:
    """Finish a change of champion that was interrupted, and record one that nobody recorded; usually nothing happens.

    `on` is the business date that is about to be priced.

    Raises
    ------
    Declined
        When the champion is being changed right now.
    ModelError
        When the registry is away.
    """
    with held(workspace.settings.locks, LOCK):
        finish_changes(workspace, registry, on)


def finish_changes(workspace: Workspace, registry: ModelRegistry, on: dt.date) -> None:
    """Do what `catch_up` does, by one who holds the lock."""
    workspace.lake.finish_interrupted()
    open_change = unfinished(registry, workspace.lake)
    if open_change is None:
        adopt(registry, workspace.lake, on)
        return
    finish(registry, open_change)


def _change_to(workspace: Workspace, registry: ModelRegistry, change: ChampionChange, books: Sequence[NewBook]) -> Done:
    """Commit a change with its price books, and let the registry follow."""
    before = newest(workspace.lake)
    numbered = replace(change, change=before.change + 1 if before else 1, previous=before.version if before else None)
    record(workspace.lake, numbered, books)
    return _done(workspace, numbered, _why_it_fails(lambda: finish(registry, numbered)))


def _done(workspace: Workspace, change: ChampionChange, behind: str | None, *, is_repeated: bool = False) -> Done:
    found = book_in_force(workspace.lake, change.prices_from)
    return Done(change, found[0].published_at.date() if found else None, behind, is_repeated)


def _repeated(changes: list[ChampionChange], action: Action, version: str | None, said: str) -> ChampionChange | None:
    """Return the newest change if it is what is asked for now: the same command again, as after a kill, goes on once.

    `version` is the one that is asked for, None where whichever came of it is meant.
    """
    if not changes or changes[-1].action != action or version not in {None, changes[-1].version}:
        return None
    reason = changes[-1].reason
    return changes[-1] if reason == said or reason.startswith(f"{said}{_FORCED}") else None


def _to_go_back_to(changes: list[ChampionChange], to: str | None) -> str:
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
            f"version {target} never was champion; nothing was changed. `shelfprice champions promote {target}` "
            "makes it champion"
        )
    return target


def _objection(lake: Lake, changes: list[ChampionChange], version: str) -> str | None:
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
    return f"the gate refused version {version}, not met: {'; '.join(unmet)}"


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


def _why_it_fails(do: Callable[[], object]) -> str | None:
    """Do what the registry or a model is needed for, and return why it cannot be done now, if so."""
    try:
        do()
    except (DataError, ModelError) as error:
        return str(error)
    return None
