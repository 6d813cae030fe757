"""What is found about each product's response to the price, and the prices at which it was really offered."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import duckdb
import numpy as np

from catalog.arrays import Floats
from catalog.load import Catalog
from features.cells import query


def observed_prices(
    connection: duckdb.DuckDBPyConnection, catalog: Catalog, through: dt.date, since: dt.date | None = None
) -> Floats:
    """Return the lowest and highest price observed with stock up to a date, EUR, shape (n_products, 2).

    NaN for a product that was never offered. With `since`, only offers from that date on count: a model knows nothing
    about prices from before the days it learned from.
    """
    observed = np.full((len(catalog.skus), 2), np.nan)
    positions = catalog.positions
    span = {"first": since or dt.date.min, "through": through}
    for sku, lowest, highest in connection.execute(query("observed_prices"), span).fetchall():
        if sku in positions:
            observed[positions[sku]] = lowest, highest
    return observed


VerdictWord = Literal["told", "too thin", "too confounded"]
Evidence = Literal["log", "design", "refuted design"]
"""What a response is told by: an ordinary log, a declared draw, or a log whose declared draw the data refute."""


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
    by
        What it is told by.
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
    by: Evidence = "log"

    def as_record(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return asdict(self)


def told_skus(responses: Sequence[PriceResponse]) -> tuple[str, ...]:
    """Return the products whose response can be told."""
    return tuple(response.sku for response in responses if response.verdict == "told")
