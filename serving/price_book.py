"""The price book: a policy worked out for every stock level and every time left, so that a quote is a look-up."""

import datetime as dt
import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from catalog.arrays import Floats, Ints
from catalog.errors import DataError, ModelError
from catalog.load import Catalog
from catalog.pricing import LIMITS, NO_CLAMPS, Policy, PriceDecision, Shelf
from catalog.tables.prices import PRICE_BOOK
from serving.curves import DemandCurves
from serving.exploration import chance_at
from serving.guardrails import guarded_with_trail, limits_of
from warehouse.columns import coded, constant, moments

_OWN_RULES = {"greedy": "greedy", "stock_aware": "stock_value"}


@dataclass(frozen=True)
class Quote:
    """The answer for one product: price, expected revenue and value of a unit kept (EUR), chance of sale, and the rule.

    `unit_value` is None where the policy does not value stock.
    """

    sku: str
    stock: int
    ticks_left: int
    price: float
    p_sale: float
    expected_revenue: float
    unit_value: float | None
    binding_rule: str
    model_version: str | None


@dataclass(frozen=True)
class PriceBook:
    """Prices by product, stock and time. Arrays have shape (n_products, n_levels, n_ticks).

    Level l holds the answer with l units on the shelf, and position t that with t + 1 ticks left. A level above a
    product's par repeats the answer at par.

    Attributes
    ----------
    prices, unconstrained
        Price to show under the static limits, and the policy's price before any limit, EUR.
    p_sale
        Chance of sale at the price; 0 with an empty shelf.
    unit_value
        Value of one more unit kept, EUR; NaN where the policy does not value stock.
    rule
        Index into `rules`.
    """

    skus: tuple[str, ...]
    par_stock: Ints
    prices: Floats
    unconstrained: Floats
    p_sale: Floats
    unit_value: Floats
    rule: NDArray[np.int16]
    rules: tuple[str, ...]
    policy: str
    model_version: str
    published_at: dt.datetime

    @cached_property
    def positions(self) -> dict[str, int]:
        """Position of each sku."""
        return {sku: position for position, sku in enumerate(self.skus)}

    def quote(self, sku: str, stock: int, ticks_left: int) -> Quote:
        """Look up one price.

        Raises
        ------
        DataError
            When the book does not hold the product, or stock or time cannot be.
        """
        product = self.positions.get(sku)
        n_levels, n_ticks = self.prices.shape[1:]
        if product is None:
            raise DataError(
                f"the price book made for {self.published_at:%Y-%m-%d} does not hold {sku!r}; price it again"
            )
        if stock < 0 or not 1 <= ticks_left <= n_ticks:
            raise DataError(
                f"expected a stock of at least 0 and 1 to {n_ticks} ticks left, "
                f"found {stock} units and {ticks_left} ticks"
            )
        cell = (product, min(stock, n_levels - 1), ticks_left - 1)
        price, chance = float(self.prices[cell]), float(self.p_sale[cell])
        unit_value = float(self.unit_value[cell])
        return Quote(
            sku,
            stock,
            ticks_left,
            price,
            chance,
            price * chance,
            None if math.isnan(unit_value) else unit_value,
            self.rules[self.rule[cell]],
            self.model_version,
        )

    def quotes(self, product: Ints, stock: Ints, ticks_left: Ints) -> tuple[Floats, Floats]:
        """Look up many prices at once: prices (EUR) and chances of sale, in the shape of the arguments."""
        _, n_levels, n_ticks = self.prices.shape
        cell = (product * n_levels + np.minimum(stock, n_levels - 1)) * n_ticks + (ticks_left - 1)
        return self.prices.ravel()[cell], self.p_sale.ravel()[cell]


def tabulate(
    policy: Policy, catalog: Catalog, published_at: dt.datetime, curves: DemandCurves | None = None
) -> PriceBook:
    """Work a policy out for every stock level up to par and every number of ticks left, under the static limits.

    Limits that look at the price shown before wait for the store. The curves tell the chance of sale where a limit
    binds; without them it stays that of the policy's own price.

    Raises
    ------
    ModelError
        When a policy's price is not finite or leaves floor and ceiling: the whole book is refused and old prices stand.
    """
    par = catalog.par_stock
    n_products, n_levels, n_ticks = len(par), int(par.max()) + 1, catalog.store.opening.ticks
    levels = np.minimum(np.arange(n_levels)[:, None], par)
    nothing_shown = np.full(levels.shape, np.nan)
    no_dice = np.ones(levels.shape)
    answers = [
        policy.decide(Shelf(np.maximum(levels, 1), nothing_shown, ticks_left, no_dice))
        for ticks_left in range(1, n_ticks + 1)
    ]

    def by_product(field: str) -> Floats:
        return np.stack([getattr(answer, field).T for answer in answers], axis=2)

    asked, p_sale, rule = by_product("prices"), by_product("p_sale"), by_product("rule").astype(np.int16)
    _refuse_impossible(asked, catalog)
    nothing = Shelf(levels, nothing_shown, n_ticks, no_dice)
    turned, clamps = guarded_with_trail(limits_of(catalog), asked.T, nothing, None, len(policy.rules) + 1)
    prices = np.ascontiguousarray(turned.T)
    rule.T.flat[clamps["decision"]] = clamps["rule"]
    if curves is not None and len(clamps):
        p_sale = np.where(prices == asked, p_sale, chance_at(curves.prices, curves.p_sale, turned).T)
    empty = (levels == 0).T
    p_sale[empty] = 0.0
    rule[empty] = len(policy.rules)
    assert prices.shape == (n_products, n_levels, n_ticks)  # noqa: S101 - the shape the docstring promises
    return PriceBook(
        skus=catalog.skus,
        par_stock=par,
        prices=prices,
        unconstrained=asked,
        p_sale=p_sale,
        unit_value=by_product("unit_value"),
        rule=rule,
        rules=(*policy.rules, "sold_out", *LIMITS),
        policy=policy.name,
        model_version=policy.model_version or "none",
        published_at=published_at,
    )


