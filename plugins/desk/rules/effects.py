"""What the rules do now: the prices that each holds, what that costs a day, and where a stronger rule overrules one.

A price is held by the last limit that decided it, so each is counted once. Its cost is what the plan of the day earns
less than the policy's own prices would, by the book's own recursion. A price that is people's is held until closing;
one that rivals or other products keep down caps the plan; else the plan goes on within the limits of the book. Limits
on moves within the day are left out.
"""

import datetime as dt
from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from catalog.decisions.rules import LIMITS
from catalog.load import Catalog
from plugins.desk.price_changes.consequence import DayForecast, OnShelf
from plugins.desk.rules.sentences import Rule, rules_of
from plugins.desk.standing import CAPS, ORDERED, Standing, StoreStanding


@dataclass(frozen=True)
class RuleEffect:
    """One rule and what it does: the prices it holds, what it costs, EUR a day, and prices whose cost is not known."""

    rule: Rule
    held: int
    cost: float
    unknown: int

    @property
    def shown(self) -> int | None:
        """The prices held; None where the rule looks at the day so far, and none is known to be held."""
        return None if self.rule.is_within_day and not self.held else self.held


@dataclass(frozen=True)
class Conflict:
    """Two rules that want different prices: the one that won, the one it overrules, and the prices."""

    won: str
    overruled: str
    prices: tuple[Standing, ...]


@dataclass(frozen=True)
class RulesNow:
    """The rules, their conflicts, those with most prices first, and how many prices stand in all."""

    effects: tuple[RuleEffect, ...]
    conflicts: tuple[Conflict, ...]
    n_prices: int

    @property
    def held(self) -> int:
        """Prices that a rule holds."""
        return sum(effect.held for effect in self.effects)

    @property
    def cost(self) -> float:
        """What the rules cost, EUR a day, as far as it is known."""
        return sum(effect.cost for effect in self.effects)


def rules_now(
    catalog: Catalog, standings: Mapping[str, StoreStanding], forecasts: Mapping[dt.date, DayForecast]
) -> RulesNow:
    """Return what the rules of a catalog do to the prices that stand next.

    Parameters
    ----------
    standings
        What holds in each store.
    forecasts
        Say how many come, by business date; a date without a price book has none.
    """
    rules = rules_of(catalog)
    title = {limit: rule.title for rule in rules for limit in rule.limits}
    held, unknown, costs = Counter[str](), Counter[str](), dict.fromkeys(title.values(), 0.0)
    conflicts, n_prices = dict[tuple[str, str], list[Standing]](), 0
    answers = dict[Hashable, tuple[str | None, float | None]]()
    for store in standings.values():
        forecast = forecasts[store.now.date].in_store(store.now.store) if store.now.date in forecasts else None
        shelves = None if forecast is None else forecast.shelves_in(store)
        for price in store:
            n_prices += 1
            limit, cost = (price.rule if price.rule in LIMITS else None), None
            position = store.catalog.positions[price.sku]
            shelf = None if shelves is None else shelves[position]
            if forecast is not None and shelf is not None:
                key = forecast, price.sku, shelf, price.price, price.rule
                limit, cost = answers[key] = answers.get(key) or _limit_and_cost(*key)
            if limit is not None:
                costs[title[limit]] += cost or 0.0
            if price.rule in LIMITS:
                won = title[price.rule]
                held[won] += 1
                unknown[won] += cost is None
                for lost in {title[limit] for limit in store.overruled[position]} - {won}:
                    conflicts.setdefault((won, lost), []).append(price)
    effects = tuple(RuleEffect(rule, held[rule.title], costs[rule.title], unknown[rule.title]) for rule in rules)
    conflicts_found = [Conflict(won, lost, tuple(prices)) for (won, lost), prices in conflicts.items()]
    return RulesNow(effects, tuple(sorted(conflicts_found, key=lambda conflict: -len(conflict.prices))), n_prices)


def _limit_and_cost(
    forecast: DayForecast, sku: str, shelf: OnShelf, price: float, rule: str
) -> tuple[str | None, float | None]:
    """Return which limit a product's day counts for, and what its limits cost until closing, EUR; None where unknown.

    Where no limit decides the price that stands next, EUR, that is the limit which decides most prices of the book.
    """
    states = forecast.book.of(forecast.skus.index(sku))
    limited = states.rule[states.prices != states.unconstrained]
    usual = forecast.book.rules[np.bincount(limited).argmax()] if len(limited) else None
    limit = rule if rule in LIMITS else usual
    free, day = forecast.day_of(sku, shelf, is_free=True), forecast.day_of(sku, shelf)
    if free is None or day is None or not day.demand.knows(price):
        return limit, None
    place = shelf.stock, shelf.tick
    if rule in CAPS:
        day = replace(day, prices=np.minimum(day.prices, price))
    kept = day.holding(price, *place) if rule in ORDERED else day.by_plan(*place)
    return limit, free.by_plan(*place).worth - kept.worth
