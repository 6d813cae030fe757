"""The prices that were really observed, from the demand cells."""

import datetime as dt

import numpy as np
import pyarrow as pa

from catalog.load import CLASSIC, load
from catalog.settings import Settings
from catalog.tables.contracts import TABLES
from etl.load import load_dimensions
from features.cells import feature_workbench
from features.footfall import observed_prices
from warehouse.lake import Lake, Partition

DAYS = [dt.date(2026, 1, 5) + dt.timedelta(days=day) for day in range(3)]


def cells(rows: list[tuple[str, float]]) -> pa.Table:
    skus, prices = zip(*rows, strict=True)
    return pa.table(
        {
            "sku": pa.array(skus, pa.string()).dictionary_encode(),
            "price_offered": list(prices),
            "price_ratio": list(prices),
            "inventory_level": list(range(len(rows))),
            "n_offered": [1] * len(rows),
            "n_purchased": [0] * len(rows),
        },
        schema=TABLES["demand_cells"].schema,
    )


def test_the_range_of_a_product_is_that_of_its_offers_up_to_the_date(settings: Settings) -> None:
    catalog, lake = load(CLASSIC), Lake(settings)
    lake.prepare()
    load_dimensions(lake, catalog, ["Ann Lee"])
    days = ([("MILK", 1.2), ("MEAT", 7.0)], [("MILK", 1.5), ("MILK", 1.4), ("BEER", 9.0)], [("MILK", 2.0)])
    for day, rows in zip(DAYS, days, strict=True):
        lake.publish(Partition("demand_cells", day, "all"), cells(rows), inputs="1")
    with feature_workbench(settings) as connection:
        found = observed_prices(connection, catalog, DAYS[1])
    nothing = [np.nan, np.nan]
    np.testing.assert_array_equal(found, [[1.2, 1.5], nothing, nothing, nothing, [7.0, 7.0]])
