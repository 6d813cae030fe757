"""What a kill left between the lake and the model registry, and price books that only a model can make again."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from catalog.errors import DataError, ModelError
from catalog.settings import Settings
from etl.calendar import first_open_date
from plugins.operations.mlflow_upkeep.interrupted import LeftRun, end_run, unended_runs, versions_without_verdict
from plugins.operations.repair.damage import Damage, set_damage_aside, set_findings_aside
from plugins.operations.repair.kills import Fault
from serving.book.make import has_belief
from training.champion import LOCK, ChampionChange, catch_up, unfinished
from training.fit.session import LEARNING
from training.mlflow.registry import MlflowRegistry
from training.night import price_date
from warehouse.commits.locks import held, is_held
from warehouse.lake import Lake
from warehouse.workspace import Workspace

_FILE = "sqlite:///"

OpenWorkspace = Callable[[], Workspace]


def books_to_price_anew(lake: Lake, damages: Iterable[Damage], opened: OpenWorkspace) -> Iterator[Fault]:
    """Yield the price books without a whole belief; those of days that are over are not made again."""
    for damage in damages:
        if damage.kind != "book" or damage.date is None or has_belief(lake, damage.date):
            continue
        what = f"{damage.faults}: the price book for {damage.date}"
        if _is_over(lake, damage.date):
            mend = partial(set_damage_aside, lake, damage)
            remedy = "set it aside; its day is over, and `shelfprice replay` works it out again"
            yield Fault(what, damage.where, remedy, mend)
        else:
            mend = partial(_price_anew, damage, damage.date, opened)
            yield Fault(what, damage.where, "price the day anew", mend)


def faults_of_registry(lake: Lake, settings: Settings, opened: OpenWorkspace) -> Iterator[Fault]:
    """Yield what the registry has yet to follow, and what a killed training left in it; nothing without a registry.

    Raises
    ------
    ModelError
        When the registry is away.
    """
    uri = settings.tracking_uri
    if uri.startswith(_FILE) and not Path(uri.removeprefix(_FILE)).exists():
        return
    registry = MlflowRegistry(settings)
    if not is_held(settings.locks, LOCK):
        change = unfinished(registry, lake)
        if change is not None:
            yield _to_follow(change, registry, opened)
    if is_held(settings.locks, LEARNING):
        return
    judged = [part.group.removeprefix("v") for part in lake.partitions("model_versions")]
    for version in versions_without_verdict(settings, judged):
        what = f"version {version}: its training was interrupted before the gate's verdict counted"
        remedy = "the same training takes it again, and any other one tags it as interrupted"
        yield Fault(what, f"model version {version}", remedy, is_harm=False)
    for run in unended_runs(settings):
        what = "a run of MLflow whose process is gone"
        yield Fault(what, f"run {run.name}", "end it as killed", partial(_end, settings, run))


def _to_follow(change: ChampionChange, registry: MlflowRegistry, opened: OpenWorkspace) -> Fault:
    what = f"the registry has not followed the change of champion to version {change.version}"
    mend = partial(_follow, registry, change.prices_from, opened)
    return Fault(what, f"change {change.change} of champions", "let the registry follow", mend)


def _is_over(lake: Lake, date: dt.date) -> bool:
    try:
        return date < first_open_date(lake)
    except DataError:
        return False  # nothing was sold yet


def _price_anew(damage: Damage, date: dt.date, opened: OpenWorkspace) -> str:
    workspace = opened()
    set_findings_aside(workspace.lake, damage.findings)
    priced = price_date(workspace, MlflowRegistry(workspace.settings), date)
    if priced.old_prices_hold:
        raise ModelError(f"old prices hold: {priced.old_prices_hold}")
    return f"priced anew by version {priced.book.model_version}"


def _follow(registry: MlflowRegistry, on: dt.date, opened: OpenWorkspace) -> str:
    catch_up(opened(), registry, on)
    return "followed"


def _end(settings: Settings, run: LeftRun) -> str:
    with held(settings.locks, LEARNING):
        end_run(settings, run)
    return "ended as killed"
