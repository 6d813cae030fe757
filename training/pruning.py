"""Take away models that nothing will ask for: those of trainings long ago that never priced a day.

What stays: the newest versions, every version that is or was champion, and every one that a day in force
or a price book names, for `replay` works such days out again. Of the others, parameters, metrics and the verdict stay;
the entry in the registry, the model and its figures go.
"""

import datetime as dt
from dataclasses import dataclass

from catalog.errors import Declined, LakeError, ModelError
from training.champion import LOCK, history
from training.fit.session import LEARNING
from training.mlflow.prune import Registered
from warehouse.commits.locks import held
from warehouse.lake import Lake, Partition
from warehouse.partition import between
from warehouse.workspace import Workspace

KEPT = 30
"""Newest versions that stay."""
_NAMED_IN = ("days_in_force", "demand_curves")


@dataclass(frozen=True)
class Pruned:
    """Versions that were taken away, and the bytes of their files."""

    versions: tuple[str, ...]
    bytes: int

    @property
    def sentence(self) -> str:
        """What was done, without a full stop."""
        said = f"{len(self.versions)} models that price no day, {self.bytes / 1e6:,.1f} MB"
        return f"{said}: versions {', '.join(self.versions)}" if self.versions else said


def prune(workspace: Workspace) -> Pruned:
    """Take away the models that nothing will ask for.

    Raises
    ------
    Declined
        When a training is under way, or the champion is being changed.
    LakeError
        When a day cannot say which model priced it; nothing was taken away.
    ModelError
        When the registry is away.
    """
    settings, lake = workspace.settings, workspace.lake
    judged = sorted((int(part.group.removeprefix("v")) for part in lake.partitions("model_versions")), reverse=True)
    old = {str(version) for version in judged[KEPT:]}
    if not old:
        return Pruned((), 0)
    with held(settings.locks, LEARNING), held(settings.locks, LOCK), Registered.of(settings) as registered:
        old &= registered.versions
        going = {*registered.left_by_a_kill(), *registered.models(old - _needed(lake, old))}
        size = sum(one.take_away() for one in going)
    return Pruned(tuple(sorted({one.version for one in going}, key=int)), size)


def after_night(workspace: Workspace) -> list[str]:
    """Prune after a night, and say what went, or why nothing did."""
    try:
        found = prune(workspace)
    except (Declined, LakeError, ModelError) as error:
        return [f"no model was pruned: {error}"]
    return [f"pruned {found.sentence}"] if found.versions else []


def _needed(lake: Lake, versions: set[str]) -> set[str]:
    """Return the versions that were champion, or that something names since the first of the others was judged."""
    needed = {str(version) for change in history(lake) for version in (change.version, change.previous)}
    asked = versions - needed
    if asked:
        oldest = lake.read(Partition("model_versions", None, f"v{min(asked, key=int)}"))
        since = between(oldest["judged_through"][0].as_py(), dt.date.max)
        for part in (own for table in _NAMED_IN for own in lake.partitions(table, since)):
            needed.update(lake.read(part)["model_version"].to_pylist())
    return needed
