"""Tabulate a policy: ask it in every state, apply support and the static limits, and write the book as rows.

Limits that look at the price shown before wait for the store.
"""

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from catalog.arrays import Flags, Floats, Ints
from catalog.errors import ModelError
from catalog.load import Catalog
from catalog.pricing import Shelf
from catalog.tables.prices import PRICE_BOOK
from serving.curves import DemandCurves, chance_at
from serving.guardrails import guarded_with_trail
from serving.limits import Limits, limits_of
from serving.price_book import PriceBook
from serving.pricing_policy import Asked, PricingPolicy
from serving.shelf_limits import support_of
from warehouse.parquet import coded, constant, moments


def book_to_table(book: PriceBook) -> pa.Table:
    """Return the book in the columns of `price_book`: each product up to its par stock."""
    n_products, n_levels, n_ticks = book.prices.shape
    level = np.broadcast_to(np.arange(n_levels)[None, :, None], book.prices.shape)
    kept = (level <= book.par_stock[:, None, None]).ravel()
    product = np.broadcast_to(np.arange(n_products)[:, None, None], book.prices.shape)
    ticks = np.broadcast_to(np.arange(1, n_ticks + 1), book.prices.shape)
    rows = int(kept.sum())
    binding_rule = coded(book.rule.ravel()[kept], book.rules)
    is_limited = not np.array_equal(book.rule, book.policy_rule)
    columns = {
        "sku": coded(product.ravel()[kept], book.skus),
        "inventory_level": level.ravel()[kept].astype(np.int32),
        "ticks_left": ticks.ravel()[kept].astype(np.int16),
        "price": book.prices.ravel()[kept],
        "p_sale": book.p_sale.ravel()[kept],
        "expected_revenue": (book.prices * book.p_sale).ravel()[kept],
        "unit_value": pa.array(book.unit_value.ravel()[kept], from_pandas=True),
        "unconstrained_price": book.unconstrained.ravel()[kept],
        "binding_rule": binding_rule,
        "policy_rule": coded(book.policy_rule.ravel()[kept], book.rules) if is_limited else binding_rule,
        "unconstrained_p_sale": _own_chances(book, kept),
        "policy": constant(book.policy, rows),
        "model_version": constant(book.model_version, rows),
        "published_at": moments(np.full(rows, round(book.published_at.timestamp() * 1_000_000))),
    }
    return pa.table(columns).cast(PRICE_BOOK.schema)


def book_from_table(table: pa.Table) -> PriceBook:
    """Return the book that a partition of `price_book` holds."""
    frame = table.to_pandas()
    column = frame["sku"].astype("category").cat  # a number for each row instead of a text
    codes, found = pd.factorize(column.codes.to_numpy())
    level, ticks = frame["inventory_level"].to_numpy(), frame["ticks_left"].to_numpy()
    par = frame.groupby(codes)["inventory_level"].max().to_numpy(dtype=np.int64)
    rule, policy_rule, rules = _rules_of(frame)
    price, unconstrained, p_sale = (frame[name].to_numpy() for name in ("price", "unconstrained_price", "p_sale"))
    p_own = frame["unconstrained_p_sale"].to_numpy(dtype=np.float64)
    skus = tuple(str(column.categories[code]) for code in found)
    shape = (len(skus), int(level.max()) + 1, int(ticks.max()))

    def filled(values: Floats | Ints) -> Floats:
        grid = np.full(shape, np.nan)
        grid[codes, level, ticks - 1] = values
        for product, top in enumerate(par):
            grid[product, top + 1 :] = grid[product, top]
        return grid

    return PriceBook(
        skus=skus,
        par_stock=par,
        prices=filled(price),
        unconstrained=filled(unconstrained),
        p_sale=filled(p_sale),
        p_unconstrained=filled(np.where(np.isnan(p_own) & (price == unconstrained), p_sale, p_own)),
        unit_value=filled(frame["unit_value"].to_numpy()),
        rule=filled(rule).astype(np.int16),
        policy_rule=filled(policy_rule).astype(np.int16),
        rules=rules,
        policy=str(frame["policy"].iloc[0]),
        model_version=str(frame["model_version"].iloc[0]),
        published_at=frame["published_at"].iloc[0].to_pydatetime(),
    )


