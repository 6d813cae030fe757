"""What is found about each product's response to the price, and what follows for its chances of sale.

Its support is the prices at which it was really offered; beyond them a model only guesses.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import duckdb
import numpy as np
import pandas as pd

from catalog.arrays import Flags, Floats
from catalog.load import Catalog
from features.cells import query


def observed_prices(
    connection: duckdb.DuckDBPyConnection, catalog: Catalog, through: dt.date, since: dt.date | None = None
) -> Floats:
    """Return the lowest and highest price observed with stock up to a date, EUR, shape (n_products, 2).

    NaN for a product that was never offered. With `since`, only offers from that date on count: a model knows nothing
    about prices from before the days it learned from.
    """
    return _ranges(connection, catalog, through, since, "observed_prices")


def own_prices(
    connection: duckdb.DuckDBPyConnection, catalog: Catalog, through: dt.date, since: dt.date | None = None
) -> Floats:
    """Return the same for the prices that our own policies showed, without exported decisions."""
    return _ranges(connection, catalog, through, since, "own_prices")


def _ranges(
    connection: duckdb.DuckDBPyConnection, catalog: Catalog, through: dt.date, since: dt.date | None, name: str
) -> Floats:
    observed = np.full((len(catalog.skus), 2), np.nan)
    positions = {sku: position for position, sku in enumerate(catalog.skus)}
    span = {"first": since or dt.date.min, "through": through}
    for sku, lowest, highest in connection.execute(query(name), span).fetchall():
        if sku in positions:
            observed[positions[sku]] = lowest, highest
    return observed


VerdictWord = Literal["told", "too thin", "too confounded"]
_SURE = 1 - 1e-9  # a chance of sale stays below 1


@dataclass(frozen=True)
class Slope:
    """Change per unit of log price, with its 95 % interval: of log odds from visits, of log sales from counts.

    For counts this is the price elasticity. For visits the elasticity is slope x (1 - chance of sale), so where few
    buy, both are the same. `spread` is the standard deviation of the log price that the effects leave unexplained;
    `p_value` is two-sided, against no response.
    """

    estimate: float
    lower: float
    upper: float
    error: float
    spread: float
    p_value: float


@dataclass(frozen=True)
class PriceResponse:
    """What the exported data say about one product's response.

    Attributes
    ----------
    decisions, purchases
        Visits and purchases looked at; for counts store days (or hours) and units. Days on promotion are left out.
    naive, estimate, strict
        Without effects; with effects of stores, weeks and days of the week; and the strict estimate, which compares a
        store with the others on the same day and with itself. None where the data give no estimate.
    verdict
        `told`: sales fall with the price, and nothing found speaks against it. `too thin`: no response is possible
        too, or there are too few data. `too confounded`: price cannot be told from what moved with it.
    why
        The verdict's reason, in words.
    is_count
        Whether these are sales counts, with no visits behind them.
    """

    sku: str
    decisions: int
    purchases: int
    naive: Slope | None
    estimate: Slope | None
    strict: Slope | None
    verdict: VerdictWord
    why: str
    is_count: bool = False

    def as_record(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return asdict(self)

    @property
    def interval(self) -> tuple[float, float]:
        """The lowest and highest slope that the estimate or the strict one leaves possible; NaN without both."""
        if self.estimate is None or self.strict is None:
            return np.nan, np.nan
        return min(self.estimate.lower, self.strict.lower), max(self.estimate.upper, self.strict.upper)


def response_from_record(record: dict[str, Any]) -> PriceResponse:
    """Return the response that `as_record` wrote."""
    slopes = {name: record[name] and Slope(**record[name]) for name in ("naive", "estimate", "strict")}
    return PriceResponse(**record | slopes)


def told_skus(responses: Sequence[PriceResponse]) -> tuple[str, ...]:
    """Return the products whose response can be told."""
    return tuple(response.sku for response in responses if response.verdict == "told")


@dataclass(frozen=True)
class ToldSlopes:
    """The told responses of some products, arrays of shape (n_skus,); NaN where nothing is told.

    `lowest` and `highest` are the ends of the interval that both estimates leave. `is_count` says whether a slope
    multiplies sales, or the odds of a purchase.
    """

    slope: Floats
    lowest: Floats
    highest: Floats
    is_count: Flags

    @property
    def is_told(self) -> Flags:
        """Which products have a told response."""
        return np.isfinite(self.slope)


def slopes_of(responses: Sequence[PriceResponse], skus: Sequence[str]) -> ToldSlopes:
    """Return the told responses in the order of `skus`, which may repeat."""
    told = {
        own.sku: (own.estimate.estimate, *own.interval) for own in responses if own.verdict == "told" and own.estimate
    }
    counted = {own.sku for own in responses if own.is_count}
    found = np.array([told.get(sku, (np.nan,) * 3) for sku in skus], dtype=float).reshape(-1, 3)
    slope, lowest, highest = found.T
    return ToldSlopes(slope, lowest, highest, np.array([sku in counted for sku in skus], dtype=bool))


def with_response(at_base: Floats, price_ratio: Floats, slope: Floats, *, is_count: Flags | bool = False) -> Floats:
    """Return chances of sale that respond to the price by a slope, from the chance at the base price.

    A model of exported data confounds the price with its stores and weeks. So its level is used, but not its slope.
    The odds of a purchase are multiplied by ratio ** slope; where the chance stands for counted sales, the chance
    itself is. All arrays broadcast to one shape.
    """
    change = price_ratio**slope
    odds = at_base / (1 - at_base) * change
    by_count = np.minimum(at_base * change, _SURE)
    return np.asarray(np.where(is_count, by_count, odds / (1 + odds)), dtype=float)


def at_base_price(cells: pd.DataFrame) -> pd.DataFrame:
    """Return cells as they would be at the base price."""
    return cells.assign(price_offered=cells["price_offered"] / cells["price_ratio"], price_ratio=1.0)
