"""Experiments by a coin: how much one can tell before it starts, and what it has told since.

Both are of the coin alone: no model of demand and nothing else that was sold has a say. See
`serving.counts.design_analysis`.
"""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from catalog.errors import DataError
from catalog.load import Catalog
from serving.counts.design_analysis import CoinRows, CoinSlope, coin_slopes
from serving.counts.fair_coin import power_of_coin, slots_wanted
from serving.drawn_prices import TABLE
from training.drawn_sales import read_drawn_sales
from training.experiments import Experiment
from warehouse.connection import workbench
from warehouse.lake import Lake
from warehouse.partition import between
from warehouse.sql_files import queries_beside

SHAPE = 30.0
"""How much weeks of one product in one store vary beyond chance: as a negative binomial of this shape."""
_SLOPES = (-1.0, -2.0, -3.0)
_LOOKS_BACK = 28  # days
_query = queries_beside(__file__)


@dataclass(frozen=True)
class ProductPower:
    """What an experiment can tell of one product.

    Attributes
    ----------
    units
        Units of a store week, on average over the last four weeks.
    chances
        Chance that a slope is told, by slope.
    weeks_wanted
        Weeks after which a slope of -2 is told in four of five cases; None where years do not suffice.
    """

    sku: str
    units: float
    chances: dict[float, float]
    weeks_wanted: int | None


def power_of(lake: Lake, catalog: Catalog, experiment: Experiment) -> list[ProductPower]:
    """Return how much an experiment can tell, product by product.

    Raises
    ------
    DataError
        When a product of it has not sold in the last four weeks: nothing can be told of it.
    """
    through = experiment.starts - dt.timedelta(days=1)
    first = through - dt.timedelta(days=_LOOKS_BACK - 1)
    with workbench(lake.settings, between(first, through)) as connection:
        sold = connection.execute(_query("units_a_store_week")).df().set_index("sku")["units"]
    missing = [sku for sku in experiment.products if not sold.get(sku, 0.0) > 0]
    if missing:
        raise DataError(
            f"expected sales of {', '.join(missing)} from {first} to {through}, found none; nothing was planned: leave "
            "these products out, or send their sales first"
        )
    weeks = ((experiment.through - experiment.starts).days + 1) / 7
    blocks = len(catalog.store.stores) * (1 - catalog.store.drawn_prices.held_share)
    return [_power(sku, float(sold[sku]), experiment, weeks, blocks) for sku in experiment.products]


def _power(sku: str, units: float, experiment: Experiment, weeks: float, blocks: float) -> ProductPower:
    """`blocks` are the store weeks of one week that are not held."""
    among, step = len(experiment.products), experiment.step
    chances = {slope: power_of_coin(slope, step, int(weeks * blocks), units, SHAPE, among) for slope in _SLOPES}
    wanted = slots_wanted(-2.0, step, units, SHAPE, among)
    return ProductPower(sku, units, chances, None if wanted is None else int(np.ceil(wanted / blocks)))


def outcome_of(lake: Lake, experiment: Experiment) -> dict[str, CoinSlope]:
    """Return what an experiment has told so far, by product; a product without a sale at its prices is left out.

    Raises
    ------
    DataError
        When nothing has sold at its prices yet.
    """
    through = min(experiment.through, max(lake.dates("exposures"), default=experiment.starts))
    first = min(lake.dates(TABLE), default=through)
    sold = read_drawn_sales(lake, first, through)
    date = pd.to_datetime(sold["first_date"]).dt.date
    is_its_own = (date >= experiment.starts) & (date <= experiment.through) & sold["low_price"].notna()
    sold = sold[
        is_its_own
        & ~sold["is_held"]
        & ~sold["is_on_the_way"]
        & sold["sku"].isin(experiment.products)
        & (sold["minutes"] > 0)
    ]
    if sold.empty:
        raise DataError(
            f"expected sales at the prices of experiment {experiment.number} from {experiment.starts} on, found none "
            "yet; nothing was told"
        )
    products = {str(sku): _coin_rows(own) for sku, own in sold.groupby("sku")}
    return dict(zip(products, coin_slopes(list(products.values()), experiment.number), strict=True))


def _coin_rows(sold: pd.DataFrame) -> CoinRows:
    middle = (sold["low_price"] + sold["high_price"]) / 2
    stores = pd.factorize(sold["store_id"], sort=True)[0].astype(np.int64)
    slots = pd.factorize(sold["first_date"], sort=True)[0].astype(np.int64)
    return CoinRows(
        units=sold["units"].to_numpy(dtype=float).clip(min=0),
        low=np.log(sold["low_price"].to_numpy(dtype=float)),
        high=np.log(sold["high_price"].to_numpy(dtype=float)),
        is_high=(sold["price"] > middle).to_numpy(dtype=bool),
        propensity=np.full(len(sold), 0.5),
        blocks=np.arange(len(sold)),
        stores=stores,
        slots=slots,
        exposure=sold["minutes"].to_numpy(dtype=float) / float(sold["minutes"].max()),
    )
