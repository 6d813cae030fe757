"""True demand: the twin's chance of a sale, known in closed form. Every model and policy is judged against it.

It is that of a first visit. A shopper who waits and looks again buys with another chance, which depends on the prices
since (`etl.twin.selling`); where `waiting_share` is above 0, it is therefore not quite that of a logged decision.
"""

import datetime as dt
from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr

from catalog.arrays import Floats, Ints
from catalog.load import Catalog
from etl.twin.draws import Personas, products_by_personas
from etl.twin.visits import budget_shifts_on, expected_visits_on, stores_alike

_FARTHEST, _STEPS = 5.0, 100
"""Of the multipliers of shoppers: standard deviations from a mean, and steps in which they are added up."""


def chance_of_sale(
    catalog: Catalog, price_ratio: Floats, budget_shift: Floats | float = 0.0, product: Ints | None = None
) -> Floats:
    """P(buy) with stock on the shelf: the personas' mixture of P(multiplier >= price / base price).

    Parameters
    ----------
    price_ratio
        Price over base price, any shape.
    budget_shift
        Shift of everyone's multiplier, broadcast against `price_ratio`.
    product
        Position of the product on the shelf, broadcast against `price_ratio`; None is one whose shoppers are the
        store's own personas.
    """
    ratio = np.asarray(price_ratio) - budget_shift
    kinds = products_by_personas(catalog)
    if product is None or len(kinds) == 1:
        return _mixture(catalog.store.personas if product is None else kinds[0][0], ratio)
    chance, of_product = np.empty_like(ratio, dtype=float), np.broadcast_to(product, ratio.shape)
    for personas, products in kinds:
        own = np.isin(of_product, products)
        chance[own] = _mixture(personas, ratio[own])
    return chance


def chance_of_switch(
    catalog: Catalog, product: int, own_ratio: Floats, ratios: Floats, budget_shift: float = 0.0
) -> Floats:
    """P(takes a substitute) of a shopper who found a product too dear, each substitute apart.

    It is the logit of `etl.twin.substitutes`, averaged over the multipliers of those who do not pay the product's own
    price, in steps of equal width.

    Parameters
    ----------
    product
        Position of the product she came for.
    own_ratio
        Its price over base price, shape (n,); infinite where it is sold out.
    ratios
        Those of the products on the shelf, shape (n, n_products); infinite for one that is sold out.
    budget_shift
        Shift of everyone's multiplier.

    Returns
    -------
    Floats
        Shape (n, n_products); 0 for what is no substitute.
    """
    rules, personas = catalog.store.substitution, catalog.products[product].personas or catalog.store.personas
    low = min(own.mean - _FARTHEST * own.standard_deviation for own in personas) + budget_shift
    high = max(own.mean + _FARTHEST * own.standard_deviation for own in personas) + budget_shift
    edges = np.linspace(low, high, _STEPS + 1)
    below = 1 - chance_of_sale(catalog, np.minimum(edges, own_ratio[:, None]), budget_shift, np.array(product))
    share = np.diff(below, axis=1)
    share /= np.maximum(share.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    others, chances = np.flatnonzero(catalog.substitutes[product]), np.zeros(ratios.shape)
    value = (edges[:-1] + edges[1:])[:, None] / 2 - ratios[:, None, others]
    weights = rules.strength * np.exp(value / rules.noise)
    chances[:, others] = (share[:, :, None] * weights / (1 + weights.sum(axis=2, keepdims=True))).sum(axis=1)
    return chances


def chance_on(catalog: Catalog, business_date: dt.date, price_ratio: Floats, store: str | None = None) -> Floats:
    """P(buy) on a date, its shocks and effects included.

    Parameters
    ----------
    price_ratio
        Price over base price, shape (n_products, n_prices).
    store
        Whose demand it is; None is a store that no effect names.

    Returns
    -------
    Floats
        Probabilities, shape (n_products, n_prices); on a date on which they differ by tick, with that axis first,
        (n_ticks, n_products, n_prices).
    """
    shifts = budget_shifts_on(catalog, business_date, store)
    shifts = shifts[0] if (shifts == shifts[0]).all() else shifts
    products = np.arange(len(catalog.products))[:, None]
    ratio = np.broadcast_to(price_ratio, (*shifts.shape, price_ratio.shape[1]))
    return chance_of_sale(catalog, ratio, shifts[..., None], products)


def mean_chance_on(catalog: Catalog, business_date: dt.date, price_ratio: Floats) -> Floats:
    """P(buy) on a date of an average visit in all stores of the catalog, where each price stands all day.

    Shapes are those of `chance_on`, without an axis of ticks.
    """
    examples, group = stores_alike(catalog, catalog.store.stores)
    counts, chances = np.bincount(group), [chance_on(catalog, business_date, price_ratio, own) for own in examples]
    if len(chances) == 1 and chances[0].ndim == 2:  # noqa: PLR2004 - products x prices
        return chances[0]
    visits = [
        count * expected_visits_on(catalog, business_date, own) for count, own in zip(counts, examples, strict=True)
    ]
    return chance_of_average_visit(list(zip(visits, chances, strict=True)))


def chance_of_average_visit(groups: Sequence[tuple[Floats, Floats]]) -> Floats:
    """P(buy) of an average visit among groups of visits, shape (n_products, n_prices).

    Parameters
    ----------
    groups
        Of each, mean visits, shape (n_products, n_ticks), and P(buy) as `chance_on` gives it.
    """
    bought = sum(np.einsum("pt,tpk->pk", v, np.broadcast_to(p, (v.shape[1], *p.shape[-2:]))) for v, p in groups)
    return np.asarray(bought / np.maximum(sum(v.sum(axis=1) for v, _ in groups), np.finfo(float).tiny)[:, None])


def _mixture(personas: Personas, ratio: Floats) -> Floats:
    chance = np.zeros_like(ratio, dtype=float)
    for persona in personas:
        chance += persona.share * ndtr((persona.mean - ratio) / persona.standard_deviation)
    return chance
