"""A price book as rows of the table `price_book`, and back."""

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from catalog.arrays import Floats, Ints
from catalog.tables.prices import PRICE_BOOK
from serving.price_book.book import PriceBook
from warehouse.columns import coded, constant, moments


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
