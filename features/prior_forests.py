"""What a registered version says before a sale: forests of what products are, what days are, and what stores are.

Each says by how much log odds differ from the usual. What they learned from is predicted by the trees that did not see
it (out of bag: Breiman, "Random forests", Machine Learning, 2001), as if it were new.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from catalog.arrays import Floats, Ints

_MOST_VALUES = 12  # of a column, at which it is shown what that adds


@dataclass(frozen=True)
class ProductForest:
    """A forest of product attributes.

    Attributes
    ----------
    columns
        Attributes that it looks at, as `features.attributes.attributes_of` names them.
    skus
        Products that it learned from, in the order of its rows.
    scale
        By which its two outputs, level and slope in price ratio, are multiplied to be log odds, shape (2,).
    """

    columns: tuple[str, ...]
    skus: tuple[str, ...]
    scale: Floats
    forest: Any

    def lines(self, attributes: pd.DataFrame) -> Floats:
        """Return level and slope of each product around the mean of the shelf, log odds, shape (n_products, 2).

        Parameters
        ----------
        attributes
            Rows of `attributes_of`.
        """
        learned = np.asarray(self.forest.oob_prediction_)
        lines = self.forest.predict(attributes.reindex(columns=list(self.columns), fill_value=0.0).to_numpy())
        place = pd.Index(self.skus).get_indexer(attributes.index)
        lines[place >= 0] = learned[place[place >= 0]]
        return np.asarray((lines - learned.mean(axis=0)) * self.scale)


@dataclass(frozen=True)
class DayForest:
    """A forest of the context of days.

    Attributes
    ----------
    columns
        What it looks at, as `features.context` names it.
    dates
        Business dates that it learned from, as in ISO 8601, in the order of its rows.
    seen
        The context of these, shape (n_dates, n_columns).
    skus
        Products that it speaks of, in the order of its outputs.
    """

    columns: tuple[str, ...]
    dates: tuple[str, ...]
    seen: Floats
    skus: tuple[str, ...]
    forest: Any

    def levels(self, days: pd.DataFrame, skus: Sequence[str]) -> Floats:
        """Return the level of each product on each day around its usual one, log odds, shape (n_products, n_days).

        A product that it does not know has the mean level of those that it knows.

        Parameters
        ----------
        days
            The context of some days by `business_date`, with the columns.
        """
        learned = np.asarray(self.forest.oob_prediction_).reshape(len(self.dates), -1)
        known = days.reindex(columns=list(self.columns), fill_value=0.0).to_numpy(dtype=float)
        levels = self.forest.predict(known).reshape(len(days), -1)
        place = _places(self.dates, [date.isoformat()[:10] for date in days.index])
        levels[place >= 0] = learned[place[place >= 0]]
        levels -= learned.mean(axis=0)
        output = _places(self.skus, skus)
        return np.where(output[:, None] >= 0, levels.T[output], levels.mean(axis=1))

    def partial_dependence(self) -> dict[str, tuple[Floats, Floats]]:
        """Return what each column adds, the mean over products and days, log odds: its values, and that at each."""
        usual, added = self.forest.predict(self.seen).mean(), dict[str, tuple[Floats, Floats]]()
        for place, name in enumerate(self.columns):
            values = np.unique(self.seen[:, place][np.isfinite(self.seen[:, place])])
            values = values[np.unique(np.linspace(0, len(values) - 1, _MOST_VALUES).astype(np.int64))]
            with_value = np.tile(self.seen, (len(values), 1))
            with_value[:, place] = np.repeat(values, len(self.seen))
            added[name] = values, self.forest.predict(with_value).reshape(len(values), -1).mean(axis=1) - usual
        return added


@dataclass(frozen=True)
class StoreForest:
    """A forest of store attributes.

    Attributes
    ----------
    columns
        Attributes that it looks at, as `features.attributes.attributes_of_stores` names them.
    stores
        Stores that it learned from, in the order of its rows.
    """

    columns: tuple[str, ...]
    stores: tuple[str, ...]
    forest: Any

    def levels(self, attributes: pd.DataFrame) -> Floats:
        """Return the level of each store around the mean of stores, log odds, shape (n_stores,).

        Parameters
        ----------
        attributes
            Rows of `attributes_of_stores`.
        """
        learned = np.asarray(self.forest.oob_prediction_)
        levels = self.forest.predict(attributes.reindex(columns=list(self.columns), fill_value=0.0).to_numpy())
        place = _places(self.stores, list(attributes.index))
        levels[place >= 0] = learned[place[place >= 0]]
        return np.asarray(levels - learned.mean())


def _places(names: Sequence[str], wanted: Sequence[str]) -> Ints:
    """Return the position of each wanted name among some names, -1 where it is not among these."""
    return np.asarray(pd.Index(names).get_indexer(pd.Index(wanted)))


_Forest = TypeVar("_Forest", ProductForest, DayForest, StoreForest)


@dataclass(frozen=True)
class PriorForests:
    """The forests of a version; None where too little was sold, or nothing tells products, days or stores apart.

    `attributes` are those of products that its classifier looks at, by `sku`; None where it looks at products one-hot.
    """

    products: ProductForest | None = None
    days: DayForest | None = None
    stores: StoreForest | None = None
    attributes: pd.DataFrame | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing and holds nothing."""
        return all(part is None for part in vars(self).values())

    def plain(self) -> dict[str, dict[str, Any] | None]:
        """Return all as plain values and forests, as they are stored."""
        forests = ("products", self.products), ("days", self.days), ("stores", self.stores)
        plain = {name: None if forest is None else _plain(forest) for name, forest in forests}
        return plain | {"attributes": None if self.attributes is None else _table(self.attributes)}

    @classmethod
    def from_plain(cls, stored: Mapping[str, Mapping[str, Any] | None]) -> "PriorForests":
        """Read what `plain` returned."""
        table = stored["attributes"]
        attributes = None
        if table is not None:
            attributes = pd.DataFrame(table["values"], columns=table["columns"], index=pd.Index(table["skus"]))
        forests = _read(stored["products"], ProductForest), _read(stored["days"], DayForest)
        return cls(*forests, _read(stored["stores"], StoreForest), attributes)


def _plain(forest: ProductForest | DayForest | StoreForest) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in vars(forest).items()}


def _table(attributes: pd.DataFrame) -> dict[str, Any]:
    return {"skus": list(attributes.index), "columns": list(attributes.columns), "values": attributes.to_numpy()}


def _read(stored: Mapping[str, Any] | None, kind: type[_Forest]) -> _Forest | None:
    if stored is None:
        return None
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()
    }
    return kind(**values)


NO_PRIOR = PriorForests()
"""Of a version that says nothing beforehand."""
