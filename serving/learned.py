"""What is known of a business date before it begins: how demand answers to prices, and who will come."""

import datetime as dt
from typing import Protocol

import duckdb

from catalog.arrays import Floats
from catalog.load import Catalog
from features.footfall import expected_visits
from features.support import observed_prices
from serving.curves import DemandCurves, DemandModel, demand_curves
from serving.support import with_support


class DatedModel(DemandModel, Protocol):
    """A demand model that says from which days it learned."""

    @property
    def learned_from(self) -> dt.date | None:
        """First business date it learned from; None for all of them."""
        ...


def learned_for(
    connection: duckdb.DuckDBPyConnection, model: DatedModel, catalog: Catalog, date: dt.date
) -> tuple[DemandCurves, Floats]:
    """Ask a model for the demand curves, and the log up to the day before for prices observed and footfall.

    Returns
    -------
    tuple
        Curves that know which prices were observed, and visits expected per store day, shape (n_products, n_ticks).
    """
    through = date - dt.timedelta(days=1)
    asked = demand_curves(connection, model, catalog)
    curves = with_support(asked, observed_prices(connection, catalog, through, model.learned_from))
    return curves, expected_visits(connection, catalog, through)
