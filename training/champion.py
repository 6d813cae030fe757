"""Who is champion and who was: every change is recorded in the lake first, and the registry follows it.

A change is made under one lock. Its row in `champions` and the price books that come with it are one commit. Then the
registry follows: the alias, and last a tag on the registered model with the number of the change. A kill in between
leaves the tag behind the newest row, and whoever takes the lock next lets the registry follow before anything else.

Prices come with a change, worked out from the model. A change that somebody made in the registry by hand is noticed and
recorded.
"""

import datetime as dt
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import pyarrow as pa

from catalog.errors import DataError, Declined, ModelError
from catalog.names import EARNS_MORE
from catalog.tables.contracts import TABLES
from etl.calendar import ONE_DAY, first_open_date
from serving.book.make import NewBook, known_before, new_book
from serving.book.store import book_in_force
from training.judge.gate import Verdict
from training.registry import ModelRegistry
from warehouse.commits.commit import Commit
from warehouse.commits.locks import held
from warehouse.lake import Lake, Partition
from warehouse.origin import origin_of
from warehouse.partition import between
from warehouse.workspace import Workspace

LOCK = "promotion"
THE_GATE = "the gate"
Action = Literal["promoted_by_gate", "promoted_by_hand", "rolled_back", "found"]


@dataclass(frozen=True)
class ChampionChange:
    """One change of champion, as a row of `champions`."""

    change: int
    version: str
    previous: str | None
    action: Action
    decided_by: str
    decided_at: dt.datetime
    reason: str
    prices_from: dt.date


def history(lake: Lake) -> list[ChampionChange]:
    """Return every change of champion, the newest last."""
    rows = [row for partition in lake.partitions("champions") for row in lake.read(partition).to_pylist()]
    return sorted((ChampionChange(**row) for row in rows), key=lambda change: change.change)


def newest(lake: Lake) -> ChampionChange | None:
    """Return the newest change, or None when there was none; the number of a change is the name of its partition."""
    written = max(lake.partitions("champions"), key=lambda part: int(part.group), default=None)
    return None if written is None else ChampionChange(**lake.read(written).to_pylist()[0])


def record(lake: Lake, change: ChampionChange, books: Sequence[NewBook] = ()) -> None:
    """Commit a change with the price books that come with it; from here on it counts."""
    with lake.commit(f"champion-{change.change:06d}", inputs=repr(change)) as commit:
        for book in books:
            book.stage(lake, commit)
        stage(commit, change)


def stage(commit: Commit, change: ChampionChange) -> None:
    """Stage the row of a change."""
    row = pa.Table.from_pylist([asdict(change)], schema=TABLES["champions"].schema)
    commit.publish(Partition("champions", None, f"{change.change:06d}"), row, inputs=repr(change))


def before_current(changes: Sequence[ChampionChange]) -> str | None:
    """Return the version to go back to: the champion before the current one, leaving out those rolled back.

    Going back twice goes back two champions: the second does not undo the first.
    """
    in_turn: list[str] = []
    for change in changes:
        if change.action == "rolled_back" and change.version in in_turn:
            del in_turn[in_turn.index(change.version) + 1 :]
        else:
            in_turn = [version for version in in_turn if version != change.version] + [change.version]
    return in_turn[-2] if len(in_turn) > 1 else None


def left_by_rollback(changes: Sequence[ChampionChange]) -> dict[str, ChampionChange]:
    """Return the versions that were rolled back and not promoted since, with the rollback of each."""
    left: dict[str, ChampionChange] = {}
    for change in changes:
        left.pop(change.version, None)
        if change.action == "rolled_back" and change.previous is not None:
            left[change.previous] = change
    return left


def unfinished(registry: ModelRegistry, lake: Lake) -> ChampionChange | None:
    """Return the newest change if the registry has not followed it yet, as after a kill or while it was away.

    A registry that does not have the version, such as a new one beside an old lake, has nothing to follow.

    Raises
    ------
    ModelError
        When the registry is away.
    """
    change = newest(lake)
    is_behind = change is not None and registry.state().change < change.change and registry.knows(change.version)
    return change if is_behind else None


