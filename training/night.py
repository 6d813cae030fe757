"""A night of the store: group the day's decisions, watch for drift, learn if that is due, judge, and price tomorrow.

Everything here can be called without an orchestrator. Flows run the steps as tasks, evaluation runs them plainly: both
live through the same night.
"""

import datetime as dt
from dataclasses import replace

from catalog.errors import DataError, Declined, ModelError
from etl.transform import transform
from serving.belief.policy import WITHOUT_CHAMPION
from serving.book_store import NewBook
from serving.price_book.book import PriceBook
from training.drift.watch import watch_drift
from training.nights import Night, decided_from, inputs_of, is_done, needs_a_decision, record, recorded
from training.pricing import may_price_without_champion, price_date
from training.registry import ModelRegistry
from training.run_context import PLAINLY, RunContext
from training.schedule import judged_through, why_due
from training.session import LEARNING, train
from warehouse.lake import Lake
from warehouse.locks import waited_for
from warehouse.workspace import Workspace


def run_night(
    workspace: Workspace,
    registry: ModelRegistry,
    date: dt.date,
    seed: int,
    means: RunContext = PLAINLY,
) -> Night:
    """Do the night after a business date that is sold to its end.

    A night that is done is not done again; one that was interrupted goes on where it stopped.

    Raises
    ------
    ModelError
        When the registry is away: old prices hold, and the night is yet to do.
    """
    run = means.run
    run(transform, workspace, progress=means.progress, spread=means.spread)
    if not needs_a_decision(workspace.lake, date):
        return recorded(workspace.lake, date)
    run(watch_drift, workspace, registry, date, means.announce)
    night = decide(workspace, registry, date, seed, means)
    if night.outcome == "old prices hold":
        raise ModelError(f"{night.remark}; run this night again when it is mended")
    return night


def decide(
    workspace: Workspace,
    registry: ModelRegistry,
    date: dt.date,
    seed: int,
    means: RunContext = PLAINLY,
) -> Night:
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
    lake = workspace.lake
    with waited_for(workspace.settings.locks, LEARNING):
        inputs = inputs_of(lake, workspace.catalog, date, seed)
        decided = decided_from(lake, date)
        changed = decided not in {None, inputs}
        because = "what the night was decided from has changed" if changed else why_due(workspace, registry, date)
        if because is None and decided is not None and is_done(lake, date):
            return recorded(lake, date)
        why_not = _learn(workspace, registry, date, seed, means) if because else None
        version, promoted, said = judged_through(workspace, date) or (None, False, None)
        night = Night(date, "priced", version, promoted, said=why_not or said)
        return _price_after(workspace, registry, night, inputs, means)


def _learn(workspace: Workspace, registry: ModelRegistry, date: dt.date, seed: int, means: RunContext) -> str | None:
    """Train; return why nothing was learned, if so. What a training says of its version stands in the version's row."""
    try:
        means.run(train, workspace, registry, date, seed, progress=means.progress, spread=means.spread)
    except (DataError, Declined) as error:
        return f"nothing new was learned: {error}"
    return None


def _price_after(workspace: Workspace, registry: ModelRegistry, night: Night, inputs: str, means: RunContext) -> Night:
    """Price the day after and commit that with the night; return the night with what became of its prices."""
    lake = workspace.lake
    if workspace.catalog.store.guardrails.kill_switch:
        said = "the kill switch is on, so no price book was made"
        return _recorded(lake, replace(night, outcome="base prices stay", said=said), inputs)
    try:
        if registry.load() is None and not may_price_without_champion(workspace, night.prices_for):
            return _recorded(lake, replace(night, outcome="base prices stay"), inputs)
    except ModelError:
        pass  # pricing knows which book holds meanwhile, or says that none does

    def with_the_night(lake: Lake, book: NewBook) -> None:
        record(lake, _priced_by(night, book.book), inputs, book)

    priced = means.run(price_date, workspace, registry, night.prices_for, with_the_night, means.spread)
    done = _priced_by(night, priced.book)
    return replace(done, outcome="old prices hold", said=priced.old_prices_hold) if priced.old_prices_hold else done


def _recorded(lake: Lake, night: Night, inputs: str) -> Night:
    record(lake, night, inputs)
    return night


def _priced_by(night: Night, book: PriceBook) -> Night:
    version = book.model_version
    return replace(night, priced_by=None if version == WITHOUT_CHAMPION else version)
