"""A price book and its curves on another shelf than the one that they were made for.

Products that went are left out. New ones stand at their base price, and nothing is known of their demand.
"""

from dataclasses import replace

import numpy as np

from catalog.arrays import Ints
from catalog.load import Catalog
from catalog.price_ladder import price_ladder
from serving.curves import DemandCurves
from serving.limited_steps import Limited
from serving.price_book import PriceBook, joined
from serving.price_steps import NO_VALUE, Steps, as_small


def match_to_shelf(catalog: Catalog, book: PriceBook, curves: DemandCurves) -> tuple[PriceBook, DemandCurves]:
    """Return the book and its curves for exactly the products of a catalog."""
    if book.skus == catalog.skus and curves.skus == catalog.skus:
        return book, curves
    return _match_book(catalog, book), _match_curves(catalog, curves)


def _match_book(catalog: Catalog, book: PriceBook) -> PriceBook:
    new = [position for position, sku in enumerate(catalog.skus) if sku not in book.positions]
    found = joined([book, *([_at_base_prices(catalog, np.array(new), book)] if new else [])])
    own = found.take(np.array([found.positions[sku] for sku in catalog.skus]))
    return replace(own, par_stock=catalog.par_stock, rules=(*own.rules, *(() if new else ("unknown_product",))))


def _at_base_prices(catalog: Catalog, new: Ints, book: PriceBook) -> PriceBook:
    """Return a book of products of which nothing is known: one step each, at any stock and at any time."""
    at, nothing = np.arange(len(new) + 1), np.full(len(new), np.nan)
    base, rule, chance_from = catalog.base_prices[new], np.zeros(len(new), dtype=np.int16), at.astype(np.int32)
    everywhere = np.zeros(len(new) * book.n_ticks, dtype=np.uint8)
    ones, ticks = as_small(np.ones(len(new), dtype=np.int16), np.full(len(new), book.n_ticks))
    steps = Steps(at, at * book.n_ticks, ones, ticks, everywhere, np.full_like(everywhere, NO_VALUE), base)
    return replace(
        book,
        skus=tuple(catalog.skus[position] for position in new.tolist()),
        par_stock=catalog.par_stock[new],
        steps=steps,
        prices=base,
        rule=rule,
        policy_rule=rule,
        chance_from=chance_from,
        p_sale=nothing,
        limited=Limited.among(base, base, chance_from, nothing),
        rules=("unknown_product",),
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
