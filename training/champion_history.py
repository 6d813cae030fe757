"""Who is champion and who was: every change is recorded in the lake first, and the registry follows it.

A change is made under one lock. Its row in `champions` and the price books that come with it are one commit. Then the
registry follows: the alias, and last a tag on the registered model with the number of the change. A kill in between
leaves the tag behind the newest row, and whoever takes the lock next lets the registry follow before anything else.

Prices come with a change, worked out from the model. A change that somebody made in the registry by hand is noticed and
recorded.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import pyarrow as pa

from catalog.errors import DataError, Declined
from catalog.names import EARNS_MORE
from catalog.tables.prices import CHAMPIONS
from serving.day_curves import known_before
from serving.make_book import NewBook, new_book
from training.gate import Verdict
from training.registry import ModelRegistry
from warehouse.commit import Commit
from warehouse.lake import Lake, Partition
from warehouse.locks import held
from warehouse.origin import origin_of
from warehouse.partition import between
from warehouse.workspace import Workspace


def prices_from_model(workspace: Workspace, registry: ModelRegistry, version: str, first: dt.date) -> list[NewBook]:
    """Work prices out from a version's model, for each date from a first one. Nothing is published.

    Raises
    ------
    DataError
        When the registry does not have the version.
    ModelError
        When the model cannot be loaded or cannot price the shelf.
    """
    model = registry.load(version)
    if model is None:
        raise DataError(f"expected version {version} in the model registry, found none; nothing was changed")
    known = known_before(workspace.lake, model, workspace.catalog, first)
    return [
        new_book(workspace.catalog, known.curves, known.visits, date, known.belief)
        for date in _dates_to_change(workspace.lake, first)
    ]


def _dates_to_change(lake: Lake, first: dt.date) -> list[dt.date]:
    """Return the dates whose books change: the first, and those that have one already; none in a retailer's lake."""
    return (
        []
        if origin_of(lake.store) == "retailer"
        else sorted({first, *lake.dates("booked_prices", between(first, dt.date.max))})
    )


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


def unfinished(registry: ModelRegistry, lake: Lake) -> ChampionChange | None:
    """Return the newest change if the registry has not followed it yet, as after a kill or while it was away.

    A registry that does not have the version, such as a new one beside an old lake, has nothing to follow.

    Raises
    ------
    ModelError
        When the registry is away.
    """
    change = newest(lake)
    if change is None or registry.state().change >= change.change or not registry.knows(change.version):
        return None
    return change


def finish(registry: ModelRegistry, change: ChampionChange) -> None:
    """Let the registry follow a recorded change; doing it twice does no harm."""
    rolled_back = None
    if change.action == "rolled_back" and change.previous is not None and registry.knows(change.previous):
        rolled_back = change.previous, change.reason
    registry.follow(change.version, change.change, rolled_back)


def adopt(registry: ModelRegistry, lake: Lake, on: dt.date) -> None:
    """Record a champion that the registry has and nobody recorded: moved in the registry itself, or long ago.

    `on` is the business date on which it was found.
    """
    there, known = registry.state(), newest(lake)
    if there.champion is None or (known is not None and known.version == there.champion):
        return
    found = ChampionChange(
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
    finish(registry, found)


@dataclass(frozen=True)
class Judged:
    """A version that the gate has judged.

    Attributes
    ----------
    against
        Version that was champion then, or None.
    through
        Last business date it was judged on; it prices from the next.
    row
        Its row of `model_versions`.
    inputs
        Fingerprint of what its training was made from.
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
    lake, challenger = workspace.lake, judged.version
    with held(workspace.settings.locks, LOCK):
        there, known = registry.state(), newest(lake)
        if there.champion != judged.against or unfinished(registry, lake):
            now = known.version if known else there.champion
            raise Declined(
                f"version {challenger} was judged against champion {judged.against}, but the champion is now {now}; "
                "nothing was promoted, train again"
            )
        change = _promotion(judged, known) if judged.verdict.promoted else None
        with lake.commit(f"training-v{challenger}", inputs=judged.inputs) as commit:
            commit.publish(Partition("model_versions", None, f"v{challenger}"), judged.row)
            if change is not None:
                stage(commit, change)
        if change is not None:
            finish(registry, change)


def _promotion(judged: Judged, known: ChampionChange | None) -> ChampionChange:
    last, prices_from = judged.verdict.conditions[-1], judged.through + dt.timedelta(days=1)
    return ChampionChange(
        change=known.change + 1 if known else 1,
        version=judged.version,
        previous=judged.against,
        action="promoted_by_gate",
        decided_by=THE_GATE,
        decided_at=dt.datetime.combine(prices_from, dt.time(), dt.UTC),
        reason=last.found if last.name == EARNS_MORE else f"{last.name}: {last.found}",
        prices_from=prices_from,
    )
