"""Make a price book: ask a policy in every state, and apply support and the static limits to what it asks for.

Limits that look at the price shown before wait for the store.
"""

import datetime as dt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Flags, Floats, Ints
from catalog.errors import ModelError
from catalog.load import Catalog
from catalog.pricing import LIMITS, Shelf
from serving.curves import DemandCurves, chance_at
from serving.guardrails import guarded_with_trail, limits_of
from serving.price_book.book import PriceBook
from serving.pricing_policy import Asked, PricingPolicy
from serving.support import support_of


def tabulate(
    policy: PricingPolicy,
    catalog: Catalog,
    published_at: dt.datetime,
    curves: DemandCurves | None = None,
    n_ticks: int | None = None,
) -> PriceBook:
    """Work a policy out for every stock level up to par and every number of ticks left, under the static limits.

    The ticks are those of a whole day, or the last `n_ticks` of one. The curves tell which products have support, and
    the chance of sale where a limit binds; without them all have it, and the chance is that of the policy's own price.

    Raises
    ------
    ModelError
        When a policy's price is not finite or leaves floor and ceiling: the whole book is refused and old prices stand.
    """
    levels = np.minimum(np.arange(int(catalog.par_stock.max()) + 1)[:, None], catalog.par_stock)
    support = None if curves is None else support_of(catalog, curves)
    own_rules = (*policy.rules, *(() if support is None else ("never_varied",)))
    answers = _ask_everywhere(policy, levels, n_ticks or catalog.store.opening.ticks)
    if support is not None:
        answers = [support.apply(answer, len(policy.rules)) for answer in answers]
    asked = _by_product([answer.prices for answer in answers])
    _refuse_impossible(asked, catalog)
    prices, clamps = _within_static_limits(catalog, asked, levels, len(own_rules) + 1)

    is_empty = (levels == 0).T
    p_asked = _by_product([answer.p_sale for answer in answers])
    p_asked[is_empty] = 0.0
    policy_rule = _by_product([answer.rule for answer in answers]).astype(np.int16)
    policy_rule[is_empty] = len(own_rules)
    rule = policy_rule.copy()
    rule.T.flat[clamps["decision"]] = clamps["rule"]
    rule[is_empty] = len(own_rules)
    return PriceBook(
        skus=catalog.skus,
        par_stock=catalog.par_stock,
        prices=prices,
        unconstrained=asked,
        p_sale=_chances_at(prices, asked, p_asked, is_empty, curves),
        p_unconstrained=p_asked,
        unit_value=_by_product([answer.unit_value for answer in answers]),
        rule=rule,
        policy_rule=policy_rule,
        rules=(*own_rules, "sold_out", *LIMITS),
        policy=policy.name,
        model_version=policy.model_version or "none",
        published_at=published_at,
    )


def _ask_everywhere(policy: PricingPolicy, levels: Ints, n_ticks: int) -> list[Asked]:
    """Ask at each number of ticks left, from 1 on; each stock level is one store, and an empty shelf asks as one unit.

    `levels` are units on the shelf, shape (n_levels, n_products).
    """
    nothing_shown, no_dice = np.full(levels.shape, np.nan), np.ones(levels.shape)
    return [
        policy.ask(Shelf(np.maximum(levels, 1), nothing_shown, ticks_left, no_dice))
        for ticks_left in range(1, n_ticks + 1)
    ]


def _by_product(by_tick: list[NDArray[Any]]) -> NDArray[Any]:
    """Return answers of shape (n_levels, n_products) at each tick as one array (n_products, n_levels, n_ticks)."""
    return np.stack([answer.T for answer in by_tick], axis=2)


def _within_static_limits(
    catalog: Catalog, asked: Floats, levels: Ints, first_rule: int
) -> tuple[Floats, NDArray[Any]]:
    """Return the prices that the static limits leave, in the shape of `asked`, and the changes as `CLAMP` records.

    A change points into the transposed prices, shape (n_ticks, n_levels, n_products).
    """
    nothing_shown = np.full(levels.shape, np.nan)
    shelf = Shelf(levels, nothing_shown, asked.shape[2], np.ones(levels.shape))
    limited, clamps = guarded_with_trail(limits_of(catalog), asked.T, shelf, None, first_rule)
    return np.ascontiguousarray(limited.T), clamps


def _chances_at(prices: Floats, asked: Floats, p_asked: Floats, is_empty: Flags, curves: DemandCurves | None) -> Floats:
    """Return the chance of sale at the limited prices: read from the curves where a limit changed the asked price.

    Arrays have shape (n_products, n_levels, n_ticks), `is_empty` (n_products, n_levels).
    """
    is_same = prices == asked
    if curves is None or is_same.all():
        return p_asked
    p_sale = np.where(is_same, p_asked, chance_at(curves.prices, curves.p_sale, prices.T).T)
    p_sale[is_empty] = 0.0
    return p_sale


def _refuse_impossible(prices: Floats, catalog: Catalog) -> None:
    for product, own in zip(catalog.products, prices, strict=True):
        bad = own[~((own >= product.floor) & (own <= product.ceiling))]
        if len(bad):
            raise ModelError(
                f"a price of {bad[0]} for {product.sku} is outside {product.floor} to {product.ceiling}; "
                "the whole price book is refused and old prices stand"
            )
