"""What shoppers would pay: a mixture of normals over personas, for a product with shoppers of its own or for the shelf.

A shopper would pay base price x multiplier for one unit. A product without personas of its own has the store's.
"""

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Ints
from catalog.load import Catalog
from catalog.records.shoppers import Persona
from simulation.draws import parts_of

Personas = tuple[Persona, ...]


def products_by_personas(catalog: Catalog) -> list[tuple[Personas, Ints]]:
    """Return each set of personas with the positions of the products whose shoppers it describes."""
    positions: dict[Personas, list[int]] = {}
    for position, product in enumerate(catalog.products):
        positions.setdefault(product.personas or catalog.store.personas, []).append(position)
    return [(personas, np.array(products)) for personas, products in positions.items()]


def multipliers(
    catalog: Catalog, product: NDArray[np.int16], persona: NDArray[np.float32], deviation: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Turn draws into budget multipliers: a persona by its share, then a normal around its mean.

    Parameters
    ----------
    product, persona, deviation
        Position of the product, a uniform number and a standard normal one for each visit, shape (n_visits,).
    """
    kinds = products_by_personas(catalog)
    if len(kinds) == 1:
        return _mixture(kinds[0][0], persona, deviation)
    drawn = np.empty(len(product), dtype=np.float32)
    for personas, products in kinds:
        own = np.isin(product, products)
        drawn[own] = _mixture(personas, persona[own], deviation[own])
    return drawn


def _mixture(personas: Personas, uniform: NDArray[np.float32], deviation: NDArray[np.float32]) -> NDArray[np.float32]:
    means = np.array([persona.mean for persona in personas], dtype=np.float32)
    deviations = np.array([persona.standard_deviation for persona in personas], dtype=np.float32)
    share_ends = np.cumsum([persona.share for persona in personas])[:-1]
    chosen = parts_of(share_ends, uniform)
    return means[chosen] + deviations[chosen] * deviation
