"""The twin's weather: where its shoppers heed it, it is known like a forecast, through the day after the newest sold.

What somebody announced of a date stands.
"""

import datetime as dt
import hashlib
from typing import Any

import pyarrow as pa

from catalog.load import Catalog
from catalog.tables.context import WEATHER
from etl.announced import ANNOUNCING, COMMIT
from simulation.conditions import heeds_temperature, temperature_on
from warehouse.lake import Lake, Partition
from warehouse.locks import waited_for
from warehouse.origin import origin_of
from warehouse.sold import sold_dates

_PART = Partition(WEATHER.name, None, "all")
_ONE_DAY = dt.timedelta(days=1)


def tell_weather(lake: Lake, catalog: Catalog) -> None:
    """Publish the temperature of each date that was sold, and of the day after, where it is not known.

    Nothing happens in a retailer's lake, or where no demand effect depends on the temperature.
    """
    if not heeds_temperature(catalog) or origin_of(lake.store) != "twin" or not _missing(lake):
        return
    with waited_for(lake.locks, ANNOUNCING):
        rows = _known(lake)
        rows += [
            {"date": date, "store_id": None, "temperature": round(temperature_on(catalog, date), 1)}
            for date in _missing(lake)
        ]
        rows.sort(key=lambda row: (row["date"], row["store_id"] or ""))
        with lake.commit(COMMIT, inputs=hashlib.sha256(repr(rows).encode()).hexdigest()) as commit:
            commit.publish(_PART, pa.Table.from_pylist(rows, schema=WEATHER.schema))


def _missing(lake: Lake) -> list[dt.date]:
    sold = set(sold_dates(lake))
    known = {row["date"] for row in _known(lake)}
    return sorted((sold | {date + _ONE_DAY for date in sold}) - known)


def _known(lake: Lake) -> list[dict[str, Any]]:
    return lake.read(_PART).to_pylist() if lake.receipt(_PART) else []
