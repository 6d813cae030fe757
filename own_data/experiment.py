"""Experiments by a coin: how much one can tell before it starts, and what it has told since.

Both are of the coin alone: no model of demand and nothing else that was sold has a say. See
`serving.counts.design_analysis`.
"""

import datetime as dt
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from catalog.contracts import TABLES
from catalog.errors import DataError
from catalog.load import Catalog
from serving.counts.design_analysis import CoinRows, CoinSlope, coin_slopes
from serving.counts.fair_coin import power_of_coin, slots_wanted
from serving.drawn_prices import TABLE
from training.drawn_sales import read_drawn_sales
from training.experiments import Experiment, experiments_in
from warehouse.connection import workbench
from warehouse.lake import Lake, Partition
from warehouse.partition import between
from warehouse.sql_files import queries_beside
from warehouse.workspace import Workspace

OUTCOMES = "experiment_outcomes"
SHAPE = 30.0
"""How much weeks of one product in one store vary beyond chance: as a negative binomial of this shape."""
_SLOPES = (-1.0, -2.0, -3.0)
_LOOKS_BACK = 28  # days
_CARRY_LEVEL = 0.01
_FEWEST_PAIRS = 40  # of slots, one after the other in a store, before carry-over is looked at
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


@dataclass(frozen=True)
class ExperimentOutcome:
    """What an experiment has told, by product; a product without a sale at its prices is left out.

    Attributes
    ----------
    through
        Last business date that was looked at.
    slopes
        How sales answer to the price.
    carries
        How sales answer to the price of the slot before, thrown as well: above 0 where low prices let people stock up.
    """

    through: dt.date
    slopes: dict[str, CoinSlope]
    carries: dict[str, CoinSlope]

    @property
    def carried(self) -> dict[str, CoinSlope]:
        """The products whose sales answer to the price before beyond doubt: nobody asked, so it has to be surer."""
        return {sku: own for sku, own in self.carries.items() if own.adjusted <= _CARRY_LEVEL}


def outcome_of(lake: Lake, experiment: Experiment) -> ExperimentOutcome:
    """Return what an experiment has told so far.

    Raises
    ------
    DataError
        When nothing has sold at its prices yet.
    """
    through = min(experiment.draws_through, max(lake.dates("exposures"), default=experiment.starts))
    first = min((date for date in lake.dates(TABLE) if date >= experiment.starts), default=through)
    sold = read_drawn_sales(lake, first, through)
    date = pd.to_datetime(sold["first_date"]).dt.date
    is_its_own = (date >= experiment.starts) & (date <= experiment.draws_through) & sold["low_price"].notna()
    is_thrown = is_its_own & ~sold["is_held"] & ~sold["is_on_the_way"] & sold["sku"].isin(experiment.products)
    sold = sold[is_thrown & (sold["minutes"] > 0)]
    if sold.empty:
        raise DataError(
            f"expected sales at the prices of experiment {experiment.number} from {experiment.starts} on, found none "
            "yet; nothing was told"
        )
    of_product = {str(sku): own for sku, own in sold.groupby("sku")}
    slopes = _analysed({sku: coin_rows(own) for sku, own in of_product.items()}, experiment.number)
    lagged = {sku: rows_of_the_price_before(own, slopes[sku]) for sku, own in of_product.items()}
    known = {sku: rows for sku, rows in lagged.items() if rows is not None}
    return ExperimentOutcome(through, slopes, _analysed(known, experiment.number))


def _analysed(products: dict[str, CoinRows], seed: int) -> dict[str, CoinSlope]:
    return dict(zip(products, coin_slopes(list(products.values()), seed), strict=True))


def rows_of_the_price_before(sold: pd.DataFrame, slope: CoinSlope) -> CoinRows | None:
    """Return the sales of one product as the coin of the slot before explains them; None where none follows another.

    What the slot's own price explains is taken out as exposure: the coins are thrown apart, so it makes the interval
    narrower and no error in it makes it wrong.
    """
    dates = np.array(sorted(set(sold["first_date"])))
    slot = pd.Series(np.searchsorted(dates, sold["first_date"]), index=sold.index)
    now, before = sold.assign(slot=slot), sold.assign(slot=slot + 1)
    both = now.merge(before, on=["store_id", "slot"], suffixes=("", "_before"))
    follows = pd.to_datetime(both["first_date"]) - pd.to_datetime(both["through_before"]) == pd.Timedelta(days=1)
    both = both[follows]
    if len(both) < _FEWEST_PAIRS:
        return None
    logs = np.log(both["price"].to_numpy(dtype=float))
    expected = np.exp((slope.slope if np.isfinite(slope.slope) else 0.0) * (logs - logs.mean()))
    coins = both.assign(**{name: both[f"{name}_before"] for name in ("price", "low_price", "high_price")})
    rows = coin_rows(coins)
    return replace(rows, exposure=None if rows.exposure is None else rows.exposure * expected)


def record_outcomes(workspace: Workspace) -> None:
    """Record what each experiment has told, whenever another of its slots has been sold."""
    lake = workspace.lake
    ends = {row["through"] for date in lake.dates(TABLE) for row in _first_row(lake, date)}
    newest = max(lake.dates("exposures"), default=dt.date.min)
    for one in experiments_in(lake):
        sold = [end for end in ends if one.starts <= end <= min(newest, one.draws_through)]
        part = Partition(OUTCOMES, None, f"e{one.number:06d}")
        if not sold or lake.is_current(part, f"{one.number}:{max(sold)}"):
            continue
        with suppress(DataError):
            found = outcome_of(lake, one)
            rows = [
                {"number": one.number, "sku": sku, "through": found.through, "is_told": own.is_told}
                | {name: _known(getattr(own, name)) for name in ("slope", "low", "high")}
                | {
                    "n_blocks": own.n_blocks,
                    "carry": _known(found.carried[sku].slope) if sku in found.carried else None,
                }
                for sku, own in found.slopes.items()
            ]
            table = pa.Table.from_pylist(rows, schema=TABLES[OUTCOMES].schema)
            lake.publish(part, table, inputs=f"{one.number}:{max(sold)}")


def _first_row(lake: Lake, date: dt.date) -> list[dict[str, Any]]:
    return lake.read(Partition(TABLE, date, "all")).select(["through"]).slice(0, 1).to_pylist()


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None


def coin_rows(sold: pd.DataFrame) -> CoinRows:
    """Return the sales of one product, rows as of `read_drawn_sales`, as its coin explains them."""
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
