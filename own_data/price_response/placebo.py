"""Tests that a response must survive: of what a price cannot have caused, its price must explain nothing.

- Next week's price cannot have caused today's sales: where it explains them, price follows demand.
- A product's price hardly moves what else a store sells, and never how many came: where it explains them, price
  follows how busy the store is (Lipsitch, Tchetgen Tchetgen and Cohen, "Negative controls", Epidemiology, 2010).
- A lower price sells as much more as prices everywhere tell: where days below the usual price sell more than that, an
  offer was more than its price. The same where weeks at low prices differ from each other by more than others do.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from catalog.arrays import Floats, Ints
from own_data.price_response.observations import WEEK_DAYS, Observations, crossed
from own_data.price_response.regression import Fitted
from own_data.price_response.specification import Specification, group_mean, group_sum
from own_data.price_response.usual_price import usual_log_price

_SURE = 0.0003  # p-value below which a test has failed: of a hundred products, hardly one fails by chance
_COUNTS = 0.15  # of the slope: effects below this bend it little
_BELOW = 0.05  # of log price under the usual price
_ENOUGH_KNOWN = 0.5  # share of rows with a price a week later
_LOW_END = 0.1  # share of a store's days at its lowest prices
_OFFER_COUNTS = 0.25  # of what the price alone explains of an offer


@dataclass(frozen=True)
class PlaceboShelf:
    """What all products of one kind sold: `offered` and `bought` by store number and day."""

    offered: "pd.Series[float]"
    bought: "pd.Series[float]"

    @classmethod
    def of(cls, cells: pd.DataFrame) -> "PlaceboShelf":
        """Add up numbered rows of `exported_cells`."""
        total = cells.groupby(["store", "day"])[["n_offered", "n_purchased"]].sum().astype(float)
        return cls(total["n_offered"], total["n_purchased"])

    def beside(self, own: Observations) -> tuple[Floats, Floats]:
        """Return what the other products were offered and sold on each row's store day, shape (n_rows,) each."""
        rows = pd.MultiIndex.from_arrays([own.store, own.day])
        sums = pd.DataFrame({"offered": own.offered, "bought": own.bought}).groupby(own.store_day).transform("sum")
        offered, bought = (
            np.maximum(total.reindex(rows).to_numpy() - sums[name].to_numpy(), 0.0)
            for total, name in ((self.offered, "offered"), (self.bought, "bought"))
        )
        return offered, bought


def failed_test(strict: Specification, slope: float, shelf: PlaceboShelf) -> str | None:
    """Return what the price explains that it cannot have caused, in words; None when it survives every test.

    `slope` is the strict estimate.
    """
    least = _COUNTS * abs(slope)
    return (
        _explained_by_next_week(strict, least)
        or _explains_the_shelf(strict, shelf, least)
        or _offers_sell_more(strict, slope)
    )


def scatter_at_low_prices(strict: Specification) -> float:
    """Return how much more a store's weeks at its lower prices differ from each other than those at its higher ones.

    Only weeks that lie wholly on one side count. Where they do, some of them had something beside the price. It is a
    difference over its error, about normal where nothing is hidden, and 0 where it cannot be told. Of counts and of
    visits alike, the variance of a week's log rate beyond that of sales that come one by one is
    (residual^2 - weight) / weight^2 on average.
    """
    own = strict.own
    low_end, high_end = (usual_log_price(own, share) for share in (_LOW_END, 1 - _LOW_END))
    is_low = (own.log_price < (low_end + high_end) / 2) & (high_end - low_end > _BELOW)
    found = strict.fit_column(is_low.astype(float), beside=[own.log_price]) or strict.fit()
    if found is None:
        return 0.0
    used, low = own.kept(found.rows), is_low[found.rows].astype(np.int64)
    _, first, week = np.unique(crossed(used.store, used.week), return_index=True, return_inverse=True)
    residual, weight, low_rows = (np.bincount(week, values) for values in (found.residual, found.weight, low))
    beyond, rows = (residual**2 - weight) / weight**2, np.bincount(week)
    sides = [_mean_and_variance(beyond[at], used.quarter[first[at]]) for at in (low_rows == rows, low_rows == 0)]
    (at_low, low_variance), (at_high, high_variance) = sides
    return (at_low - at_high) / np.sqrt(low_variance + high_variance) if low_variance * high_variance > 0 else 0.0


def _explained_by_next_week(strict: Specification, least: float) -> str | None:
    own = strict.own
    days = pd.Series(group_mean(own.log_price, own.offered, own.store_day), own.store_day).groupby(level=0).first()
    later = np.asarray(days.reindex(own.store_day + WEEK_DAYS), dtype=float)
    known = np.isfinite(later) & (own.day + WEEK_DAYS <= own.day.max())
    if known.mean() < _ENOUGH_KNOWN:
        return None
    part = strict.kept(known)
    failed = _failed(part.fit_column(later[known], beside=[part.own.log_price]), least)
    return (
        f"next week's price explains today's sales ({failed.estimate:+.2f}): prices follow demand" if failed else None
    )


def _explains_the_shelf(strict: Specification, shelf: PlaceboShelf, least: float) -> str | None:
    """Test the other products' sales and the store's visits, on whole store days."""
    own = strict.own
    offered, bought = shelf.beside(own)
    share = 1.0 / group_sum(np.ones(len(own.day)), own.store_day)  # several rows of a day share what the day says
    sold = replace(own, offered=share if own.is_count else np.maximum(offered, bought) * share, bought=bought * share)
    if bought.any() and (failed := _failed(strict.fit(sold), least)):
        return f"its price explains what other products sell ({failed.estimate:+.2f}): it follows busy days"
    came = own.offered if own.is_count else offered + group_sum(own.offered, own.store_day)
    counted = replace(own, offered=share, bought=came * share, is_count=True)
    if np.ptp(came) > 0 and (failed := _failed(strict.fit(counted), least)):
        return f"its price explains how many shoppers come ({failed.estimate:+.2f}): it follows busy days"
    return None


def _offers_sell_more(strict: Specification, slope: float) -> str | None:
    own = strict.own
    depth = usual_log_price(own) - own.log_price
    is_below = depth > _BELOW
    if not is_below.any():
        return None
    least = _OFFER_COUNTS * abs(slope) * float(np.average(depth[is_below], weights=own.offered[is_below]))
    failed = _failed(strict.fit_column(is_below.astype(float), beside=[own.log_price]), least)
    if failed is None or failed.estimate < 0:
        return None
    return f"days below the usual price sell more than their price explains ({failed.estimate:+.2f}): offers do more"


def _mean_and_variance(values: Floats, cluster: Ints) -> tuple[float, float]:
    """Return the mean, and its variance with whatever one cluster shares; zeros for no values."""
    if not len(values):
        return 0.0, 0.0
    mean = float(values.mean())
    shared = np.bincount(np.unique(cluster, return_inverse=True)[1], values - mean)
    return mean, float((shared**2).sum() / len(values) ** 2)


def _failed(found: Fitted | None, least: float) -> Fitted | None:
    """Return what was found where it is surely there and of a size that bends the slope."""
    return found if found is not None and found.p_value < _SURE and abs(found.estimate) >= least else None
