"""A price book and its curves on another shelf than the one that they were made for.

Products that went are left out. New ones stand at their base price, and nothing is known of their demand.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Floats
from catalog.load import Catalog
from catalog.price_ladder import price_ladder
from serving.curves import DemandCurves
from serving.price_book import PriceBook


def match_to_shelf(catalog: Catalog, book: PriceBook, curves: DemandCurves) -> tuple[PriceBook, DemandCurves]:
    """Return the book and its curves for exactly the products of a catalog."""
    if book.skus == catalog.skus and curves.skus == catalog.skus:
        return book, curves
    return _match_book(catalog, book), _match_curves(catalog, curves)


def _match_book(catalog: Catalog, book: PriceBook) -> PriceBook:
    position = np.array([book.positions.get(sku, -1) for sku in catalog.skus])
    is_new = (position < 0)[:, None, None]
    base = np.broadcast_to(catalog.base_prices[:, None, None], (len(position), *book.prices.shape[1:]))

    def known(values: NDArray[np.float64], otherwise: Floats | float) -> Floats:
        return np.where(is_new, otherwise, values[position])

    return replace(
        book,
        skus=catalog.skus,
        par_stock=catalog.par_stock,
        prices=known(book.prices, base),
        unconstrained=known(book.unconstrained, base),
        p_sale=known(book.p_sale, np.nan),
        p_unconstrained=known(book.p_unconstrained, np.nan),
        unit_value=known(book.unit_value, np.nan),
        rule=np.where(is_new, len(book.rules), book.rule[position]).astype(np.int16),
        policy_rule=np.where(is_new, len(book.rules), book.policy_rule[position]).astype(np.int16),
        rules=(*book.rules, "unknown_product"),
    )


def _match_curves(catalog: Catalog, curves: DemandCurves) -> DemandCurves:
    """Products that are new get the shelf's ladder, as many prices as the others have, and no chance of sale."""
    ladder = price_ladder(catalog)
    n_prices = curves.prices.shape[1]
    spread = np.linspace(0, ladder.shape[1] - 1, n_prices).round().astype(np.int64)
    prices, p_sale = ladder[:, spread], np.full((len(catalog.skus), n_prices), np.nan)
    observed = np.zeros(prices.shape, dtype=bool)
    for own, sku in enumerate(catalog.skus):
        if sku in curves.skus:
            known = curves.skus.index(sku)
            prices[own], p_sale[own], observed[own] = (
                curves.prices[known],
                curves.p_sale[known],
                curves.supported[known],
            )
    return replace(curves, skus=catalog.skus, prices=prices, p_sale=p_sale, observed=observed)
