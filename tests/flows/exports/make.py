"""Make the three exports of docs/bring-your-own.md again: `python tests/flows/exports/make.py`.

A chain of ten stores sold for 32 weeks from 6 January 2025 on. Each store drew a price for each product and week, one
of five from -20 to +20 % of the usual price. So the response to the price, `slope`, is known: the change of the log
odds of a purchase (visits) or of the log rate of sale (receipts and units) per unit of log price. Stores, days of the
week and a season move demand too.
"""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

_SEED = 2025
_STORES, _WEEKS = 10, 32
_DAYS = 7 * _WEEKS
_FIRST = np.datetime64("2025-01-06", "D")  # a Monday
_OPENS, _OPEN_MINUTES = 8 * 60, 12 * 60
_RATIOS = np.array([0.8, 0.9, 1.0, 1.1, 1.2])
_WEEKDAYS = np.array([-0.14, -0.14, -0.09, -0.04, 0.11, 0.24, 0.06])  # logs, from Monday
_LEAFLET_SHARE, _LEAFLET_PRICE, _LEAFLET_DEMAND = 0.2, 0.75, 0.5  # of weeks; of the price; log


@dataclass(frozen=True)
class Product:
    """What is planted about a product.

    Attributes
    ----------
    usual_price
        EUR.
    slope
        The response to the price.
    daily
        Visits, or units at the usual price, of a store and day.
    pricing
        `weekly`: drawn for each store and week; `fixed`: never changes; `leaflet`: lower in some weeks of a store, with
        a leaflet that sells by more than its price.
    """

    usual_price: float
    slope: float
    daily: float
    pricing: str = "weekly"


VISITS = {"COFFEE": Product(6.0, -3.0, 4.0), "SALT": Product(0.8, -1.0, 1.0, "fixed")}
RECEIPTS = {"PASTA": Product(1.5, -2.4, 3.0), "HONEY": Product(5.0, -0.4, 2.5)}
UNITS = {
    "YOGHURT": Product(1.2, -2.2, 12.0),
    "RICE": Product(2.5, -0.5, 12.0),
    "COLA": Product(1.8, -1.5, 12.0, "leaflet"),
}


def make(folder: Path) -> None:
    """Write the three files into a folder."""
    for number, (name, make_one) in enumerate({"visits": visits, "receipts": receipts, "units": units}.items()):
        rows = make_one(np.random.default_rng((_SEED, number)))
        text = rows.to_csv(index=False, lineterminator="\n")
        (folder / f"{name}.csv.gz").write_bytes(gzip.compress(text.encode(), mtime=0))


def visits(draw: np.random.Generator) -> pd.DataFrame:
    """A row per shopper who looked: one in five buys at the usual price."""
    days = _store_days(VISITS, draw)
    rows = days.loc[days.index.repeat(draw.poisson(days["daily"]))]
    odds = 0.25 * np.exp(rows["moved"])
    rows = rows.assign(visited_at=_moments(rows, draw), bought=(draw.random(len(rows)) < odds / (1 + odds)).astype(int))
    rows = rows.sort_values(["visited_at", "store", "sku"], kind="stable")
    return rows[["visited_at", "store", "sku", "price", "bought"]].rename(columns={"price": "shelf_price"})


def receipts(draw: np.random.Generator) -> pd.DataFrame:
    """A row per line of a receipt, in the order of the tills."""
    days = _store_days(RECEIPTS, draw)
    units_sold = draw.poisson(days["daily"] * np.exp(days["moved"]))
    rows = days.loc[days.index.repeat(units_sold)]
    rows = rows.assign(sold_at=_moments(rows, draw)).sort_values(["sold_at", "store"], kind="stable")
    found = rows.groupby(["sold_at", "store", "sku", "price"], sort=False).size().rename("quantity").reset_index()
    number = found.groupby(["sold_at", "store"], sort=False).ngroup() + 100_001
    found = found.assign(receipt=number).rename(columns={"price": "unit_price"})
    return found[["sold_at", "store", "receipt", "sku", "unit_price", "quantity"]]


def units(draw: np.random.Generator) -> pd.DataFrame:
    """A row per store, product and day, with or without a sale."""
    days = _store_days(UNITS, draw)
    varied = draw.gamma(20, 1 / 20, len(days))  # counts vary by more than a Poisson's
    rows = days.assign(
        units_sold=draw.poisson(days["daily"] * np.exp(days["moved"]) * varied),
        date=_FIRST + days["day"].to_numpy().astype("timedelta64[D]"),
        promotion=days["promotion"].astype(int),
    )
    return rows[["date", "store", "sku", "price", "units_sold", "promotion"]]


def _store_days(products: Mapping[str, Product], draw: np.random.Generator) -> pd.DataFrame:
    """A row per day, store and product: its price, and how far demand moved from the usual, in logs."""
    day, store = (axis.ravel() for axis in np.mgrid[:_DAYS, :_STORES])
    level = draw.normal(0, 0.2, _STORES)[store]
    frames = []
    for sku, product in products.items():
        week_of_store = day // 7, store
        ratio, promotion = np.ones(len(day)), np.zeros(len(day), dtype=bool)
        if product.pricing == "weekly":
            ratio = draw.choice(_RATIOS, (_WEEKS, _STORES))[week_of_store]
        elif product.pricing == "leaflet":
            promotion = (draw.random((_WEEKS, _STORES)) < _LEAFLET_SHARE)[week_of_store]
            ratio = np.where(promotion, _LEAFLET_PRICE, 1.0)
        price = (product.usual_price * ratio).round(2)
        season = 0.1 * np.sin(2 * np.pi * (day / 364 + draw.random()))
        moved = level + _WEEKDAYS[day % 7] + season + product.slope * np.log(price / product.usual_price)
        moved += _LEAFLET_DEMAND * promotion
        columns = {"day": day, "store": store + 1, "sku": sku, "price": price, "promotion": promotion}
        frames.append(pd.DataFrame(columns | {"moved": moved, "daily": product.daily}))
    found = pd.concat(frames, ignore_index=True).sort_values(["day", "store"], kind="stable", ignore_index=True)
    return found.assign(store="S" + found["store"].map("{:02d}".format))


def _moments(rows: pd.DataFrame, draw: np.random.Generator) -> np.ndarray:
    """A minute of each row's day at random, while stores are open, UTC."""
    minute = _OPENS + draw.integers(0, _OPEN_MINUTES, len(rows))
    return (_FIRST + rows["day"].to_numpy().astype("timedelta64[D]")) + minute.astype("timedelta64[m]")


if __name__ == "__main__":
    make(Path(__file__).parent)
