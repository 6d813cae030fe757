"""Tabulate a policy: ask it in every state, apply support and the static limits, and keep the steps.

Limits that look at the price shown before wait for the store.
"""

import datetime as dt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Floats, Ints
from catalog.errors import ModelError
from catalog.load import Catalog
from catalog.pricing import Shelf
from serving.curves import DemandCurves, chance_at
from serving.guardrails import guarded_with_trail
from serving.limited_steps import Limited
from serving.limits import Limits, limits_of
from serving.price_book import PriceBook
from serving.price_steps import Steps
from serving.pricing_policy import Asked, PricingPolicy
from serving.shelf_limits import support_of
from serving.steps_of_states import steps_of


def tabulate(
    policy: PricingPolicy,
    catalog: Catalog,
    published_at: dt.datetime,
    curves: DemandCurves | None = None,
    n_ticks: int | None = None,
    opened_with: Ints | None = None,
    on: dt.date | None = None,
    sticker: Floats | None = None,
) -> PriceBook:
    """Work a policy out for every stock level up to par and every number of ticks left, under the static limits.

    The ticks are those of a whole day, or the last `n_ticks` of one. The curves tell which products have support, and
    the chance of sale where a limit binds; without them all have it, and the chance is that of the policy's own price.
    Where stock lives on, `opened_with` are the units at the day's opening by the days on which they may be sold, shape
    (n_products, n_lives), and `on` is the date; by default all are new, and it is the date for which it is published.
    `sticker` are the stickers that are stuck, EUR, shape (n_products,), NaN for none; None before that is decided.
    Units that carry one are taken to sell before all others.

    Raises
    ------
    ModelError
        When a policy's price is not finite or leaves floor and ceiling: the whole book is refused and old prices stand.
    """
    levels = np.minimum(np.arange(int(catalog.most_stock.max()) + 1)[:, None], catalog.most_stock)
    support = None if curves is None else support_of(catalog, curves)
    own_rules = (*policy.rules, *(() if support is None else ("never_varied",)))
    ticks = n_ticks or catalog.store.opening.ticks
    answers = _ask_everywhere(policy, levels, ticks, on or published_at.date(), opened_with, sticker)
    if support is not None:
        answers = [support.apply(answer, len(policy.rules)) for answer in answers]
    asked = _by_product([answer.prices for answer in answers])
    _refuse_impossible(asked, catalog)
    is_empty = np.broadcast_to((levels == 0).T[:, None], asked.shape)
    p_asked = np.where(is_empty, 0.0, _by_product([answer.p_sale for answer in answers]))
    sold_out = len(own_rules)
    policy_rule = np.where(is_empty, sold_out, _by_product([answer.rule for answer in answers])).astype(np.int32)
    unit_value = _by_product([answer.unit_value for answer in answers])
    steps, states = steps_of(asked, policy_rule, p_asked, unit_value, catalog.most_stock)

    limits, of_step = limits_of(catalog), states[steps.begin[:-1]]
    unconstrained, own_rule = asked.ravel()[of_step], policy_rule.ravel()[of_step].astype(np.int16)
    grid = _Grid(steps.first_step)
    limited, clamps = _within_static_limits(limits, grid.filled(unconstrained), ticks, sold_out + 1)
    rule = grid.filled(own_rule)
    rule.flat[clamps["decision"]] = clamps["rule"]
    prices, p_own = grid.read(limited), p_asked.ravel()[states]
    changed = np.repeat((prices != unconstrained) & (own_rule != sold_out), steps.lengths)
    p_sale = p_own
    if curves is not None and changed.any():
        p_sale = np.where(changed, _chances_at(curves, steps, grid, limited), p_own)
    chance_from, chances = steps.told_once(p_sale, p_own)
    return PriceBook(
        skus=catalog.skus,
        par_stock=catalog.most_stock,
        n_ticks=ticks,
        steps=steps,
        prices=prices,
        rule=np.where(own_rule == sold_out, own_rule, grid.read(rule)),
        policy_rule=own_rule,
        chance_from=chance_from,
        p_sale=p_sale[chances],
        limited=Limited.among(prices, unconstrained, chance_from, p_own[chances]),
        rules=(*own_rules, "sold_out", *limits.rules),
        policy=policy.name,
        model_version=policy.model_version or "none",
        published_at=published_at,
    )


