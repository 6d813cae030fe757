"""A price book as one array of all states: the form of earlier versions, against which steps are held."""

import datetime as dt
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from catalog.arrays import Floats
from catalog.load import Catalog
from catalog.pricing import Shelf
from catalog.tables.prices import PRICE_BOOK
from serving.curves import DemandCurves, chance_at
from serving.guardrails import guarded_with_trail
from serving.limits import limits_of
from serving.price_book import PriceBook
from serving.pricing_policy import PricingPolicy
from serving.shelf_limits import support_of


class DenseBook(NamedTuple):
    """What holds in each state, shape (n_products, n_levels, n_ticks); rules by name."""

    prices: Floats
    unconstrained: Floats
    p_sale: Floats
    p_unconstrained: Floats
    unit_value: Floats
    rule: np.ndarray
    policy_rule: np.ndarray


def dense_book(policy: PricingPolicy, catalog: Catalog, curves: DemandCurves | None, date: dt.date) -> DenseBook:
    """Ask a policy in every state, and apply support and every static limit to each answer."""
    levels = np.minimum(np.arange(int(catalog.most_stock.max()) + 1)[:, None], catalog.most_stock)
    nothing, no_dice, stock = np.full(levels.shape, np.nan), np.ones(levels.shape), np.maximum(levels, 1)
    ticks = range(1, catalog.store.opening.ticks + 1)
    answers = [policy.ask(Shelf(stock, nothing, left, no_dice, business_date=date)) for left in ticks]
    support = None if curves is None else support_of(catalog, curves)
    if support is not None:
        answers = [support.apply(answer, len(policy.rules)) for answer in answers]
    own_rules = (*policy.rules, *(() if support is None else ("never_varied",)))

    def by_product(name: str) -> np.ndarray:
        return np.stack([getattr(answer, name).T for answer in answers], axis=2)

    asked, limits = by_product("prices"), limits_of(catalog)
    shelf = Shelf(levels, nothing, asked.shape[2], no_dice)
    limited, clamps = guarded_with_trail(limits, asked.T, shelf, None, len(own_rules) + 1)
    prices, is_empty = np.ascontiguousarray(limited.T), (levels == 0).T
    policy_rule = by_product("rule").astype(np.int64)
    policy_rule[is_empty] = len(own_rules)
    rule = policy_rule.copy()
    rule.T.flat[clamps["decision"]] = clamps["rule"]
    rule[is_empty] = len(own_rules)
    p_asked = by_product("p_sale")
    p_asked[is_empty] = 0.0
    p_sale = p_asked
    if curves is not None:
        at = [chance_at(curves.prices, curves.at(left).p_sale, prices[:, :, left - 1].T).T for left in ticks]
        p_sale = np.where(prices == asked, p_asked, np.stack(at, axis=2))
        p_sale[is_empty] = 0.0
    names = np.array([*own_rules, "sold_out", *limits.rules])
    return DenseBook(prices, asked, p_sale, p_asked, by_product("unit_value"), names[rule], names[policy_rule])


def as_dense(book: PriceBook) -> DenseBook:
    """Return what a book holds in all states."""
    *arrays, rule, policy_rule = book.of()
    names = np.array(book.rules)
    return DenseBook(*arrays, names[rule], names[policy_rule])


def dense_table(book: PriceBook) -> pa.Table:
    """Return a book in the columns of `price_book`, as earlier versions wrote it: each product up to its par stock."""
    dense, levels = as_dense(book), np.arange(book.n_levels)
    product, level, tick = np.nonzero(
        np.broadcast_to((levels <= book.par_stock[:, None])[:, :, None], dense.prices.shape)
    )
    own = {name: values[product, level, tick] for name, values in dense._asdict().items()}
    is_limited = own["prices"] != own["unconstrained"]
    columns = {
        "sku": np.array(book.skus)[product],
        "inventory_level": level.astype(np.int32),
        "ticks_left": (tick + 1).astype(np.int16),
        "price": own["prices"],
        "p_sale": own["p_sale"],
        "expected_revenue": own["prices"] * own["p_sale"],
        "unit_value": pa.array(own["unit_value"], from_pandas=True),
        "unconstrained_price": own["unconstrained"],
        "binding_rule": own["rule"],
        "policy_rule": own["policy_rule"],
        "unconstrained_p_sale": pa.array(np.where(is_limited, own["p_unconstrained"], np.nan), from_pandas=True),
        "policy": [book.policy] * len(product),
        "model_version": [book.model_version] * len(product),
        "published_at": [book.published_at] * len(product),
    }
    return pa.table(columns).cast(PRICE_BOOK.schema)
