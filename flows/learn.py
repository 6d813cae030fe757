"""Learn from what was sold, let the gate decide, and price the next day; old prices hold when that fails."""

import datetime as dt
import time

from prefect import flow

from catalog.errors import DataError, Declined, ModelError
from flows.edge import DEFAULT_SEED, Surroundings, name_run, newest_date
from flows.nights import Night, Outcome, decided_from, inputs_of, is_done, record, recorded
from flows.price import price
from flows.train import Training, train
from serving.champion import load_champion
from training.due import judged_through, why_due
from warehouse.locks import held, is_held

_LEARNING = "learning"
_LOOK_EVERY = 0.5  # seconds


@flow(name="learn", flow_run_name="learn-{through}")
def learn(through: dt.date | None = None, seed: int = DEFAULT_SEED, catalog_dir: str | None = None) -> Night:
    """Train on everything through a business date if that is due, and price the day after it.

    The loop, the night and the event of a drift share this flow. Who comes while another one learns from this lake
    waits for its turn, and finds that the same night was decided from the same decisions and catalog.

    Parameters
    ----------
    through
        Last business date to learn from; by default the newest one with demand cells.

    Returns
    -------
    Night
        What was decided. It is recorded, unless old prices hold because the registry is away: then it is yet to do.

    Raises
    ------
    ModelError
        When the registry is away while a model is due, or there is no earlier book; the night is yet to do.
    """
    around = Surroundings(catalog_dir)
    date = through or newest_date(around.lake)
    if through is None:
        name_run(f"learn-{date}", through=date.isoformat())
    while is_held(around.settings.locks, _LEARNING):
        time.sleep(_LOOK_EVERY)
    with held(around.settings.locks, _LEARNING):
        inputs = inputs_of(around.lake, around.catalog, date, seed)
        decided = decided_from(around.lake, date)
        changed = decided not in {None, inputs}
        because = "what the night was decided from has changed" if changed else why_due(around, date)
        if because is None and decided is not None and is_done(around.lake, date):
            return recorded(around.lake, date)
        said = _train(date, seed, catalog_dir) if because else None
        outcome, priced_by, held_because = _price_after(around, date, catalog_dir)
        version, promoted = judged_through(around, date) or (None, False)
        night = Night(date, outcome, version, promoted, priced_by, held_because or said)
        if outcome != "old prices hold":
            record(around.lake, night, inputs)
        return night


def _train(date: dt.date, seed: int, catalog_dir: str | None) -> str | None:
    """Train, and say what did not go as usual, if anything."""
    try:
        trained = train(date, seed, catalog_dir)
    except (DataError, Declined) as error:
        return f"nothing new was learned: {error}"
    return None if trained.verdict.promoted else stays_because(trained)


def _price_after(
    around: Surroundings, date: dt.date, catalog_dir: str | None
) -> tuple[Outcome, str | None, str | None]:
    """Price the day after a date; return what became of its prices, the version behind them, and why they are old."""
    if around.catalog.store.guardrails.kill_switch:
        return "base prices stay", None, "the kill switch is on, so no price book was made"
    try:
        if load_champion(around.settings) is None:
            return "base prices stay", None, None
    except ModelError:
        pass  # `price` knows which book holds meanwhile, or says that none does
    priced = price(date + dt.timedelta(days=1), catalog_dir)
    outcome: Outcome = "old prices hold" if priced.old_prices_hold else "priced"
    return outcome, priced.book.model_version, priced.old_prices_hold


def stays_because(trained: Training) -> str:
    """Say who prices instead of a version that was not promoted, and why; that it waits is no alarm."""
    stays = "base prices stay" if trained.champion is None else f"champion {trained.champion} stays"
    if trained.verdict.waits:
        found = "; ".join(condition.found for condition in trained.verdict.conditions if not condition.met)
        return f"{stays}; version {trained.version} is sound, but not shown to earn more: {found}"
    return f"{stays}; version {trained.version} was refused: {'; '.join(trained.verdict.refusals)}"
