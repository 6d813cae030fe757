"""Experiments by a coin: how much one can tell before it starts, and what it has told since.

Both are of the coin alone: no model of demand and nothing else that was sold has a say. See
`plugins.own_store.learning.design_analysis`.
"""

import datetime as dt
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from catalog.arrays import Floats
from catalog.errors import DataError
from catalog.load import Catalog
from catalog.tables.contracts import TABLES
from plugins.own_store.draws.drawn_prices import TABLE, draw_on, own_prices_on, room_of
from plugins.own_store.draws.drawn_sales import DAYS, read_drawn_sales
from plugins.own_store.draws.experiments import Experiment, experiments_in
from plugins.own_store.learning.design_analysis import CoinRows, CoinSlope, coin_slopes, usual_spread
from plugins.own_store.learning.fair_coin import power_of_coin, slots_wanted
from warehouse.lake import Lake, Partition
from warehouse.partition import between
from warehouse.query.connection import queries_beside, workbench
from warehouse.workspace import Workspace

OUTCOMES = "experiment_outcomes"
SHAPE = 30.0
"""How much slots of a product in a store vary beyond chance before sales tell it: as a negative binomial of this."""
_SHAPE_WEIGHT = 10.0  # store slots that it counts for
_LARGEST_SHAPE = 10_000.0
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
    step
        How far both sides of the coin are from their middle, as a share, on average over its stores; 0 where the ladder
        has no two sides within the step.
    chances
        Chance that a slope is told, by slope.
    weeks_wanted
        Weeks after which a slope of -2 is told in four of five cases; None where years do not suffice.
    """

    sku: str
    units: float
    step: float
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
        sold = connection.execute(_query("units_a_store_day")).df()
    units = sold.groupby("sku")["units"].sum()
    missing = [sku for sku in experiment.products if not units.get(sku, 0.0) > 0]
    if missing:
        raise DataError(
            f"expected sales of {', '.join(missing)} from {first} to {through}, found none; nothing was planned: leave "
            "these products out, or send their sales first"
        )
    steps = _steps_of(lake, catalog, experiment)
    shape = _shape(catalog, sold)
    return [_power(catalog, experiment, sold, own, shape) for own in steps.items()]


def _steps_of(lake: Lake, catalog: Catalog, experiment: Experiment) -> dict[str, Floats]:
    """Return how far sides of the coin are from their middle, as shares, by product, in the stores that throw it."""
    standing = draw_on(lake, catalog, experiment.starts)
    own = own_prices_on(lake, catalog, experiment.starts, standing).prices
    is_thrown = np.isfinite(own) & np.array([sku in experiment.products for sku in catalog.skus])
    families = np.array(catalog.store.drawn_prices.numbers_of_families(catalog.skus))
    coin, room = replace(experiment.coin(catalog), families=families), room_of(catalog, own, is_thrown, standing)
    low, high = (np.take_along_axis(room.prices, at[:, :, None], axis=2)[:, :, 0] for at in coin.sides(room))
    steps, takes_part = np.tanh(np.log(high / low) / 2), coin.takes_part(room) & is_thrown.T
    places = [catalog.positions[sku] for sku in experiment.products]
    return {catalog.skus[place]: steps[place, takes_part[place]] for place in places}


def _shape(catalog: Catalog, sold: pd.DataFrame) -> float:
    """Return how much slots of the last weeks varied beyond chance, as the shape of a negative binomial."""
    days, last = DAYS[catalog.store.drawn_prices.changes], sold["business_date"].max()
    slots = (last - sold["business_date"]).dt.days // days
    whole = sold.assign(slot=slots.max() - slots)[(slots + 1) * days <= (last - sold["business_date"].min()).days + 1]
    spread, known = _SHAPE_WEIGHT / SHAPE, _SHAPE_WEIGHT
    for _, own in whole.groupby("sku"):
        by_slot = own.groupby(["store_id", "slot"], as_index=False).agg(
            units=("units", "sum"), date=("business_date", "max")
        )
        found, left = usual_spread(_without_coin(by_slot, days))
        spread, known = spread + found * left, known + left
    return _LARGEST_SHAPE if spread <= known / _LARGEST_SHAPE else known / spread


def _without_coin(sold: pd.DataFrame, days: int) -> CoinRows:
    """Return slots at which no coin was thrown as rows of one."""
    nothing, stores = np.zeros(len(sold)), pd.factorize(sold["store_id"], sort=True)[0].astype(np.int64)
    weekdays = sold["date"].dt.day_of_week.to_numpy(dtype=np.int64) if days == 1 else None
    slots = sold["slot"].to_numpy(dtype=np.int64)
    blocks, units = np.arange(len(sold)), sold["units"].to_numpy(dtype=float).clip(min=0)
    return CoinRows(units, nothing, nothing, nothing > 0, nothing, blocks, stores, slots, weekdays)


def _power(
    catalog: Catalog, experiment: Experiment, sold: pd.DataFrame, product: tuple[str, Floats], shape: float
) -> ProductPower:
    """Return what can be told of a product in the schedule that will run, by the sides that its coin has."""
    sku, steps = product
    rules, own = catalog.store.drawn_prices, sold[sold["sku"] == sku]
    days, n_days = DAYS[rules.changes], (experiment.through - experiment.starts).days + 1
    n_open = sum(catalog.store.is_open_on(experiment.starts + dt.timedelta(days=day)) for day in range(n_days))
    slots_a_week = 7 * n_open / n_days if days == 1 else 1.0
    units = _units_of_slots(own, sold["business_date"], days) * (1 if days == 1 else 7 * n_open / n_days)
    told = float((units / (1 + units / shape)).mean())  # busy slots tell more, and quiet ones less
    a_slot, step = told / (1 - told / shape), float(steps.mean()) if len(steps) else 0.0
    blocks = len(steps) * (1 - rules.held_share) * slots_a_week
    n_terms = len(steps) + 2 + (min(6, n_open - 1) if days == 1 else 0)
    among, n_slots = len(experiment.products), int(n_days / 7 * blocks)
    chances = {slope: power_of_coin(slope, step, n_slots, a_slot, shape, among, n_terms) for slope in _SLOPES}
    wanted = slots_wanted(-2.0, step, a_slot, shape, among, n_terms=n_terms) if blocks else None
    weeks = None if wanted is None else int(np.ceil(wanted / blocks))
    return ProductPower(sku, float(units.mean() * slots_a_week), step, chances, weeks)


def _units_of_slots(own: pd.DataFrame, dates: "pd.Series[Any]", days: int) -> Floats:
    """Return the units of a day of each store that sells a product, and of each weekday where slots are days."""
    if days > 1:
        return (own.groupby("store_id")["units"].sum() / dates.nunique()).to_numpy(dtype=float)
    by_day = own.groupby(["store_id", own["business_date"].dt.day_of_week])["units"].sum().unstack(fill_value=0)
    weekdays = pd.Series(dates.unique()).dt.day_of_week.value_counts()
    return (by_day / weekdays.reindex(by_day.columns)).to_numpy(dtype=float)


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
    is_thrown = is_its_own & ~sold["is_held"] & sold["sku"].isin(experiment.products)
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
    first = pd.to_datetime(sold["first_date"])
    is_daily = bool((first == pd.to_datetime(sold["through"])).all())
    return CoinRows(
        units=sold["units"].to_numpy(dtype=float).clip(min=0),
        low=np.log(sold["low_price"].to_numpy(dtype=float)),
        high=np.log(sold["high_price"].to_numpy(dtype=float)),
        is_high=(sold["price"] > middle).to_numpy(dtype=bool),
        propensity=np.full(len(sold), 0.5),
        blocks=np.arange(len(sold)),
        stores=stores,
        slots=slots,
        weekdays=np.asarray(first.dt.day_of_week, dtype=np.int64) if is_daily else None,
        exposure=sold["minutes"].to_numpy(dtype=float) / float(sold["minutes"].max()),
    )
