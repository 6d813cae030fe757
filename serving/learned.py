"""What is known of a business date before it begins: how demand answers to prices, and who will come."""

import datetime as dt

import duckdb

from catalog.arrays import Floats
from catalog.load import Catalog
from features.footfall import expected_visits
from features.support import observed_prices
from serving.curves import DemandCurves, DemandModel, demand_curves
from serving.support import with_support


def learned_for(
    connection: duckdb.DuckDBPyConnection, model: DemandModel, catalog: Catalog, date: dt.date
) -> tuple[DemandCurves, Floats]:
    """Ask a model for the demand curves, and the log up to the day before for prices observed and footfall.

    Returns
    -------
    tuple
        Curves that know which prices were observed, and visits expected per store day, shape (n_products, n_ticks).
    """
    through = date - dt.timedelta(days=1)
    asked = demand_curves(connection, model, catalog)
    curves = with_support(asked, observed_prices(connection, catalog, through))
    return curves, expected_visits(connection, catalog, through)
