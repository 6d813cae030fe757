"""A night: learn from what was sold, let the gate decide, and price the next day; old prices hold when that fails."""

import datetime as dt

from catalog.errors import DataError, Declined
from flows.price import price
from flows.train import Training, train


def learn_and_price(date: dt.date, seed: int, catalog_dir: str | None) -> list[str]:
    """Train on everything before a date and price the date; return what did not go as usual, if anything."""
    try:
        trained = train(date - dt.timedelta(days=1), seed, catalog_dir)
        if trained.champion is None and not trained.verdict.promoted:
            return [f"{date}: {stays_because(trained)}"]
        priced = price(date, catalog_dir)
    except (DataError, Declined) as error:
        return [f"{date}: old prices hold: {error}"]
    if priced.old_prices_hold:
        return [f"{date}: {priced.old_prices_hold}"]
    return [] if trained.verdict.promoted else [f"{date}: {stays_because(trained)}"]


def stays_because(trained: Training) -> str:
    """Say who prices instead of a version that was not promoted, and why; that it waits is no alarm."""
    stays = "base prices stay" if trained.champion is None else f"champion {trained.champion} stays"
    if trained.verdict.waits:
        found = "; ".join(condition.found for condition in trained.verdict.conditions if not condition.met)
        return f"{stays}; version {trained.version} is sound, but not shown to earn more: {found}"
    return f"{stays}; version {trained.version} was refused: {'; '.join(trained.verdict.refusals)}"
