"""Product weeks as what drawn prices earned is told from them: what sold, and a forecast at both prices.

A forecast is what the newest draw expected of the product in the store, times how busy the week was: in the chain, and
in the store as far as its units tell. It makes the comparison sharper and decides nothing by itself.
"""

import numpy as np
import pandas as pd

from plugins.own_store.learning.earned_profit import EarnedProfit, ProductWeeks, earned_profit

_STORE_UNITS = 200.0  # of a store's week, at which its own busyness counts for half
_LEAST = 1e-9


def with_forecasts(sold: pd.DataFrame) -> pd.DataFrame:
    """Return product weeks with `profit`, `forecast`, `forecast_shown` and `size`, EUR.

    Parameters
    ----------
    sold
        A row for each product, store and slot: `through`, `store_id`, `sku`, `units`, `exposure` (share of the slot in
        which it could be bought), `price`, `shelf_price`, `unit_cost`; and, null where no draw expected anything,
        `expected_units` of a whole slot at the price `expected_at`, and `response` of log units to the log price.
    """
    response = sold["response"].fillna(0.0)
    cells = sold.groupby(["store_id", "sku"])
    usual = cells["units"].transform("sum") / cells["exposure"].transform("sum").clip(lower=_LEAST)
    since = (sold["shelf_price"] / sold["expected_at"]).fillna(1.0) ** response
    expected = (sold["expected_units"] * since).fillna(usual) * sold["exposure"]
    shown = expected * (sold["price"] / sold["shelf_price"]) ** response
    busy = _busyness(sold["units"], shown, sold["through"], sold["store_id"])
    expected, shown = expected * busy, shown * busy
    return sold.assign(
        profit=sold["units"] * (sold["price"] - sold["unit_cost"]),
        forecast=expected * (sold["shelf_price"] - sold["unit_cost"]),
        forecast_shown=shown * (sold["price"] - sold["unit_cost"]),
        size=(expected * sold["shelf_price"]).clip(lower=_LEAST),
    )


def earned_of(weeks: pd.DataFrame, brought: str = "profit") -> EarnedProfit:
    """Compare the drawn product weeks among rows of `with_forecasts` with those that were held.

    Parameters
    ----------
    brought
        Column to compare; of `profit` and what is taken off it, the forecasts are of use.
    """
    is_forecast = "profit" in brought
    nothing = np.zeros(len(weeks))
    return earned_profit(
        ProductWeeks(
            np.asarray(weeks.groupby(["through", "store_id", "family"], sort=False).ngroup(), dtype=np.int64),
            weeks[brought].to_numpy(dtype=float),
            weeks["forecast"].to_numpy(dtype=float) if is_forecast else nothing,
            weeks["forecast_shown"].to_numpy(dtype=float) if is_forecast else nothing,
            weeks["size"].to_numpy(dtype=float),
            weeks["is_held"].to_numpy(dtype=bool),
            weeks["held_share"].to_numpy(dtype=float),
        )
    )


def _busyness(units: pd.Series, shown: pd.Series, week: pd.Series, store: pd.Series) -> pd.Series:
    """Return units over those expected in each row's week and store, drawn towards those of the week in all stores."""
    in_chain = units.groupby(week).transform("sum") / shown.groupby(week).transform("sum").clip(lower=_LEAST)
    in_store = [values.groupby([week, store]).transform("sum") for values in (units, shown)]
    return (in_store[0] + _STORE_UNITS * in_chain) / (in_store[1] + _STORE_UNITS)
