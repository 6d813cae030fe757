"""What a comparison found: one row per score, means with their intervals, and the tables that are kept."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from catalog.intervals import half_width
from catalog.tables.comparisons import LEARNING_RESULTS, POLICY_RESULTS
from evaluation.scores import Tally


@dataclass(frozen=True)
class Score:
    """One policy's share of the clairvoyant in one scenario after learning from one log, exact under true demand."""

    scenario: str
    policy: str
    decisions: int
    seed: int
    share_of_clairvoyant: float


@dataclass(frozen=True)
class Match:
    """What one policy did on one seed's shoppers, beside the clairvoyant on the same ones."""

    scenario: str
    policy: str
    decisions: int
    seed: int
    store_days: int
    tally: Tally
    share_of_clairvoyant: float


@dataclass(frozen=True)
class MeanInterval:
    """A mean over seeds with its 95 % interval (Student's t); without a second seed there is no interval."""

    mean: float
    low: float
    high: float


def interval(values: Sequence[float]) -> MeanInterval:
    """Return the mean of independent values and its 95 % interval."""
    own = np.asarray(values, dtype=float)
    mean, spread = float(own.mean()), float(own.std(ddof=1)) if len(own) > 1 else 0.0
    half = float(half_width(np.array([spread]), np.array([float(len(own))]))[0])
    return MeanInterval(mean, mean - half, mean + half)


def shares(rows: Sequence[Score | Match]) -> dict[tuple[str, int, str], MeanInterval]:
    """Return the interval of the share for each (policy, decisions, scenario), in the order of the rows."""
    seeds: dict[tuple[str, int, str], list[float]] = {}
    for row in rows:
        seeds.setdefault((row.policy, row.decisions, row.scenario), []).append(row.share_of_clairvoyant)
    return {key: interval(values) for key, values in seeds.items()}


def matches_by_policy(matches: Sequence[Match]) -> pd.DataFrame:
    """Return one row per scenario and policy: the share with its interval, and every count per store day."""
    rows = []
    found = shares(matches)
    for (policy, decisions, scenario), share in found.items():
        own = [row for row in matches if (row.policy, row.decisions, row.scenario) == (policy, decisions, scenario)]
        days = sum(row.store_days for row in own)
        rows.append(
            {
                "scenario": scenario,
                "policy": policy,
                "share": share.mean,
                "low": share.low,
                "high": share.high,
                "revenue_eur": sum(row.tally.revenue_eur for row in own) / days,
                "units": sum(row.tally.units for row in own) / days,
                "sell_outs": sum(row.tally.sell_outs for row in own) / days,
                "lost_sales": sum(row.tally.lost_sales for row in own) / days,
                "mean_price_eur": float(np.mean([row.tally.mean_price_eur for row in own])),
                "repricings": float(np.mean([row.tally.repricings_per_day for row in own])),
            }
        )
    return pd.DataFrame(rows)


def scores_to_table(scores: Sequence[Score], compared_at: dt.datetime) -> pa.Table:
    """Return the scores in the columns of `learning_results`."""
    return pa.Table.from_pylist(
        [asdict(score) | {"compared_at": compared_at} for score in scores], schema=LEARNING_RESULTS.schema
    )


def matches_to_table(matches: Sequence[Match], compared_at: dt.datetime) -> pa.Table:
    """Return the matches in the columns of `policy_results`."""
    rows = [
        {
            "scenario": match.scenario,
            "policy": match.policy,
            "decisions": match.decisions,
            "seed": match.seed,
            "store_days": match.store_days,
            "revenue": match.tally.revenue_eur,
            "share_of_clairvoyant": match.share_of_clairvoyant,
            "units": match.tally.units,
            "sell_outs": match.tally.sell_outs,
            "lost_sales": match.tally.lost_sales,
            "mean_price": match.tally.mean_price_eur,
            "repricings_per_day": match.tally.repricings_per_day,
            "compared_at": compared_at,
        }
        for match in matches
    ]
    return pa.Table.from_pylist(rows, schema=POLICY_RESULTS.schema)
