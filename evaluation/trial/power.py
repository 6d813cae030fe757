"""The power of a trial, planned before it starts: what it can detect, and how long it would take.

The analysis is a t test on differences of pairs of store days, so its power is that of the noncentral t distribution.
What must hold: the standard deviation of a store day's earnings is known roughly, from past days or as stated.
"""

import datetime as dt
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import nctdtr, stdtrit

from catalog.arrays import Floats
from catalog.currency import Currency
from catalog.load import Catalog
from evaluation.trial.design import FEWEST_PAIRS, Design
from serving.policies import costs_that_count
from warehouse.lake import Lake
from warehouse.sold import bought_in

WANTED_POWER = 0.8
WANTED_EFFECT = 0.03
"""Share of a store day's earnings that people usually want to see."""
USUAL_VARIATION = 0.1
"""Standard deviation of a store day's earnings as a share of their mean, where nobody has seen any."""
_UPPER = 0.975
_MOST_DAYS = 3650
_FEWEST_STORE_DAYS = 6


@dataclass(frozen=True)
class DayVariation:
    """How a store day's earnings vary: standard deviation over mean, the mean (EUR), and where it is known from."""

    variation: float
    mean_eur: float | None
    source: str


@dataclass(frozen=True)
class TrialPlan:
    """What a trial can find out.

    Attributes
    ----------
    n_pairs
        Pairs of store days.
    spread
        How a store day's earnings vary.
    detectable
        The smallest difference that is detected with 80 % power at 5 %, as a share of a store day's earnings.
    days_for_wanted
        Days after which 3 % would be detected so; None when ten years do not suffice.
    """

    n_pairs: int
    spread: DayVariation
    detectable: float
    days_for_wanted: int | None

    @property
    def detectable_eur(self) -> float | None:
        """The same in EUR per store day; None where no past day says what one earns."""
        return None if self.spread.mean_eur is None else self.detectable * self.spread.mean_eur

    def told(self, money: Currency) -> str:
        """Say what the trial can detect, and from what that is known."""
        amount = "" if self.detectable_eur is None else f", {self.detectable_eur:,.0f} {money.code} a store day"
        sentence = (
            f"{self.n_pairs} pairs of store days detect a difference of {self.detectable:.1%} of sales{amount} with "
            f"{WANTED_POWER:.0%} power (a store day varies by {self.spread.variation:.1%}, {self.spread.source})"
        )
        return sentence if self.warning is None else f"{sentence}; {self.warning}"

    @property
    def warning(self) -> str | None:
        """What to do where the trial is too short for 3 %; None where it is not."""
        if self.detectable <= WANTED_EFFECT:
            return None
        longer = f"run {self.days_for_wanted} days" if self.days_for_wanted else "use more stores"
        return (
            f"differences below {self.detectable:.1%} of sales will often be missed; to detect {WANTED_EFFECT:.0%}, "
            f"{longer}"
        )


def spread_of(store_days: Floats | None, stated: float | None = None) -> DayVariation:
    """Return how earnings vary: as stated, else as past store days did, else the usual variation.

    Parameters
    ----------
    store_days
        Earnings of past days, EUR, shape (n_stores, n_days), NaN where a store has no such day. The stores' own levels
        are taken out, since a store is compared with itself.
    """
    suffices = store_days is not None and np.isfinite(store_days).sum() - len(store_days) >= _FEWEST_STORE_DAYS
    mean = float(np.nanmean(store_days)) if store_days is not None and suffices else None
    if stated is not None:
        return DayVariation(stated, mean, "stated")
    if store_days is None or mean is None or mean <= 0:
        return DayVariation(USUAL_VARIATION, None, "assumed, for too few past days are known")
    within = store_days - np.nanmean(store_days, axis=1, keepdims=True)
    n_free = int(np.isfinite(store_days).sum()) - len(store_days)
    deviation = math.sqrt(float(np.nansum(within**2)) / n_free)
    return DayVariation(deviation / mean, mean, f"from {int(np.isfinite(store_days).sum())} past store days")


def plan_of(design: Design, spread: DayVariation) -> TrialPlan:
    """TrialPlan a trial: what it can detect, and how many days 3 % would take with the same stores."""
    of_pair = deviation_of_pair(spread.variation, design)
    n_stores, needed = len(design.stores), None
    for days in range(2, _MOST_DAYS + 1, 2):
        n_pairs = n_stores * days // 2
        if n_pairs >= FEWEST_PAIRS and power(WANTED_EFFECT, of_pair, n_pairs) >= WANTED_POWER:
            needed = days
            break
    return TrialPlan(design.n_pairs, spread, detectable(of_pair, design.n_pairs), needed)


def deviation_of_pair(of_store_day: float, design: Design) -> float:
    """Return the standard deviation of a pair's difference, in the unit of that of a store day."""
    return math.sqrt(2 * design.variance_factor) * of_store_day


def power(effect: float, deviation: float, n_pairs: int) -> float:
    """Return the chance that a true effect is detected at 5 %, two-sided, by differences with a standard deviation."""
    if deviation == 0:
        return float(effect != 0)
    critical, shift = stdtrit(n_pairs - 1, _UPPER), abs(effect) / deviation * math.sqrt(n_pairs)
    missed = nctdtr(n_pairs - 1, shift, critical) - nctdtr(n_pairs - 1, shift, -critical)
    return 1.0 - float(np.nan_to_num(missed, nan=0.0))  # far off, where it is not computed, nothing is missed


def detectable(deviation: float, n_pairs: int) -> float:
    """Return the smallest effect with 80 % power, in the unit of the standard deviation of a pair's difference."""
    if deviation == 0:
        return 0.0
    most = 20 * deviation * stdtrit(n_pairs - 1, _UPPER) / math.sqrt(n_pairs)
    return float(brentq(lambda effect: power(effect, deviation, n_pairs) - WANTED_POWER, 0.0, most))


_NEWEST = 28  # business dates


def past_store_days(lake: Lake, catalog: Catalog, before: dt.date) -> Floats | None:
    """Return what the days before a date earned, EUR, shape (n_levels, n_days); None without any.

    A level is a store under one policy and model version, since another policy has another mean; NaN where it has no
    such day. Days that changed between policies are left out.
    """
    costs = dict(zip(catalog.skus, costs_that_count(catalog), strict=True))
    dates, days = [date for date in lake.dates("interactions") if date < before][-_NEWEST:], []
    for part in lake.partitions("interactions"):
        if part.business_date in dates and lake.receipt(part) is not None:
            columns = ["store_id", "policy", "model_version", "sku", "price_offered"]
            frame = bought_in(lake, part, columns).to_pandas().astype({"sku": str})
            earned = frame["price_offered"] - frame["sku"].map(costs).fillna(0.0)
            level = frame["policy"].astype(str) + " " + frame["model_version"].astype(str).fillna("")
            frame = frame.assign(earned=earned, level=level, date=part.business_date)
            store_days = frame.groupby([frame["store_id"].astype(str), "date"])
            days.append(
                store_days.agg(earned=("earned", "sum"), level=("level", "first"), count_levels=("level", "nunique"))
            )
    if not days:
        return None
    every_day = pd.concat(days).reset_index()
    steady = every_day[every_day["count_levels"] == 1]
    return steady.pivot_table(index=["store_id", "level"], columns="date", values="earned").to_numpy(float)
