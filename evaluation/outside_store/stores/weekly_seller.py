"""Plays a policy in an outside world week by week, in this process: arrays in, arrays out."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from evaluation.outside_store.stores.outside_world import (
    RULES,
    AttainableProfit,
    Flags,
    Floats,
    Ints,
    OutsideWorld,
    OwnersRules,
    at_owner_prices,
)

OWNER_WEEKS = 4
"""Weeks at the owner's prices before the first one that counts."""
_POLICY = 1_000  # the random stream of a policy, which no world has


@dataclass(frozen=True)
class WeeksSeen:
    """All that a seller sees: prices and units of the weeks so far, never how demand was made.

    Attributes
    ----------
    owner_prices, unit_costs
        EUR, shape (n_stores, n_products) and (n_products,).
    prices, units
        EUR and units of each week, shape (n_weeks, n_stores, n_products); the first weeks are at the owner's prices.
    rules
        What the owner allows.
    """

    owner_prices: Floats
    unit_costs: Floats
    prices: Floats
    units: Ints
    rules: OwnersRules = RULES

    def within_rules(self, prices: Floats) -> Floats:
        """Return the nearest prices that the owner allows next week, EUR, shape (n_stores, n_products)."""
        allowed: Floats = np.clip(prices, *self.rules.allowed(self.owner_prices, self.prices[-1]))
        return allowed


@dataclass(frozen=True)
class WeekPrices:
    """A policy's prices of a week, EUR, and which of them it tries in order to learn, shape (n_stores, n_products)."""

    prices: Floats
    tried: Flags | None = None


WeeklyPolicy: TypeAlias = Callable[[WeeksSeen, np.random.Generator], WeekPrices]
"""A pure function: what was seen and the week's random stream, to the prices of the next week."""


@dataclass(frozen=True)
class WeeksPlayed:
    """What a policy earned in the weeks that count.

    Attributes
    ----------
    prices, units, tried
        Shape (n_weeks, n_stores, n_products); nothing is tried where the policy does not say so.
    earned_eur, expected_eur
        Profit as sold, and at the same prices on average over all luck, of the same shape.
    owner_eur
        Expected profit at the owner's prices, of the same shape.
    attainable
        What a seller who knows the demand earns.
    """

    prices: Floats
    units: Ints
    tried: Flags
    earned_eur: Floats
    expected_eur: Floats
    owner_eur: Floats
    attainable: AttainableProfit

    def lost(self, first: int, last: int) -> float:
        """Return the share of the attainable profit that weeks lost, counted from 1, both ends included."""
        weeks = slice(first - 1, last)
        return 1 - float(self.expected_eur[weeks].sum() / self.attainable.weekly_eur[weeks].sum())

    def lost_by_trying(self, first: int, last: int) -> float:
        """Return the part of that share that was lost at prices that were tried in order to learn.

        It is what the clairvoyant's prices earn there, less what the tried ones do.
        """
        weeks = slice(first - 1, last)
        missing = (self.attainable.cells_eur - self.expected_eur)[weeks][self.tried[weeks]]
        return float(missing.sum() / self.attainable.weekly_eur[weeks].sum())


def play(
    world: OutsideWorld, policy: WeeklyPolicy, n_weeks: int, seed: int, owner_weeks: int = OWNER_WEEKS
) -> WeeksPlayed:
    """Play weeks at the owner's prices, then weeks at a policy's, clipped to what the owner allows.

    Parameters
    ----------
    seed
        Of the policy's own luck; the world has another one.
    """
    start = at_owner_prices(world, owner_weeks)
    units = [world.play_week(start[: week + 1]).sum(axis=0) for week in range(owner_weeks)]
    seen = WeeksSeen(world.owner_prices, world.unit_costs, start, np.array(units))
    tried = np.zeros((n_weeks, *world.owner_prices.shape), dtype=bool)
    for week in range(n_weeks):
        asked = policy(seen, np.random.default_rng(np.random.SeedSequence((seed, _POLICY, week))))
        prices = np.concatenate([seen.prices, seen.within_rules(asked.prices)[None]])
        sold = world.play_week(prices).sum(axis=0)
        seen = replace(seen, prices=prices, units=np.concatenate([seen.units, sold[None]]))
        if asked.tried is not None:
            tried[week] = asked.tried
    return outcome_of(world, seen.prices[owner_weeks:], seen.units[owner_weeks:], tried)


def outcome_of(world: OutsideWorld, prices: Floats, units: Ints, tried: Flags) -> WeeksPlayed:
    """Return what weeks after the owner's earned, beside what they could have; shapes (n_weeks, n_stores, n_products).

    `units` are what was sold; the expectation knows the prices alone.
    """
    return WeeksPlayed(
        prices=prices,
        units=units,
        tried=tried,
        earned_eur=(prices - world.unit_costs) * units,
        expected_eur=world.expected_profit(prices),
        owner_eur=world.expected_profit(at_owner_prices(world, len(prices))),
        attainable=world.attainable(len(prices)),
    )


def owner_policy(seen: WeeksSeen, _: np.random.Generator) -> WeekPrices:
    """Keep the owner's prices."""
    return WeekPrices(seen.owner_prices)
