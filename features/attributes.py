"""What a product is, as a forest takes it: category, brand, tier and tags as flags, base price and size as numbers."""

import numpy as np
import pandas as pd

from catalog.arrays import Flags
from catalog.load import Catalog
from catalog.records.product import Product

_KINDS = ["category", "brand", "tier"]
FEWEST_PRODUCTS = 12
"""Of fewer with sales, no forest tells a kind."""
FEWEST_STORES = 6
"""As of products."""


def attributes_of(catalog: Catalog) -> pd.DataFrame:
    """Return the attributes of each product: a row for each, by `sku`, all doubles.

    Each category, brand, tier and tag is a column of zeros and ones; base price and size are logarithms.
    """
    rows = pd.DataFrame([_of(product) for product in catalog.products], index=pd.Index(catalog.skus, name="sku"))
    return pd.get_dummies(rows, columns=_KINDS, prefix_sep=" ", dtype=float).fillna(0.0)


def attributes_of_stores(catalog: Catalog) -> pd.DataFrame:
    """Return the attributes of each store: a row for each, by id, and a column of zeros and ones for each tag."""
    chain = catalog.store
    rows = [{f"tag {tag}": 1.0 for tag in chain.tags.get(store, ())} for store in chain.stores]
    return pd.DataFrame(rows, index=pd.Index(chain.stores, name="store_id"), dtype=float).fillna(0.0)


def with_attributes(rows: pd.DataFrame, attributes: pd.DataFrame | None) -> pd.DataFrame:
    """Return rows that name a product by `sku` with its attributes as columns; zeros for a product that has none.

    Rows that tell the attributes already are returned as they are.
    """
    if attributes is None or set(attributes) <= set(rows):
        return rows
    place = attributes.index.get_indexer(pd.Index(rows["sku"].astype(object)))
    values = np.vstack([attributes.to_numpy(), np.zeros(attributes.shape[1])])[place]
    return pd.concat([rows, pd.DataFrame(values, columns=attributes.columns, index=rows.index)], axis=1)


def telling(attributes: pd.DataFrame, is_sold: Flags, fewest: int = FEWEST_PRODUCTS) -> pd.DataFrame | None:
    """Return the attributes of the products or stores with sales that tell some apart; None where there are none.

    Parameters
    ----------
    is_sold
        Whether each has sales to learn from, shape (n_rows,).
    fewest
        Rows with sales, of which fewer tell nothing.
    """
    sold = attributes.loc[is_sold]
    differing = sold.loc[:, sold.nunique() > 1]
    return None if len(sold) < fewest or differing.empty else differing


def _of(product: Product) -> dict[str, str | float | None]:
    amount, unit = product.measured
    return {
        "category": product.category,
        "brand": product.brand,
        "tier": product.tier,
        "base price": float(np.log(product.base_price)),
        f"size in {unit}": float(np.log(amount)),
    } | {f"tag {tag}": 1.0 for tag in product.tags}
