"""What a model looks at, as its classifier takes it: doubles, and each product told by a column of zeros and ones.

Rows name their product by `sku`. Columns are made when a classifier is asked, of the rows it is asked about: a frame
with a column for each product of a chain would hold thousands of zeros for each of its numbers. Where `sku` comes from
the lake, it is of a categorical type that lists the shelf, so a model of another shelf is told from one of this.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from catalog.arrays import Ints

_COLUMN = "sku_"


def columns_of(skus: Iterable[str]) -> tuple[str, ...]:
    """Return the names of the columns of some products."""
    return tuple(f"{_COLUMN}{sku}" for sku in skus)


def tells_product(feature: str) -> bool:
    """Return whether a feature is the column of a product."""
    return feature.startswith(_COLUMN)


def one_of_each(columns: Sequence[str]) -> pd.DataFrame:
    """Return a row of each product that has a column, and a last one of none of them."""
    return pd.DataFrame({"sku": [*(name.removeprefix(_COLUMN) for name in columns), ""]})


def missing_in(rows: pd.DataFrame, features: Iterable[str]) -> list[str]:
    """Return the features that rows do not tell: columns that are not there, and products that are not on the shelf."""
    shelf: set[str] = set()
    if "sku" in rows:
        sku = rows["sku"]
        shelf.update(columns_of(sku.cat.categories if isinstance(sku.dtype, pd.CategoricalDtype) else sku.unique()))
    return [name for name in features if name not in rows.columns and name not in shelf]


def position_of(rows: pd.DataFrame, columns: Sequence[str]) -> Ints:
    """Return the position of each row's product among some columns, their number where it has none, shape (n_rows,)."""
    if set(columns) <= set(rows.columns):
        flags = rows[list(columns)].to_numpy(dtype=float)
        return np.where(flags.any(axis=1), flags.argmax(axis=1) if columns else 0, len(columns))
    places = {name: place for place, name in enumerate(columns)}
    code, skus = pd.factorize(rows["sku"])
    return np.array([places.get(name, len(columns)) for name in columns_of(skus)], dtype=np.int64)[code]


def input_of(rows: pd.DataFrame, features: Sequence[str]) -> pd.DataFrame:
    """Return the features of rows in their order, all double, made in one piece of memory.

    Raises
    ------
    KeyError
        When rows have neither a feature nor the product it tells of.
    """
    X = np.zeros((len(rows), len(features)), order="F")
    made = [place for place, name in enumerate(features) if name not in rows.columns and tells_product(name)]
    for place in np.setdiff1d(np.arange(len(features)), made):
        X[:, place] = rows[features[place]]
    if made:
        position = position_of(rows, [features[place] for place in made])
        has_column = np.flatnonzero(position < len(made))
        X[has_column, np.array(made)[position[has_column]]] = 1.0
    return pd.DataFrame(X, columns=list(features), copy=False)
