"""Who is champion and who was: every change is recorded in the lake first, and the registry's alias follows it.

A change is made under one lock, in this order: the row in `champions`, the price book in force (when people decide),
the alias, and last a tag on the registered model with the number of the change. A kill in between leaves the tag
behind the newest row, and whoever takes the lock next finishes that change before anything else.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import pyarrow as pa

from catalog.errors import Declined
from catalog.settings import Settings
from catalog.tables.history import CHAMPIONS
from training.gate import Verdict
from training.mlflow.registry import follow, knows, note_verdict, standing
from warehouse.lake import Lake, Partition
from warehouse.locks import held

LOCK = "promotion"
THE_GATE = "the gate"
Action = Literal["promoted_by_gate", "promoted_by_hand", "rolled_back", "found"]


@dataclass(frozen=True)
class Change:
    """One change of champion, as a row of `champions`."""

    change: int
    version: str
    previous: str | None
    action: Action
    decided_by: str
    decided_at: dt.datetime
    reason: str
    prices_from: dt.date


def history(lake: Lake) -> list[Change]:
    """Return every change of champion, the newest last."""
    rows = [row for partition in lake.partitions("champions") for row in lake.read(partition).to_pylist()]
    return sorted((Change(**row) for row in rows), key=lambda change: change.change)


def newest(lake: Lake) -> Change | None:
    """Return the newest change, or None when there was none."""
    changes = history(lake)
    return changes[-1] if changes else None


def record(lake: Lake, change: Change) -> None:
    """Write a change down; from here on it counts."""
    row = pa.Table.from_pylist([asdict(change)], schema=CHAMPIONS.schema)
    lake.publish(Partition("champions", None, f"{change.change:06d}"), row, inputs=repr(change))


def before_current(changes: Sequence[Change]) -> str | None:
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


def left_by_rollback(changes: Sequence[Change]) -> dict[str, Change]:
    """Return the versions that were rolled back and not promoted since, with the rollback of each."""
    left: dict[str, Change] = {}
    for change in changes:
        left.pop(change.version, None)
        if change.action == "rolled_back" and change.previous is not None:
            left[change.previous] = change
    return left


def unfinished(settings: Settings, lake: Lake) -> Change | None:
    """Return the newest change if the registry has not followed it yet, as after a kill or while it was away.

    A registry that does not have the version, such as a new one beside an old lake, has nothing to follow.

    Raises
    ------
    ModelError
        When the registry is away.
    """
    change = newest(lake)
    if change is None or standing(settings).change >= change.change or not knows(settings, change.version):
        return None
    return change


def finish(settings: Settings, change: Change) -> None:
    """Let the registry follow a recorded change; doing it twice does no harm."""
    rolled_back = change.action == "rolled_back" and change.previous is not None
    left_behind = (change.previous, change.reason) if rolled_back and change.previous else None
    if left_behind is not None and not knows(settings, left_behind[0]):
        left_behind = None
    follow(settings, change.version, change.change, left_behind)


def adopt(settings: Settings, lake: Lake, on: dt.date) -> None:
    """Record a champion that the registry has and nobody recorded: moved in the registry itself, or long ago.

    `on` is the business date on which it was found.
    """
    there, known = standing(settings), newest(lake)
    if there.champion is None or (known is not None and known.version == there.champion):
        return
    found = Change(
        change=known.change + 1 if known else 1,
        version=there.champion,
        previous=known.version if known else None,
        action="found",
        decided_by="unknown",
        decided_at=dt.datetime.combine(on, dt.time(), dt.UTC),
        reason="the registry names it champion, and no change of ours made it so",
        prices_from=on,
    )
    record(lake, found)
    finish(settings, found)


def settle(settings: Settings, challenger: str, verdict: Verdict, judged_against: str | None, through: dt.date) -> None:
    """Make the challenger champion or say on it why not. Tags carry the gate's reasons either way.

    Parameters
    ----------
    challenger
        Version that was judged.
    judged_against
        Version that was champion when the gate judged, or None.
    through
        Last business date it was judged on; it prices from the next.

    Raises
    ------
    Declined
        When someone else is changing the champion right now, or did so since the gate judged.
    """
    lake = Lake(settings)
    with held(settings.locks, LOCK):
        there, known = standing(settings), newest(lake)
        if there.champion != judged_against or unfinished(settings, lake):
            now = known.version if known else there.champion
            raise Declined(
                f"version {challenger} was judged against champion {judged_against}, but the champion is now {now}; "
                "nothing was promoted, train again"
            )
        note_verdict(settings, challenger, verdict)
        if verdict.promoted:
            last = verdict.conditions[-1]
            change = Change(
                change=known.change + 1 if known else 1,
                version=challenger,
                previous=there.champion,
                action="promoted_by_gate",
                decided_by=THE_GATE,
                decided_at=dt.datetime.combine(through + dt.timedelta(days=1), dt.time(), dt.UTC),
                reason=f"{last.name}: {last.found}",
                prices_from=through + dt.timedelta(days=1),
            )
            record(lake, change)
            finish(settings, change)
