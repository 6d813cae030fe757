"""Play one business date of a group of stores, from opening to closing, under one policy."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.load import Catalog
from catalog.pricing import Policy, PriceDecision, Shelf
from catalog.store_day import StoreDay
from simulation.selling import sell_tick
from simulation.visits import Visits, draw_visits, opening_stock


def play(catalog: Catalog, policy: Policy, stores: Sequence[str], business_date: dt.date, seed: int) -> StoreDay:
    """Play one business date. Equal arguments give equal results, to the last bit."""
    return meet(catalog, policy, stores, business_date, draw_visits(catalog, stores, business_date, seed))


def meet(catalog: Catalog, policy: Policy, stores: Sequence[str], business_date: dt.date, visits: Visits) -> StoreDay:
    """Let given visits meet a policy's prices; this is how two policies are paired on the same shoppers."""
    n_ticks, n_stores, n_products = visits.dice.shape
    willing_price = catalog.base_prices.astype(np.float32)[visits.product] * visits.multiplier
    inventory = np.empty(visits.count, dtype=np.int32)
    outcome = np.empty(visits.count, dtype=np.int8)
    stock = np.tile(opening_stock(catalog, business_date), (n_stores, 1))
    stock_at_start = np.empty((n_ticks, n_stores, n_products), dtype=np.int64)
    opened_at = shown = np.full((n_stores, n_products), np.nan)
    answers: list[PriceDecision] = []
    for tick in range(n_ticks):
        stock_at_start[tick] = stock
        answer = policy.decide(Shelf(stock_at_start[tick], shown, n_ticks - tick, visits.dice[tick], opened_at))
        first, last = visits.starts[:, tick], visits.starts[:, tick + 1]
        sell_tick(first, last, visits.product, willing_price, answer.prices, stock, inventory, outcome)
        shown = answer.prices
        opened_at = shown if tick == 0 else opened_at
        answers.append(answer)
    decisions = _stack(answers)
    store, tick_of_visit = _store_and_tick_of_visits(visits, n_stores)
    cell = (tick_of_visit.astype(np.int64) * n_stores + store) * n_products + visits.product
    return StoreDay(
        business_date=business_date,
        stores=tuple(stores),
        policy=policy.name,
        model_version=policy.model_version,
        rules=policy.rules,
        store=store,
        product=visits.product,
        shopper=visits.shopper,
        tick=tick_of_visit,
        since_opening_us=visits.since_opening_us,
        price=decisions.prices.ravel()[cell],
        propensity=decisions.propensity.ravel()[cell],
        inventory=inventory,
        multiplier=visits.multiplier,
        outcome=outcome,
        decisions=decisions,
        stock=stock_at_start,
    )


def _stack(answers: list[PriceDecision]) -> PriceDecision:
    return PriceDecision(
        prices=np.stack([answer.prices for answer in answers]),
        propensity=np.stack([answer.propensity for answer in answers]),
        explored=np.stack([answer.explored for answer in answers]),
        rule=np.stack([answer.rule for answer in answers]),
        p_sale=np.stack([answer.p_sale for answer in answers]),
        unit_value=np.stack([answer.unit_value for answer in answers]),
        unconstrained=np.stack([answer.unconstrained for answer in answers]),
        clamp_cost=np.stack([answer.clamp_cost for answer in answers]),
        clamps=_clamps_of_the_day(answers),
    )


def _clamps_of_the_day(answers: list[PriceDecision]) -> NDArray[Any]:
    """Join the ticks' clamps; each decision's position is then that in the arrays of the whole day."""
    clamps = np.concatenate([answer.clamps for answer in answers])
    ticks = np.repeat(np.arange(len(answers)), [len(answer.clamps) for answer in answers])
    clamps["decision"] += ticks * answers[0].prices.size
    return clamps


def _store_and_tick_of_visits(visits: Visits, n_stores: int) -> tuple[NDArray[np.int32], NDArray[np.int16]]:
    n_ticks = len(visits.dice)
    counts = np.diff(visits.starts, axis=1)
    store = np.repeat(np.arange(n_stores, dtype=np.int32), counts.sum(axis=1))
    tick = np.repeat(np.tile(np.arange(n_ticks, dtype=np.int16), n_stores), counts.ravel())
    return store, tick
