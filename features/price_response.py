"""How purchases respond to prices that somebody else set, and whether that can be told from other causes.

Exported prices were not randomised. Stores differ, and so do weeks: a price that is low where and when people buy more
anyway looks like a response. So each product's purchases are regressed on its log price three times (logistic
regression): as they are, with an effect for each store and each four weeks, and with an effect for each store and each
week. The second is the estimate, and the others check it. Intervals are robust to whatever visits of one store in one
week share (Liang and Zeger, "Longitudinal data analysis using generalized linear models", Biometrika, 1986).

What must hold for an estimate to be the response: within a store and four weeks, prices do not follow demand. No data
can prove that. Where a check disagrees, the estimate is refuted; where both agree, it is not refuted.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from catalog.arrays import Flags, Floats, Ints
from features.logistic import fit_logistic

_WEEKS_IN_A_PERIOD = 4
_LEAST_OF_EACH = 30  # purchases, and visits without one
_LEAST_CLUSTERS = 20  # below, robust errors are too small
_LEAST_SPREAD = 0.01  # standard deviation of log price that the effects leave: one per cent
_MOST_STORES, _MOST_WEEKS = 100, 104  # those with most decisions, and the newest
_DISAGREE = 1.96  # standard errors of a difference
_LEVEL = 0.975
_CHANCES_FOR_ONE = 20  # chances that stand for each unit of the highest rate seen
_A_MONDAY = pd.Timestamp("1970-01-05")


@dataclass(frozen=True)
class Slope:
    """Change of the log odds of a purchase per unit of log price, with its 95 % interval.

    Where few buy, this is the price elasticity of the purchase rate; in general the elasticity is slope x (1 - rate).
    `spread` is the standard deviation of the log price that the effects do not explain.
    """

    estimate: float
    lower: float
    upper: float
    error: float
    spread: float


@dataclass(frozen=True)
class PriceResponse:
    """What the exported decisions say about one product's response.

    Attributes
    ----------
    naive, estimate, strict
        Without effects; with effects of stores and four weeks; with effects of stores and weeks. None where the data
        give no estimate.
    verdict
        `told`: purchases fall with the price, and the checks agree. `too thin`: the interval includes no response, or
        there are too few data. `too confounded`: price cannot be told from store and season.
    why
        The verdict's reason, in words.
    """

    sku: str
    decisions: int
    purchases: int
    naive: Slope | None
    estimate: Slope | None
    strict: Slope | None
    verdict: Literal["told", "too thin", "too confounded"]
    why: str

    def as_record(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return asdict(self)


@dataclass(frozen=True)
class _Cells:
    """Decisions of one product by store, week and price, arrays of shape (n_cells,)."""

    log_price: Floats
    store: Ints
    week: Ints
    offered: Floats
    bought: Floats

    def kept(self, rows: Flags) -> "_Cells":
        return _Cells(*(getattr(self, name)[rows] for name in ("log_price", "store", "week", "offered", "bought")))


def price_responses(cells: pd.DataFrame, skus: Sequence[str]) -> tuple[PriceResponse, ...]:
    """Estimate the response of each product.

    Parameters
    ----------
    cells
        Exported decisions by `sku`, `store_id`, `business_date` and `price_offered`, with `n_offered` and
        `n_purchased`.
    skus
        Products to estimate; one that is not in the cells has no decisions.
    """
    own = dict(iter(cells.groupby("sku", observed=True))) if len(cells) else {}
    return tuple(_response(sku, own.get(sku)) for sku in skus)


def told_skus(responses: Sequence[PriceResponse]) -> tuple[str, ...]:
    """Return the products whose response can be told."""
    return tuple(response.sku for response in responses if response.verdict == "told")


def slopes_of(responses: Sequence[PriceResponse], skus: Sequence[str]) -> Floats:
    """Return the slope of each product whose response is told, NaN for any other, shape (n_skus,)."""
    told = {own.sku: own.estimate.estimate for own in responses if own.verdict == "told" and own.estimate}
    return np.array([told.get(sku, np.nan) for sku in skus], dtype=float)


def with_response(at_base: Floats, price_ratio: Floats, slope: Floats) -> Floats:
    """Return chances of sale that respond to the price by a slope: the odds at the base price x ratio ** slope.

    A model of exported decisions confounds the price with its stores and weeks. So its level is used, but not its
    slope. All arrays broadcast to one shape.
    """
    odds = at_base / (1 - at_base) * price_ratio**slope
    return np.asarray(odds / (1 + odds), dtype=float)


def at_base_price(cells: pd.DataFrame) -> pd.DataFrame:
    """Return cells as they would be at the base price."""
    return cells.assign(price_offered=cells["price_offered"] / cells["price_ratio"], price_ratio=1.0)


def _response(sku: str, frame: pd.DataFrame | None) -> PriceResponse:
    if frame is None:
        return PriceResponse(sku, 0, 0, None, None, None, "too thin", "there are no decisions")
    cells = _cells_of(frame)
    decisions, purchases = int(cells.offered.sum()), int(cells.bought.sum())
    if np.ptp(cells.log_price) == 0:
        return PriceResponse(sku, decisions, purchases, None, None, None, "too thin", "its price never varied")
    nothing = np.zeros(len(cells.week), np.int64)
    period = cells.week // _WEEKS_IN_A_PERIOD
    slopes = _slope(cells, nothing, nothing), _slope(cells, cells.store, period), _slope(cells, cells.store, cells.week)
    return PriceResponse(sku, decisions, purchases, *slopes, *_verdict(purchases, decisions - purchases, *slopes))


def _verdict(
    purchases: int, refusals: int, naive: Slope | None, estimate: Slope | None, strict: Slope | None
) -> tuple[Literal["told", "too thin", "too confounded"], str]:
    if min(purchases, refusals) < _LEAST_OF_EACH:
        return "too thin", f"{purchases} purchases and {refusals} refusals, at least {_LEAST_OF_EACH} of each wanted"
    if naive is None:
        return "too thin", f"its price hardly varies, or there are fewer than {_LEAST_CLUSTERS} weeks of stores"
    if estimate is None or strict is None:
        return "too confounded", "within a store and week its price hardly varies, so nothing tells price from season"
    confounded = _confounded_because(naive, estimate, strict)
    if confounded:
        return "too confounded", confounded
    if estimate.upper >= 0:
        return "too thin", f"no response is possible too: from {estimate.lower:.2f} to {estimate.upper:.2f}"
    return "told", "purchases fall with the price, within a store and season too"


def _confounded_because(naive: Slope, estimate: Slope, strict: Slope) -> str | None:
    for guard, name in ((naive, "without store and season"), (strict, "within store and week")):
        if abs(guard.estimate - estimate.estimate) > _DISAGREE * np.hypot(guard.error, estimate.error):
            return f"{estimate.estimate:.2f} within store and month, {guard.estimate:.2f} {name}"
    return "dearer seems to sell more, so something else moves both" if estimate.lower > 0 else None


def _by_week(frame: pd.DataFrame) -> pd.DataFrame:
    """Return decisions by store, week (counted from a Monday) and price.

    Units out of an exposure become purchases out of many chances: so few buy that the log odds are the log rate.
    """
    days = pd.to_datetime(frame["business_date"]) - _A_MONDAY
    week = frame.assign(week_number=days.dt.days // 7)
    if "is_count" in frame and frame["is_count"].any():
        most = (frame["n_purchased"] / frame["n_offered"]).max()
        week = week.assign(n_offered=frame["n_offered"] * _CHANCES_FOR_ONE * most)
    keys = ["store_id", "week_number", "price_offered"]
    return week.groupby(keys, observed=True)[["n_offered", "n_purchased"]].sum().reset_index()


def _cells_of(frame: pd.DataFrame) -> _Cells:
    frame = _by_week(frame)
    stores = frame.groupby("store_id", observed=True)["n_offered"].sum().nlargest(_MOST_STORES).index
    newest = frame["week_number"].max()
    own = frame[frame["store_id"].isin(stores) & (frame["week_number"] > newest - _MOST_WEEKS)]
    return _Cells(
        np.log(own["price_offered"].to_numpy(dtype=float)),
        np.unique(own["store_id"].to_numpy(dtype=str), return_inverse=True)[1],
        own["week_number"].to_numpy(dtype=np.int64),
        own["n_offered"].to_numpy(dtype=float),
        own["n_purchased"].to_numpy(dtype=float),
    )


def _slope(cells: _Cells, store: Ints, period: Ints) -> Slope | None:
    """Regress purchases on log price with effects of store and period; None where too little variation is left."""
    rows = _informative(cells, store, period)
    own = cells.kept(rows)
    cluster = np.unique(own.store * (own.week.max(initial=0) + 1) + own.week, return_inverse=True)[1]
    n_clusters = int(cluster.max(initial=-1)) + 1
    if n_clusters < _LEAST_CLUSTERS:
        return None
    effects = np.hstack([_dummies(store[rows]), _dummies(period[rows])[:, 1:]])
    spread = _spread_left(own, effects)
    if spread < _LEAST_SPREAD:
        return None
    X = np.column_stack([own.log_price - np.average(own.log_price, weights=own.offered), effects])
    beta, information, chance = fit_logistic(X, own.offered, own.bought)
    score = np.zeros((n_clusters, X.shape[1]))
    np.add.at(score, cluster, X * (own.bought - own.offered * chance)[:, None])
    bread = np.linalg.inv(information)[0]
    variance = ((score @ bread) ** 2).sum() * n_clusters / (n_clusters - 1)
    error, estimate = float(np.sqrt(variance)), float(beta[0])
    half = float(stdtrit(n_clusters - 1, _LEVEL)) * error
    return Slope(estimate, estimate - half, estimate + half, error, spread)


def _informative(cells: _Cells, store: Ints, period: Ints) -> Flags:
    """Flag the cells of stores and periods with purchases and refusals; without both, an effect would be infinite."""
    rows = np.ones(len(store), dtype=bool)
    while True:
        both = rows.copy()
        for level in (store, period - period.min(initial=0)):
            bought = np.bincount(level, cells.bought * rows)
            refused = np.bincount(level, (cells.offered - cells.bought) * rows)
            both &= ((bought > 0) & (refused > 0))[level]
        if (both == rows).all():
            return rows
        rows = both


def _dummies(level: Ints) -> Floats:
    """Return one 0/1 column per distinct level, shape (n_rows, n_levels)."""
    return np.asarray(np.unique(level)[None, :] == level[:, None], dtype=float)


def _spread_left(own: _Cells, effects: Floats) -> float:
    """Return the standard deviation of the log price that the effects do not explain, weighted by decisions."""
    root = np.sqrt(own.offered)[:, None]
    fitted = effects @ np.linalg.lstsq(effects * root, own.log_price * root[:, 0], rcond=None)[0]
    return float(np.sqrt(np.average((own.log_price - fitted) ** 2, weights=own.offered)))
