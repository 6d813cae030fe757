"""Demand curves: the champion's chance of sale at every candidate price of every product."""

from dataclasses import dataclass
from typing import Protocol

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from catalog.arrays import Flags, Floats
from catalog.contracts import DEMAND_CURVES
from catalog.ladder import price_ladder
from catalog.load import Catalog
from features.cells import model_input
from warehouse.columns import coded, constant

_BANDWIDTH = 1.0  # ladder steps
_NEARLY_SURE = 0.005  # a forest's 0 and 1 say no more than this


class DemandModel(Protocol):
    """What curves are asked from: a registered version that gives chances of sale for rows of features."""

    @property
    def version(self) -> str:
        """Registered version."""
        ...

    def p_sale(self, rows: pd.DataFrame) -> Floats:
        """Chance of sale, shape (n_rows,)."""
        ...


@dataclass(frozen=True)
class DemandCurves:
    """Candidate prices (EUR, ascending) and the chance of sale at each, shape (n_products, n_prices).

    `observed` flags candidates within the prices observed, of the same shape; None where all of them count as such.
    """

    skus: tuple[str, ...]
    prices: Floats
    p_sale: Floats
    model_version: str
    observed: Flags | None = None

    @property
    def supported(self) -> Flags:
        """Whether each candidate lies within the prices observed, shape (n_products, n_prices)."""
        return np.ones(self.prices.shape, dtype=bool) if self.observed is None else self.observed

    @property
    def has_support(self) -> Flags:
        """Whether any candidate of each product does, shape (n_products,)."""
        return np.asarray(self.supported.any(axis=1))

    @property
    def choosable(self) -> Flags:
        """Candidates a policy may choose among: the supported ones, all where none is, shape (n_products, n_prices)."""
        return self.supported | ~self.has_support[:, None]

    @property
    def expected_revenue(self) -> Floats:
        """Price x chance of sale, EUR per visit, shape (n_products, n_prices)."""
        return self.prices * self.p_sale


def demand_curves(connection: duckdb.DuckDBPyConnection, champion: DemandModel, catalog: Catalog) -> DemandCurves:
    """Ask the champion for the whole ladder at once, with features from the same SQL as in training.

    A champion that looks at stock is asked with the shelf full.
    """
    prices = price_ladder(catalog)
    n_prices = prices.shape[1]
    candidates = pd.DataFrame(
        {
            "sku": np.repeat(np.array(catalog.skus, dtype=object), n_prices),
            "price_offered": prices.ravel(),
            "inventory_level": np.repeat(catalog.par_stock, n_prices),
        }
    )
    chance = champion.p_sale(model_input(connection, candidates))
    return DemandCurves(catalog.skus, prices, smoothed(chance.reshape(prices.shape)), champion.version)


def smoothed(p_sale: Floats) -> Floats:
    """Smooth the staircase of a forest over the ladder, keeping it from rising with the price.

    Local-linear regression of the logit on the position, with a Gaussian kernel one ladder step wide: wide enough to
    take the steps out, narrow enough for demand with two peaks.

    Parameters
    ----------
    p_sale
        Chance of sale at ascending candidate prices, shape (n_products, n_prices).
    """
    chance = np.clip(p_sale, _NEARLY_SURE, 1 - _NEARLY_SURE)
    logit = np.log(chance / (1 - chance)) @ _local_linear_weights(p_sale.shape[1]).T
    return 1 / (1 + np.exp(-np.minimum.accumulate(logit, axis=1)))


def _local_linear_weights(n_prices: int) -> Floats:
    """Weights that turn values into their local-linear fit, shape (n_prices, n_prices)."""
    step = np.arange(n_prices)
    distance = step[None, :] - step[:, None]
    kernel = np.exp(-0.5 * (distance / _BANDWIDTH) ** 2)
    total = kernel.sum(axis=1, keepdims=True)
    first = (kernel * distance).sum(axis=1, keepdims=True)
    second = (kernel * distance**2).sum(axis=1, keepdims=True)
    return kernel * (second - first * distance) / (total * second - first**2)


def curves_to_table(curves: DemandCurves) -> pa.Table:
    """Return the curves in the columns of `demand_curves`."""
    n_products, n_prices = curves.prices.shape
    columns = {
        "sku": coded(np.repeat(np.arange(n_products), n_prices), curves.skus),
        "candidate": np.tile(np.arange(n_prices, dtype=np.int16), n_products),
        "price": curves.prices.ravel(),
        "p_sale": curves.p_sale.ravel(),
        "expected_revenue": curves.expected_revenue.ravel(),
        "supported": curves.supported.ravel(),
        "model_version": constant(curves.model_version, curves.prices.size),
    }
    return pa.table(columns).cast(DEMAND_CURVES.schema)


def curves_from_table(table: pa.Table) -> DemandCurves:
    """Return the curves that a partition of `demand_curves` holds."""
    frame = table.to_pandas()
    skus = tuple(str(sku) for sku in pd.unique(frame["sku"].astype(str)))
    shape = (len(skus), -1)
    return DemandCurves(
        skus,
        frame["price"].to_numpy().reshape(shape),
        frame["p_sale"].to_numpy().reshape(shape),
        str(frame["model_version"].iloc[0]),
        frame["supported"].to_numpy().reshape(shape),
    )
