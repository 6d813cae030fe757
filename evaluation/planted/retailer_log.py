"""What a planted world sells, and the file that a retailer would export of it, in each of the three grains."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

from catalog.arrays import Ints
from evaluation.planted.planted_world import VISITS, PlantedWorld
from own_data.exports.columns import Grain

FIRST_DAY = dt.date(2025, 1, 6)
"""A Monday."""
_OPENS, _OPEN_SECONDS = 8 * 3600, 12 * 3600  # of the day, UTC
_LINES_A_RECEIPT = 3
_SPREAD = 0.3  # of the rate of sale about its mean, as a share: counts vary by more than a Poisson's
_PAIRS = 0.2  # share of the pairs of units that go over the till as one line


@dataclass(frozen=True)
class PlantedSales:
    """What was sold, arrays in the shape of `PlantedWorld.price`.

    Attributes
    ----------
    exposure
        Visits to the product, or 1 where the log counts units and no visits.
    sold
        Visits that bought, or units.
    """

    exposure: Ints
    sold: Ints


def sales_of(world: PlantedWorld, grain: Grain, rng: np.random.Generator) -> PlantedSales:
    """Sell every day of a world: visits buy by chance, units by a rate that varies from day to day."""
    if grain != "visits":
        varied = rng.gamma(_SPREAD**-2, _SPREAD**2, world.price.shape)
        return PlantedSales(np.ones(world.price.shape, dtype=np.int64), rng.poisson(world.rate() * varied))
    visits = rng.poisson(VISITS / world.price.shape[3], world.price.shape)
    return PlantedSales(visits, rng.binomial(visits, world.chance()))


def write_log(file: Path, world: PlantedWorld, sales: PlantedSales, grain: Grain, rng: np.random.Generator) -> None:
    """Write the CSV of a grain: a row per visit, per line of a receipt as paid, or per store, product and day."""
    columns = {"visits": _visits, "receipts": _receipts, "units": _units}[grain](world, sales, rng)
    pyarrow.csv.write_csv(pa.table(columns), file)


def last_day(world: PlantedWorld) -> dt.date:
    """Return the last business date of a world's log."""
    return FIRST_DAY + dt.timedelta(days=world.price.shape[1] - 1)


def _visits(world: PlantedWorld, sales: PlantedSales, rng: np.random.Generator) -> dict[str, pa.Array]:
    cell = np.repeat(np.arange(sales.exposure.size), sales.exposure.ravel())
    first = np.cumsum(sales.exposure.ravel()) - sales.exposure.ravel()
    bought = np.arange(len(cell)) - first[cell] < sales.sold.ravel()[cell]
    moment = _moments(world, cell, rng.integers(0, _OPEN_SECONDS, len(cell)))
    return {"visited_at": moment} | _what(world, cell, "shelf_price") | {"bought": pa.array(bought.astype(np.int8))}


def _receipts(world: PlantedWorld, sales: PlantedSales, rng: np.random.Generator) -> dict[str, pa.Array]:
    units = sales.sold.ravel()
    pairs = rng.binomial(units // 2, _PAIRS)
    lines = units - pairs
    cell = np.repeat(np.arange(units.size), lines)
    quantity = 1 + (np.arange(len(cell)) - (np.cumsum(lines) - lines)[cell] < pairs[cell])
    per_store_day = world.price.shape[2] * world.price.shape[3]
    day, n_days = cell // per_store_day, world.price.shape[0] * world.price.shape[1]
    receipts = np.bincount(day, minlength=n_days) // _LINES_A_RECEIPT + 1
    number = (np.cumsum(receipts) - receipts)[day] + (rng.random(len(cell)) * receipts[day]).astype(np.int64)
    paid_at = rng.integers(0, _OPEN_SECONDS, int(receipts.sum()))
    as_paid = np.lexsort((number, paid_at[number], day))
    cell, quantity, number = cell[as_paid], quantity[as_paid], number[as_paid]
    return {
        "sold_at": _moments(world, cell, paid_at[number]),
        "receipt_id": pa.array(number + 1),
        **_what(world, cell, "unit_price"),
        "quantity": pa.array(quantity),
    }


def _units(world: PlantedWorld, sales: PlantedSales, _rng: np.random.Generator) -> dict[str, pa.Array]:
    cell = np.arange(sales.sold.size)
    return {
        "date": pa.array(_dates(world, cell)),
        **_what(world, cell, "price"),
        "units_sold": pa.array(sales.sold.ravel()),
    }


def _what(world: PlantedWorld, cell: Ints, price: str) -> dict[str, pa.Array]:
    """Return store, product and price of each row's cell, and whether the file calls it a promotion."""
    store, _, product, _ = np.unravel_index(cell, world.price.shape)
    columns = {
        "store": pa.DictionaryArray.from_arrays(store, [f"S{n:02d}" for n in range(1, world.price.shape[0] + 1)]),
        "sku": pa.DictionaryArray.from_arrays(product, list(world.skus)),
        price: pa.array(world.price.ravel()[cell]),
    }
    if world.promotion is not None:
        promotion = np.broadcast_to(world.promotion[..., None], world.price.shape)
        columns["promotion"] = pa.array(promotion.ravel()[cell].astype(np.int8))
    return {
        name: column.dictionary_decode() if name in {"store", "sku"} else column for name, column in columns.items()
    }


def _dates(world: PlantedWorld, cell: Ints) -> "np.ndarray[tuple[int, ...], np.dtype[np.datetime64]]":
    day = np.unravel_index(cell, world.price.shape)[1]
    return np.datetime64(FIRST_DAY, "D") + day.astype("timedelta64[D]")


def _moments(world: PlantedWorld, cell: Ints, second: Ints) -> pa.Array:
    """Return the moment of each row, so many seconds after opening, UTC."""
    return pa.array(_dates(world, cell).astype("datetime64[s]") + (_OPENS + second).astype("timedelta64[s]"))
