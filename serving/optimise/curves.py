"""Demand curves: the champion's chance of sale at every candidate price of every product."""

from dataclasses import dataclass, replace
from typing import Any, Protocol

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from catalog.arrays import Flags, Floats, Ints, rows_of_each
from catalog.ladder import price_ladder
from catalog.load import Catalog
from catalog.tables.contracts import TABLES
from features.cells import model_input
from warehouse.parquet import coded, constant


class DemandModel(Protocol):
    """What curves are asked from: a registered version that gives chances of sale for rows of features."""

    @property
    def version(self) -> str:
        """Registered version."""
        ...

    def p_sale(self, rows: pd.DataFrame) -> Floats:
        """Chance of sale, shape (n_rows,)."""
        ...


class Switching(Protocol):
    """How a shopper who found a product too dear chooses among its substitutes."""

    @property
    def substitutes(self) -> Flags:
        """Which products may be taken instead of which, shape (n_products, n_products)."""
        ...

    def chances(self, product: int, own_ratio: Floats, ratios: Floats) -> Floats:
        """Return the chance that each product is taken instead of one.

        Parameters
        ----------
        product
            Position of the product that she found too dear.
        own_ratio
            Its price over base price, shape (n,); infinite where it is sold out.
        ratios
            Those of all products, shape (n, n_products); infinite for one that is not on the shelf.

        Returns
        -------
        Floats
            Shape (n, n_products); 0 for what is no substitute.
        """
        ...


@dataclass(frozen=True)
class LogitSwitching:
    """A multinomial logit in price ratios: the weight of substitute j is exp(level - slope x (ratio of j - 1)).

    Implements `Switching`. A leaving shopper has the weight 1.
    """

    substitutes: Flags
    level: float
    slope: float

    def chances(self, product: int, own_ratio: Floats, ratios: Floats) -> Floats:  # noqa: ARG002 - who left is not told
        """Return the chance that each product is taken instead of one, as `Switching` says; whatever its own price."""
        others, chances = np.flatnonzero(self.substitutes[product]), np.zeros(ratios.shape)
        weights = np.exp(self.level - self.slope * (ratios[:, others] - 1))
        chances[:, others] = weights / (1 + weights.sum(axis=1, keepdims=True))
        return chances


@dataclass(frozen=True)
class DemandCurves:
    """Candidate prices (EUR, ascending) and the chance of sale at each, shape (n_products, n_prices).

    `observed` flags candidates within the prices observed, of the same shape; None where all of them count as such.
    `low` and `high` are the ends of the chance's 95 % interval, of the same shape; None where that is unknown.
    `by_tick` is the chance in each tick until closing, shape (n_ticks, n_products, n_prices), where it differs over the
    day; `p_sale` is then that of an average visit. None is the same chance all day.
    `switching` says how shoppers who find a product too dear take a substitute; None where nobody is known to.
    `beside` is what a visit brings at each candidate beside its own sale, EUR, of the same shape; None is nothing.
    """

    skus: tuple[str, ...]
    prices: Floats
    p_sale: Floats
    model_version: str
    observed: Flags | None = None
    low: Floats | None = None
    high: Floats | None = None
    by_tick: Floats | None = None
    switching: Switching | None = None
    beside: Floats | None = None

    def among(self, products: slice) -> "DemandCurves":
        """Return the curves of some products, without intervals and what they take from each other."""
        observed = None if self.observed is None else self.observed[products]
        by_tick = None if self.by_tick is None else self.by_tick[:, products]
        of_products = self.skus[products], self.prices[products], self.p_sale[products]
        return DemandCurves(*of_products, self.model_version, observed, by_tick=by_tick)

    def at(self, ticks_left: int) -> "DemandCurves":
        """Return the curves of the tick with so many left, itself included."""
        return self if self.by_tick is None else replace(self, p_sale=self.by_tick[-ticks_left], by_tick=None)

    def beside_at(self, prices: Floats) -> Floats | float:
        """Return what a visit brings beside its own sale at prices, EUR, shape (..., n_products); 0 for nothing."""
        return 0.0 if self.beside is None else chance_at(self.prices, self.beside, prices)

    @property
    def at_ticks(self) -> Floats:
        """The chance by tick where it differs over the day, else the one of all day."""
        return self.p_sale if self.by_tick is None else self.by_tick

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

    def p_sale_at(self, product: NDArray[np.integer[Any]], price: Floats) -> Floats:
        """Return the chance of sale of each visit at its price, shape (n_visits,); see `chance_at`.

        Parameters
        ----------
        product
            Position of each visit's product, shape (n_visits,).
        price
            Price it meets, EUR, shape (n_visits,).
        """
        chance = np.empty(len(price))
        visited, place = np.unique(product, return_inverse=True)
        for position, visits in zip(visited, rows_of_each(place, len(visited)), strict=True):
            chance[visits] = np.interp(price[visits], self.prices[position], self.p_sale[position])
        return chance