def _own_chances(book: PriceBook, kept: NDArray[np.bool_]) -> pa.Array:
    """Return the chance of sale at the policy's price where a limit changed it, else null."""
    own = np.where(book.prices == book.unconstrained, np.nan, book.p_unconstrained)
    return pa.array(own.ravel()[kept], from_pandas=True)


def _rules_of(frame: pd.DataFrame) -> tuple[Ints, Ints, tuple[str, ...]]:
    """Return the binding rule and the policy's rule of each row as positions in a tuple of names, and that tuple.

    A book older than the column of the policy's rule tells the binding rule alone.
    """
    rules: dict[str, int] = {}

    def positions(name: str) -> Ints:
        column = frame[name].cat
        codes, found = pd.factorize(column.codes.to_numpy())
        names = column.categories.tolist()
        words = [str(names[code]) if code >= 0 else "" for code in found]
        return np.array([rules.setdefault(word, len(rules)) if word else -1 for word in words])[codes]

    binding, own = positions("binding_rule"), positions("policy_rule")
    return binding, np.where(own < 0, binding, own), tuple(rules)


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
    limits = limits_of(catalog)
    prices, clamps = _within_static_limits(limits, asked, levels, len(own_rules) + 1)

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
        par_stock=catalog.most_stock,
        prices=prices,
        unconstrained=asked,
        p_sale=_chances_at(prices, asked, p_asked, is_empty, curves),
        p_unconstrained=p_asked,
        unit_value=_by_product([answer.unit_value for answer in answers]),
        rule=rule,
        policy_rule=policy_rule,
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
    """Return answers of shape (n_levels, n_products) at each tick as one array (n_products, n_levels, n_ticks)."""
    return np.stack([answer.T for answer in by_tick], axis=2)


def _within_static_limits(limits: Limits, asked: Floats, levels: Ints, first_rule: int) -> tuple[Floats, NDArray[Any]]:
    """Return the prices that the static limits leave, in the shape of `asked`, and the changes as `CLAMP` records.

    A change points into the transposed prices, shape (n_ticks, n_levels, n_products).
    """
    nothing_shown = np.full(levels.shape, np.nan)
    shelf = Shelf(levels, nothing_shown, asked.shape[2], np.ones(levels.shape))
    limited, clamps = guarded_with_trail(limits, asked.T, shelf, None, first_rule)
    return np.ascontiguousarray(limited.T), clamps


def limited_ladder(catalog: Catalog, ladder: Floats) -> Floats:
    """Return what the static limits make of each candidate price, EUR, shape (n_products, n_prices)."""
    levels = np.broadcast_to(catalog.most_stock, ladder.T.shape)
    return _within_static_limits(limits_of(catalog), ladder[:, :, None], levels, 0)[0][:, :, 0]


def _chances_at(prices: Floats, asked: Floats, p_asked: Floats, is_empty: Flags, curves: DemandCurves | None) -> Floats:
    """Return the chance of sale at the limited prices: read from the curves where a limit changed the asked price.

    Arrays have shape (n_products, n_levels, n_ticks), `is_empty` (n_products, n_levels).
    """
    is_same = prices == asked
    if curves is None or is_same.all():
        return p_asked
    if curves.by_tick is None:
        elsewhere = chance_at(curves.prices, curves.p_sale, prices.T)
    else:
        ticks = enumerate(prices.T, start=1)
        elsewhere = np.stack([chance_at(curves.prices, curves.at(left).p_sale, own) for left, own in ticks])
    p_sale = np.where(is_same, p_asked, elsewhere.T)
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
