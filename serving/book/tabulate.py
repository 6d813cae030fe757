"""Tabulate a policy: ask it in every state, and apply support and the static limits.

Limits that look at the price shown before wait for the store.
"""

import datetime as dt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Floats, Ints
from catalog.decisions.pricing import Shelf
from catalog.errors import ModelError
from catalog.load import Catalog
from serving.book.book import BookedStates, PriceBook
from serving.limits.guardrails import guarded_with_trail
from serving.limits.limits import Limits, limits_of
from serving.limits.on_a_shelf import support_of
from serving.optimise.curves import DemandCurves, chance_at
from serving.optimise.policies import Asked, PricingPolicy


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
    asked, p_asked, policy_rule, unit_value = (
        np.stack([getattr(answer, name) for answer in answers]) for name in ("prices", "p_sale", "rule", "unit_value")
    )  # shape (n_ticks, n_levels, n_products)
    _refuse_impossible(asked, catalog)
    is_empty, sold_out, limits = np.broadcast_to(levels == 0, asked.shape), len(own_rules), limits_of(catalog)
    p_asked, policy_rule = np.where(is_empty, 0.0, p_asked), np.where(is_empty, sold_out, policy_rule)
    by_row, clamps = _within_static_limits(limits, asked.reshape(-1, asked.shape[2]), ticks, sold_out + 1)
    prices, rule, p_sale = by_row.reshape(asked.shape), policy_rule.copy(), p_asked
    rule.flat[clamps["decision"]] = clamps["rule"]
    changed = (prices != asked) & ~is_empty
    if curves is not None and changed.any():
        at = [chance_at(curves.prices, curves.at(left).p_sale, own) for left, own in enumerate(prices, start=1)]
        p_sale = np.where(changed, np.stack(at), p_asked)
    rules = np.where(is_empty, sold_out, rule).astype(np.int16), policy_rule.astype(np.int16)
    states = prices, asked, p_sale, p_asked, unit_value, *rules
    return PriceBook(
        skus=catalog.skus,
        par_stock=catalog.most_stock,
        states=BookedStates._make(np.ascontiguousarray(own.transpose(2, 0, 1)) for own in states),
        rules=(*own_rules, "sold_out", *limits.rules),
        policy=policy.name,
        model_version=policy.model_version or "none",
        published_at=published_at,
    )


def _ask_everywhere(
    policy: PricingPolicy, levels: Ints, n_ticks: int, date: dt.date, opened_with: Ints | None, sticker: Floats | None
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


def _within_static_limits(limits: Limits, asked: Floats, n_ticks: int, first_rule: int) -> tuple[Floats, NDArray[Any]]:
    """Return what static limits leave of prices, EUR, shape (n_rows, n_products), and the changes as `CLAMP` records.

    They look at no stock, so each row is as good as a shelf of its own.
    """
    shelf = Shelf(np.ones(asked.shape, dtype=np.int64), np.full(asked.shape, np.nan), n_ticks, np.ones(asked.shape))
    return guarded_with_trail(limits, asked, shelf, None, first_rule)


def limited_ladder(catalog: Catalog, ladder: Floats) -> Floats:
    """Return what the static limits make of each candidate price, EUR, shape (n_products, n_prices)."""
    return np.ascontiguousarray(_within_static_limits(limits_of(catalog), ladder.T, 1, 0)[0].T)


def _refuse_impossible(prices: Floats, catalog: Catalog) -> None:
    floors, ceilings = np.array([(product.floor, product.ceiling) for product in catalog.products]).T
    bad = np.argwhere(~((prices >= floors) & (prices <= ceilings)))
    if len(bad):
        at = tuple(bad[bad[:, 2].argmin()])
        product = catalog.products[at[2]]
        raise ModelError(
            f"a price of {prices[at]} for {product.sku} is outside {product.floor} to {product.ceiling}; the whole "
            "price book is refused and old prices stand"
        )