def finish(registry: ModelRegistry, change: ChampionChange) -> None:
    """Let the registry follow a recorded change; doing it twice does no harm."""
    rolled_back = None
    if change.action == "rolled_back" and change.previous is not None and registry.knows(change.previous):
        rolled_back = change.previous, change.reason
    registry.follow(change.version, change.change, rolled_back)


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
    lake = workspace.lake
    lake.finish_interrupted()
    change = unfinished(registry, lake)
    if change is None:
        champion, recorded = registry.state().champion, newest(lake)
        if champion is None or (recorded is not None and recorded.version == champion):
            return
        reason = "the registry names it champion, and no change of ours made it so"
        decision = {"decided_by": "unknown", "decided_at": _midnight(on), "reason": reason}
        change = _next_change(lake, champion, "found", on, **decision)
        record(lake, change)
    finish(registry, change)


@dataclass(frozen=True)
class Judged:
    """A version that the gate has judged, through a date, against the champion of then.

    `row` is its row of `model_versions`, and `inputs` the fingerprint of what its training was made from.
    """

    version: str
    verdict: Verdict
    against: str | None
    through: dt.date
    row: pa.Table
    inputs: str


def settle(workspace: Workspace, registry: ModelRegistry, judged: Judged) -> None:
    """Commit what a training found, its row and, if it is promoted, the change of champion; the registry follows.

    Raises
    ------
    Declined
        When someone else is changing the champion right now, or did so since the gate judged.
    """
    lake, version, verdict = workspace.lake, judged.version, judged.verdict
    with held(workspace.settings.locks, LOCK):
        champion = registry.state().champion
        if champion != judged.against or unfinished(registry, lake):
            recorded = newest(lake)
            raise Declined(
                f"version {version} was judged against champion {judged.against}, but the champion is now "
                f"{recorded.version if recorded else champion}; nothing was promoted, train again"
            )
        last, prices_from, change = verdict.conditions[-1], judged.through + ONE_DAY, None
        with lake.commit(f"training-v{version}", inputs=judged.inputs) as commit:
            commit.publish(Partition("model_versions", None, f"v{version}"), judged.row)
            if verdict.promoted:
                reason = last.found if last.name == EARNS_MORE else f"{last.name}: {last.found}"
                decision = {"decided_by": THE_GATE, "decided_at": _midnight(prices_from), "reason": reason}
                change = _next_change(lake, version, "promoted_by_gate", prices_from, **decision)
                stage(commit, change)
        if change is not None:
            finish(registry, change)


_LONGEST_REASON = 1_000
_FORCED = " (forced: "