def _ask_everywhere(
    policy: PricingPolicy,
    levels: Ints,
    n_ticks: int,
    date: dt.date,
    opened_with: Ints | None,
    sticker: Floats | None,
) -> list[Asked]:
    """Ask at each number of ticks left, from 1 on; each stock level is one store, and an empty shelf asks as one unit.

    `levels` are units on the shelf, shape (n_levels, n_products).
    """
    nothing_shown, no_dice, stock = np.full(levels.shape, np.nan), np.ones(levels.shape), np.maximum(levels, 1)
    opened = None if opened_with is None else opened_with[None]
    stuck = None if sticker is None else np.broadcast_to(sticker, levels.shape)
    return [
        policy.ask(Shelf(stock, nothing_shown, left, no_dice, opened_with=opened, business_date=date, sticker=stuck))
        for left in range(1, n_ticks + 1)
    ]


def _by_product(by_tick: list[NDArray[Any]]) -> NDArray[Any]:
    """Return answers of shape (n_levels, n_products) at each tick as one array (n_products, n_ticks, n_levels)."""
    return np.stack([answer.T for answer in by_tick], axis=1)


class _Grid:
    """Steps as a grid of shape (n_rows, n_products), in which a product with fewer ones repeats its first."""

    def __init__(self, first_step: NDArray[np.int64]) -> None:
        counts = np.diff(first_step)
        row = np.arange(counts.max())[:, None]
        self._step = first_step[:-1] + np.where(row < counts, row, 0)
        self._place = (row < counts).T

    def filled(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return what is given for each step as a grid."""
        return values[self._step]

    def read(self, grid: NDArray[Any]) -> NDArray[Any]:
        """Return what a grid says of each step."""
        return grid.T[self._place]


def _within_static_limits(limits: Limits, asked: Floats, n_ticks: int, first_rule: int) -> tuple[Floats, NDArray[Any]]:
    """Return what static limits leave of prices, EUR, shape (n_rows, n_products), and the changes as `CLAMP` records.

    They look at no stock, so each row is as good as a shelf of its own.
    """
    shelf = Shelf(np.ones(asked.shape, dtype=np.int64), np.full(asked.shape, np.nan), n_ticks, np.ones(asked.shape))
    return guarded_with_trail(limits, asked, shelf, None, first_rule)


def limited_ladder(catalog: Catalog, ladder: Floats) -> Floats:
    """Return what the static limits make of each candidate price, EUR, shape (n_products, n_prices)."""
    return np.ascontiguousarray(_within_static_limits(limits_of(catalog), ladder.T, 1, 0)[0].T)


def _chances_at(curves: DemandCurves, steps: Steps, grid: _Grid, prices: Floats) -> Floats:
    """Return the chance of sale of each threshold at the price of its step, read from the curves.

    `prices` are those of the steps, EUR, shape (n_rows, n_products).
    """
    step = np.repeat(np.arange(len(steps.first_tick)), steps.lengths)
    if curves.by_tick is None:
        return grid.read(chance_at(curves.prices, curves.p_sale, prices))[step]
    left, found = steps.first_tick[step] + np.arange(len(step)) - steps.begin[step], np.empty(len(step))
    for tick in range(1, int(left.max()) + 1):
        own = left == tick
        found[own] = grid.read(chance_at(curves.prices, curves.at(tick).p_sale, prices))[step[own]]
    return found


def _refuse_impossible(prices: Floats, catalog: Catalog) -> None:
    floors, ceilings = np.array([(product.floor, product.ceiling) for product in catalog.products]).T[:, :, None, None]
    bad = ~((prices >= floors) & (prices <= ceilings))
    if bad.any():
        place = int(bad.any(axis=(1, 2)).argmax())
        product = catalog.products[place]
        raise ModelError(
            f"a price of {prices[place][bad[place]][0]} for {product.sku} is outside {product.floor} to "
            f"{product.ceiling}; the whole price book is refused and old prices stand"
        )
