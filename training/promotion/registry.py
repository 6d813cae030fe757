"""Let the model registry follow the recorded changes of champion, and notice what was changed there by hand."""

import datetime as dt
from dataclasses import dataclass

import pyarrow as pa

from catalog.errors import Declined
from catalog.gate import EARNS_MORE
from training.gate import Verdict
from training.promotion.history import LOCK, THE_GATE, ChampionChange, newest, record, stage
from training.registry import ModelRegistry
from warehouse.lake import Lake, Partition
from warehouse.locks import held
from warehouse.workspace import Workspace


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
