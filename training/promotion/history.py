"""Who is champion and who was: every change is recorded in the lake first, and the registry follows it.

A change is made under one lock. Its row in `champions` and the price books that come with it are one commit. Then the
registry follows: the alias, and last a tag on the registered model with the number of the change. A kill in between
leaves the tag behind the newest row, and whoever takes the lock next lets the registry follow before anything else.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import pyarrow as pa

from catalog.tables.history import CHAMPIONS
from serving.book_store import NewBook
from warehouse.commit import Commit
from warehouse.lake import Lake, Partition

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
    row = pa.Table.from_pylist([asdict(change)], schema=CHAMPIONS.schema)
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