@dataclass(frozen=True)
class BookPolicy:
    """Ask for what a price book's policy asks for; the store's guardrails then limit it, with the price shown in view.

    Where a limit binds in the book, the book does not hold the chance of sale at the policy's own price: NaN.
    """

    book: PriceBook

    @property
    def name(self) -> str:
        """Name of the policy the book was made from."""
        return self.book.policy

    @property
    def model_version(self) -> str | None:
        """Registered model version behind the book."""
        return self.book.model_version

    @property
    def rules(self) -> tuple[str, ...]:
        """Rules of the policy the book was made from; the last stands where the book tells of a limit instead."""
        return (*self.book.rules, _OWN_RULES.get(self.book.policy, "base_price"))

    def decide(self, shelf: Shelf) -> PriceDecision:
        """Look every product up at its stock and time."""
        book = self.book
        product = np.broadcast_to(np.arange(len(book.skus)), shelf.stock.shape)
        cell = (product, np.minimum(shelf.stock, book.prices.shape[1] - 1), shelf.ticks_left - 1)
        return PriceDecision(
            prices=book.unconstrained[cell],
            propensity=np.ones(shelf.stock.shape),
            explored=np.zeros(shelf.stock.shape, dtype=bool),
            rule=self._rule[cell],
            p_sale=self._p_unconstrained[cell],
            unit_value=book.unit_value[cell],
            unconstrained=book.unconstrained[cell],
            clamp_cost=np.zeros(shelf.stock.shape),
            clamps=NO_CLAMPS,
        )

    @cached_property
    def _rule(self) -> Ints:
        is_limit = np.array([rule in LIMITS for rule in self.book.rules])
        return np.where(is_limit[self.book.rule], len(self.book.rules), self.book.rule).astype(np.int64)

    @cached_property
    def _p_unconstrained(self) -> Floats:
        return np.where(self.book.unconstrained == self.book.prices, self.book.p_sale, np.nan)


def book_to_table(book: PriceBook) -> pa.Table:
    """Return the book in the columns of `price_book`: each product up to its par stock."""
    n_products, n_levels, n_ticks = book.prices.shape
    level = np.broadcast_to(np.arange(n_levels)[None, :, None], book.prices.shape)
    kept = (level <= book.par_stock[:, None, None]).ravel()
    product = np.broadcast_to(np.arange(n_products)[:, None, None], book.prices.shape)
    ticks = np.broadcast_to(np.arange(1, n_ticks + 1), book.prices.shape)
    rows = int(kept.sum())
    columns = {
        "sku": coded(product.ravel()[kept], book.skus),
        "inventory_level": level.ravel()[kept].astype(np.int32),
        "ticks_left": ticks.ravel()[kept].astype(np.int16),
        "price": book.prices.ravel()[kept],
        "p_sale": book.p_sale.ravel()[kept],
        "expected_revenue": (book.prices * book.p_sale).ravel()[kept],
        "unit_value": pa.array(book.unit_value.ravel()[kept], from_pandas=True),
        "unconstrained_price": book.unconstrained.ravel()[kept],
        "binding_rule": coded(book.rule.ravel()[kept], book.rules),
        "policy": constant(book.policy, rows),
        "model_version": constant(book.model_version, rows),
        "published_at": moments(np.full(rows, round(book.published_at.timestamp() * 1_000_000))),
    }
    return pa.table(columns).cast(PRICE_BOOK.schema)


def book_from_table(table: pa.Table) -> PriceBook:
    """Return the book that a partition of `price_book` holds."""
    frame = table.to_pandas()
    codes, skus = pd.factorize(frame["sku"].astype(str))
    level, ticks = frame["inventory_level"].to_numpy(), frame["ticks_left"].to_numpy()
    par = frame.groupby(codes)["inventory_level"].max().to_numpy(dtype=np.int64)
    rule_codes, rules = pd.factorize(frame["binding_rule"].astype(str))
    shape = (len(skus), int(level.max()) + 1, int(ticks.max()))

    def filled(values: NDArray[np.float64]) -> Floats:
        grid = np.full(shape, np.nan)
        grid[codes, level, ticks - 1] = values
        for product, top in enumerate(par):
            grid[product, top + 1 :] = grid[product, top]
        return grid

    return PriceBook(
        skus=tuple(skus),
        par_stock=par,
        prices=filled(frame["price"].to_numpy()),
        unconstrained=filled(frame["unconstrained_price"].to_numpy()),
        p_sale=filled(frame["p_sale"].to_numpy()),
        unit_value=filled(frame["unit_value"].to_numpy()),
        rule=filled(rule_codes.astype(float)).astype(np.int16),
        rules=tuple(rules),
        policy=str(frame["policy"].iloc[0]),
        model_version=str(frame["model_version"].iloc[0]),
        published_at=frame["published_at"].iloc[0].to_pydatetime(),
    )


def _refuse_impossible(prices: Floats, catalog: Catalog) -> None:
    for product, own in zip(catalog.products, prices, strict=True):
        bad = own[~((own >= product.floor) & (own <= product.ceiling))]
        if len(bad):
            raise ModelError(
                f"a price of {bad[0]} for {product.sku} is outside {product.floor} to {product.ceiling}; "
                "the whole price book is refused and old prices stand"
            )