def chance_at(ladder: Floats, chances: Floats, prices: Floats) -> Floats:
    """Return the chance of sale at any prices: on straight lines between candidates, level beyond them.

    Parameters
    ----------
    ladder, chances
        Candidate prices, EUR, ascending, and the chance of sale at each, shape (n_products, n_prices).
    prices
        EUR, shape (..., n_products).
    """
    by_product = zip(np.moveaxis(prices, -1, 0), ladder, chances, strict=True)
    return np.stack([np.interp(*of_product) for of_product in by_product], axis=-1)


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
    return DemandCurves(catalog.skus, prices, chance.reshape(prices.shape), champion.version)


def curves_to_table(curves: DemandCurves) -> pa.Table:
    """Return the curves in the columns of `demand_curves`."""
    n_products, n_prices = curves.prices.shape
    columns = {
        "sku": coded(np.repeat(np.arange(n_products), n_prices), curves.skus),
        "candidate": np.tile(np.arange(n_prices, dtype=np.int16), n_products),
        "price": curves.prices.ravel(),
        "p_sale": curves.p_sale.ravel(),
        "expected_revenue": curves.expected_revenue.ravel(),
        "p_sale_low": _ends(curves.low, curves.prices.size),
        "p_sale_high": _ends(curves.high, curves.prices.size),
        "supported": curves.supported.ravel(),
        "model_version": constant(curves.model_version, curves.prices.size),
    }
    return pa.table(columns).cast(TABLES["demand_curves"].schema)


def _ends(values: Floats | None, size: int) -> pa.Array:
    return pa.nulls(size, pa.float64()) if values is None else pa.array(values.ravel(), from_pandas=True)


def curves_from_table(table: pa.Table) -> DemandCurves:
    """Return the curves that a partition of `demand_curves` holds."""
    n_prices = int(table["candidate"].to_numpy().max()) + 1
    prices, p_sale, supported, low, high = (
        table[name].to_numpy().reshape(-1, n_prices)
        for name in ("price", "p_sale", "supported", "p_sale_low", "p_sale_high")
    )
    skus = tuple(table["sku"].take(np.arange(0, len(table), n_prices)).to_pylist())
    ends = (None if np.isnan(end).any() else end for end in (low, high))
    return DemandCurves(skus, prices, p_sale, table["model_version"][0].as_py(), supported, *ends)


def chance_on_shelf(
    curves: DemandCurves | None, prices: Floats, stock: Ints, known_at: Floats, known: Floats
) -> Floats:
    """Return the chance of sale at prices: the one that is known where it is for this price, else the curves'.

    Parameters
    ----------
    curves
        Without a model, None: then nothing is known elsewhere, NaN.
    prices, stock
        EUR and units, shape (n_stores, n_products); an empty shelf sells nothing.
    known_at, known
        Prices with a known chance of sale, EUR, and that chance, NaN where it is not known, of the same shape.
    """
    p_sale = np.where(prices == known_at, known, np.nan)
    if curves is None or not (is_unknown := np.isnan(p_sale)).any():
        return p_sale
    return np.where(is_unknown, chance_at(curves.prices, curves.p_sale, prices) * (stock > 0), p_sale)
