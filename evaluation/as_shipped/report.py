"""The product as shipped, as people read it: regret beside its peers, what its gate did, or one JSON object."""

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from evaluation.as_shipped.records import BASE_PRICES, LEARNERS, AsShipped
from evaluation.as_shipped.regret import (
    Arrival,
    against_best_peer,
    arrival,
    gate_record,
    lost_until_champion,
    periods_of,
    regret,
    worst_week,
)
from evaluation.results import MeanInterval


def regret_rows(found: AsShipped) -> tuple[list[str], list[list[Any]]]:
    """Return columns and rows of the regret, one row per world and learner, the product first."""
    lasts = periods_of(found.question.days)
    rows = [
        [
            world.name,
            learner,
            *(_percent(regret(found.days, world.name, learner, last)) for last in lasts),
            "" if learner == BASE_PRICES else f"{100 * worst_week(found.days, world.name, learner):+.2f}",
        ]
        for world in found.question.worlds
        for learner in LEARNERS
    ]
    return ["world", "learner", *_periods(lasts), "worst week against base prices"], rows


def peer_rows(found: AsShipped) -> tuple[list[str], list[list[Any]]]:
    """Return columns and rows of the product's regret less that of the best peer, in points, one row per world."""
    lasts, rows = periods_of(found.question.days), []
    for world in found.question.worlds:
        best = [against_best_peer(found.days, world.name, last) for last in lasts]
        rows.append([world.name, *(f"{_points(less)}, {peer}" for peer, less in best)])
    return ["world", *_periods(lasts)], rows


def gate_rows(found: AsShipped) -> tuple[list[str], list[list[Any]]]:
    """Return columns and rows of how soon the product priced, and what its gate did, one row per world.

    Worlds that ship have a currency of their own; where there are two, each amount says its own.
    """
    rows, moneys = [], {world.catalog.store.money for world in found.question.worlds}
    for world in found.question.worlds:
        gate, lost = gate_record(found.days, world.name), lost_until_champion(found.days, world.name)
        code = f" {world.catalog.store.currency}" if len(moneys) > 1 else ""
        rows.append(
            [
                world.name,
                _nights(arrival(found.days, world.name, "belief", "champion")),
                _nights(arrival(found.days, world.name, "champion")),
                f"{lost.mean:,.0f}{code}",
                gate.judged,
                gate.promoted,
                gate.false_promotions,
                f"{gate.better_promoted} of {gate.clearly_better}",
            ]
        )
    columns = [
        "world",
        "nights until belief or champion priced",
        "nights until a champion priced",
        "lost until then" if len(moneys) > 1 else f"lost until then, {moneys.pop().code}",
        "versions judged",
        "promoted",
        "promoted falsely",
        "promoted where clearly better",
    ]
    return columns, rows


def as_json(found: AsShipped) -> dict[str, Any]:
    """Return everything as one JSON object."""
    lasts = periods_of(found.question.days)
    worlds = []
    for world in found.question.worlds:
        learners = [
            {
                "learner": learner,
                "regret": [{"days": last, **_ends(regret(found.days, world.name, learner, last))} for last in lasts],
                "worst_week_against_base": worst_week(found.days, world.name, learner),
            }
            for learner in LEARNERS
        ]
        worlds.append(
            {
                "world": world.name,
                "description": world.description,
                "learners": learners,
                "against_best_peer": [_against(found, world.name, last) for last in lasts],
                "nights_until_priced": arrival(found.days, world.name, "belief", "champion").nights,
                "nights_until_champion": arrival(found.days, world.name, "champion").nights,
                "lost_until_champion_eur": _ends(lost_until_champion(found.days, world.name)),
                "gate": asdict(gate_record(found.days, world.name)),
            }
        )
    columns, rows = regret_rows(found)
    return {
        "days": found.question.days,
        "seeds": found.question.seeds,
        "stores": found.question.stores,
        "table": [dict(zip(columns, row, strict=True)) for row in rows],
        "worlds": worlds,
        "lived": [asdict(day) for day in found.days],
        "mlflow_run_id": found.run_id,
    }


def _against(found: AsShipped, world: str, last: int) -> dict[str, Any]:
    peer, less = against_best_peer(found.days, world, last)
    return {"days": last, "peer": peer, **_ends(less)}


def _periods(lasts: Sequence[int]) -> list[str]:
    return [f"days 1 to {last}" if last > 1 else "day 1" for last in lasts]


def _points(less: MeanInterval) -> str:
    if math.isnan(less.low):
        return f"{100 * less.mean:+.2f}"
    return f"{100 * less.mean:+.2f} ± {100 * (less.high - less.mean):.2f}"


def _percent(share: MeanInterval) -> str:
    if math.isnan(share.low):  # one value has no interval
        return f"{100 * share.mean:.2f}"
    return f"{100 * share.mean:.2f} ± {100 * (share.high - share.mean):.2f}"


def _ends(share: MeanInterval) -> dict[str, float | None]:
    """Return a mean with its interval; without a second seed that has no ends."""
    return {name: value if math.isfinite(value) else None for name, value in vars(share).items()}


def _nights(found: Arrival) -> str:
    """Return the mean of the seeds where it came, and on how many it did when not on all."""
    came: Sequence[int] = [nights for nights in found.nights if nights is not None]
    if not came:
        return "never"
    mean = f"{np.mean(came):.1f}".removesuffix(".0")
    return mean if len(came) == len(found.nights) else f"{mean} on {len(came)} of {len(found.nights)}"
