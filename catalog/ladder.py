"""The price ladder: each product's candidate prices, among which every price is chosen."""

import numpy as np

from catalog.arrays import Floats
from catalog.load import Catalog

_NOISE = 1e-6  # steps of a ladder, of decimals kept as binary


def price_ladder(catalog: Catalog, owners: Floats | None = None) -> Floats:
    """Return candidate prices, EUR, ascending from floor to ceiling, shape (n_products, n_prices).

    They are evenly spaced from the floor to the owner's price and from there to the ceiling, in steps as alike as can
    be; those below it are not the longer ones, since a cent is more of a lower price. Prices are whole smallest units
    of the currency within floor and ceiling; a cheap product may have one price twice.

    Parameters
    ----------
    owners
        The owner's price of each product, EUR, shape (n_products,); None for base prices.
    """
    digits, floors, ceilings = catalog.store.money.digits, *_bounds(catalog)
    exact = exact_ladder(catalog, catalog.store.ladder_prices, owners)
    return np.clip(np.round(exact, digits), floors[:, None], ceilings[:, None])


def exact_ladder(catalog: Catalog, count: int, owners: Floats | None = None) -> Floats:
    """Return a ladder of so many prices before they are rounded, EUR, shape (n_products, count); see `price_ladder`."""
    floors, ceilings = _bounds(catalog)
    middle, last = np.clip(catalog.base_prices if owners is None else owners, floors, ceilings), count - 1
    share = np.divide(middle - floors, ceilings - floors, out=np.zeros(len(middle)), where=ceilings > floors)
    below = np.clip(np.ceil(share * last - _NOISE), middle > floors, last - (middle < ceilings)).astype(np.int64)
    exact = np.stack(
        [
            np.interp(np.arange(count), [0, place, last], [floor, price, ceiling])
            for place, floor, price, ceiling in zip(below, floors, middle, ceilings, strict=True)
        ]
    )
    exact[:, 0] = floors  # where two prices leave no room between the ends
    return exact


def _bounds(catalog: Catalog) -> tuple[Floats, Floats]:
    floors, ceilings = zip(*((product.floor, product.ceiling) for product in catalog.products), strict=True)
    return np.array(floors), np.array(ceilings)
