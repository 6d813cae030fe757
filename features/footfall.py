"""Footfall: how many shoppers stop at each product in each tick, from the logged visits.

Precondition: every visit is logged, also visits to an empty shelf. Otherwise scarce products look unpopular. Where only
sales are known, the chances to sell a unit that they stand for count as visits.

`observed_prices` are the range in which each product was really offered. `demand_shifts` are the dates from which
shoppers responded to prices differently, as the drift checks found.

Logged visits are arrays of the price shown, its propensity and the outcome. Precondition for a fair judgement of
prices: the days are later than everything that the judged prices were learned from, and every logged propensity is the
whole chance of the shown price in its state.
"""

import datetime as dt
from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd

from catalog.arrays import Flags, Floats, Ints
from catalog.decisions.store_day import hours_of_ticks, tick_profile
from catalog.load import Catalog
from features.cells import query

_MOST_VISITS = 1_000_000


@dataclass(frozen=True)
class LoggedVisits:
    """Visits that found the product on the shelf, arrays of shape (n_visits,).

    Attributes
    ----------
    days, day
        The business dates, and each visit's position among them.
    stores, store
        The stores, and each visit's position among them.
    product, stock, tick
        Position on the shelf, units before the decision, and tick of the day.
    price, propensity
        Price shown, EUR, and the chance with which it was shown.
    purchased
        Whether a unit was bought.
    dice
        Number of the random draw that decided the price. Visits with the same number saw the same price for the same
        reason, and count as one piece of evidence.
    n_store_days
        Number of store days that the visits come from.
    """

    days: tuple[dt.date, ...]
    day: Ints
    stores: tuple[str, ...]
    store: Ints
    product: Ints
    stock: Ints
    tick: Ints
    price: Floats
    propensity: Floats
    purchased: Flags
    dice: Ints
    n_store_days: int


def logged_visits(
    connection: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    trained_through: dt.date,
    judged_through: dt.date,
    n_decisions: int,
) -> LoggedVisits:
    """Read the visits of the held-out days; if there are more than a million, whole store days with about a million.

    Parameters
    ----------
    n_decisions
        Number of held-out decisions.
    """
    found = connection.execute(
        query("logged_visits"),
        {
            "skus": list(catalog.skus),
            "trained_through": trained_through,
            "judged_through": judged_through,
            "hold_ticks": catalog.store.exploration.hold_ticks,
            "kept_of_10000": min(10_000, max(1, 10_000 * _MOST_VISITS // max(1, n_decisions))),
        },
    ).df()
    days, day = np.unique(found["business_date"].to_numpy(), return_inverse=True)
    store, stores = pd.factorize(found["store_id"].astype(str), sort=True)
    return LoggedVisits(
        days=tuple(days.astype("datetime64[D]").tolist()),
        day=day,
        stores=tuple(stores),
        store=store.astype(np.int64),
        product=found["product"].to_numpy(dtype=np.int64),
        stock=found["inventory_level"].to_numpy(dtype=np.int64),
        tick=found["tick"].to_numpy(dtype=np.int64),
        price=found["price_offered"].to_numpy(dtype=float),
        propensity=found["propensity"].to_numpy(dtype=float),
        purchased=found["purchased"].to_numpy(dtype=bool),
        dice=np.unique(found["dice"].to_numpy(), return_inverse=True)[1],
        n_store_days=found["store_day"].nunique(),
    )


def demand_shifts(
    connection: duckdb.DuckDBPyConnection, through: dt.date, model_version: str | None = None
) -> tuple[dt.date, ...]:
    """Return the dates of change, ascending, that the checks up to a date found.

    Parameters
    ----------
    model_version
        Only changes that were found against this champion; None for all.
    """
    asked = {"through": through, "model_version": model_version}
    return tuple(date for (date,) in connection.execute(query("demand_shifts"), asked).fetchall())


_DAYS = 28


def _chances(connection: duckdb.DuckDBPyConnection, catalog: Catalog, span: dict[str, dt.date]) -> Floats:
    """Count the chances of unit sales, shape (n_products, n_ticks): days by the store's profile, hours evenly."""
    counts = connection.execute(query("chances"), span).fetchall()
    position = catalog.positions
    of_tick = hours_of_ticks(catalog.store)
    chances = np.zeros((len(catalog.skus), len(of_tick)))
    for sku, hour, count in counts:
        in_hour = (of_tick == hour).astype(float)
        share = tick_profile(catalog.store) if hour is None else in_hour / max(in_hour.sum(), 1.0)
        if sku in position:
            chances[position[sku]] += count * share
    return chances


def counted_visits(
    connection: duckdb.DuckDBPyConnection, catalog: Catalog, through: dt.date
) -> tuple[Floats, pd.DataFrame]:
    """Count the visits of the last four weeks.

    Returns
    -------
    tuple of Floats and pd.DataFrame
        Visits by product and tick, shape (n_products, n_ticks); and one row per `business_date` with `count_visits` and
        `count_stores`.
    """
    span = {"first": through - dt.timedelta(days=_DAYS - 1), "last": through}
    by_units = not catalog.store.is_priced_hourly  # a store that counts visits needs no guess from sales
    totals = connection.execute(query("visits_by_day"), {**span, "by_units": by_units}).df()
    counts = connection.execute(query("footfall"), span).df()
    visits = np.zeros((len(catalog.skus), catalog.store.opening.ticks))
    positions = catalog.positions
    known = counts[counts["sku"].isin(positions) & (counts["tick"] < visits.shape[1])]
    product = known["sku"].map(positions).to_numpy(dtype=np.int64)
    visits[product, known["tick"].to_numpy()] = known["count_visits"].to_numpy()
    if by_units:
        visits += _chances(connection, catalog, span)
    return visits, totals


def store_days_in(totals: pd.DataFrame) -> int:
    """Return on how many store days somebody came, by the stores of each business date."""
    return int(totals["count_stores"].sum())


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