@dataclass(frozen=True)
class Done:
    """A change that was made.

    `book_made_for` is the date its price book was worked out for, and `registry_is_behind` why the registry has yet to
    follow, if it has. `is_repeated` says that the same command made it before, so that nothing more was changed now.
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
    sentence = _checked(reason)
    return _change(
        workspace,
        registry,
        ("rolled_back", to, sentence),
        asked_at,
        lambda changes: (_to_go_back_to(changes, to), sentence),
    )


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
    sentence = _checked(reason) if reason is not None else "no reason was given"

    def examined(changes: list[ChampionChange]) -> tuple[str, str]:
        _refuse_the_champion(changes, version)
        objection = _objection(workspace.lake, changes, version)
        if objection and not force:
            raise Declined(f"{objection}; nothing was promoted, add --force to promote it all the same")
        return version, f"{sentence}{_FORCED}{objection})" if objection else sentence

    return _change(workspace, registry, ("promoted_by_hand", version, sentence), asked_at, examined)


def _change(
    workspace: Workspace,
    registry: ModelRegistry,
    request: tuple[Action, str | None, str],
    asked_at: dt.datetime,
    examined: Callable[[list[ChampionChange]], tuple[str, str]],
) -> Done:
    """Commit a change of champion with its price books, and let the registry follow.

    Parameters
    ----------
    request
        What is asked for: the action, the version if one was named, and the reason. The newest change is left alone if
        it is just that: the same command again, as after a kill, goes on once.
    examined
        Returns the version to make champion and the reason to record, or refuses, from all changes.
    """
    lake, (action, version, sentence) = workspace.lake, request
    with held(workspace.settings.locks, LOCK):
        _refuse_if_changed_since(lake, asked_at)
        first = first_open_date(lake)
        finish_changes(workspace, registry, first)
        changes, behind = history(lake), None
        change = changes[-1] if changes else None
        is_repeated = (
            change is not None
            and (change.action == action and version in {None, change.version})
            and (change.reason == sentence or change.reason.startswith(f"{sentence}{_FORCED}"))
        )
        if change is None or not is_repeated:
            target, reason = examined(changes)
            books = _books_of(workspace, registry, target, first)
            now, user = dt.datetime.now(dt.UTC), workspace.settings.user
            change = _next_change(lake, target, action, first, decided_by=user, decided_at=now, reason=reason)
            record(lake, change, books)
            try:
                finish(registry, change)
            except (DataError, ModelError) as error:
                behind = str(error)
        book = book_in_force(lake, change.prices_from)
        return Done(change, book[0].published_at.date() if book else None, behind, is_repeated)


def _books_of(workspace: Workspace, registry: ModelRegistry, version: str, first: dt.date) -> list[NewBook]:
    """Work prices out from a version's model, for a first date and those after it that have a book already.

    A retailer's lake has no books. Nothing is published.

    Raises
    ------
    DataError
        When the registry does not have the version.
    ModelError
        When the model cannot be loaded or cannot price the shelf.
    """
    lake, catalog, model = workspace.lake, workspace.catalog, registry.load(version)
    if model is None:
        raise DataError(f"expected version {version} in the model registry, found none; nothing was changed")
    knowledge = known_before(lake, model, catalog, first)
    if origin_of(lake.store) == "retailer":
        return []
    dates = sorted({first, *lake.dates("booked_prices", between(first, dt.date.max))})
    of_model = knowledge.belief, knowledge.said
    return [new_book(catalog, knowledge.curves, knowledge.visits, date, *of_model) for date in dates]


def _next_change(lake: Lake, version: str, action: Action, prices_from: dt.date, **decision: Any) -> ChampionChange:
    """Return the change of champion that comes after the newest one; `decision` says who decided, when and why."""
    before = newest(lake)
    number, previous = (before.change + 1, before.version) if before else (1, None)
    return ChampionChange(number, version, previous, action, prices_from=prices_from, **decision)


def _midnight(date: dt.date) -> dt.datetime:
    return dt.datetime.combine(date, dt.time(), dt.UTC)


def _refuse_the_champion(changes: list[ChampionChange], version: str) -> None:
    if changes and version == changes[-1].version:
        raise Declined(f"version {version} is the champion already; nothing was changed")


def _to_go_back_to(changes: list[ChampionChange], to: str | None) -> str:
    target = to or before_current(changes)
    if target is None or not changes:
        raise Declined(
            "there is no earlier champion to go back to; nothing was changed. For base prices at once, set "
            "guardrails.kill_switch in store.yaml"
        )
    _refuse_the_champion(changes, target)
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
    change = newest(lake)
    # one from the future says that the clock was set back
    if change is not None and asked_at <= change.decided_at <= dt.datetime.now(dt.UTC):
        raise Declined(
            f"{change.decided_by} changed the champion to version {change.version} just now ({change.reason}); nothing "
            "more was changed, look at `shelfprice champions` and decide again"
        )


def _checked(reason: str) -> str:
    if not reason.strip() or len(reason) > _LONGEST_REASON:
        raise DataError(
            f"expected a reason of 1 to {_LONGEST_REASON} characters, found {len(reason.strip())}; nothing was changed"
        )
    return " ".join(reason.split())
