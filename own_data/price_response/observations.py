"""One product's exported sales as arrays: by store, date, hour where that is known, and price."""

from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd

from catalog.arrays import Flags, Floats, Ints
from own_data.price_response.calendar import MONDAY

WEEK_DAYS, QUARTER_WEEKS = 7, 13
PERIOD_WEEKS = 4
ENOUGH_STORES = 20
"""From this many stores on, stores are clusters; with fewer, their quarters are beside them."""
FEW_STORES = 6
"""With fewer stores, an error between stores means nothing, and their quarters alone are clusters."""
_MOST_STORES, _MOST_WEEKS, _MOST_ROWS = 100, 104, 200_000  # those with most sales, and the newest


@dataclass(frozen=True)
class Observations:
    """Sales of one product, arrays of shape (n_rows,).

    Attributes
    ----------
    log_price
        Log of the price, EUR.
    store, day, hour
        Number of the store; days since a Monday in 1970; hour of the day, 0 where the whole day is one row.
    quarter
        Number of the store's quarter of a year.
    offered, bought
        Visits and purchases; for counts the exposure (shoppers, or share of a store day) and units sold.
    on_promotion
        Whether the file says that the product was on promotion.
    is_count
        Whether these are counts.
    """

    log_price: Floats
    store: Ints
    day: Ints
    hour: Ints
    quarter: Ints
    offered: Floats
    bought: Floats
    on_promotion: Flags
    is_count: bool

    @property
    def week(self) -> Ints:
        """Weeks since a Monday in 1970."""
        return self.day // WEEK_DAYS

    @property
    def store_day(self) -> Ints:
        """Number of the row's store and date."""
        return crossed(self.store, self.day)

    @property
    def clusterings(self) -> tuple[Ints, ...]:
        """Numbers of what may share errors: stores, or their quarters too or alone, the fewer stores there are."""
        n_stores = len(np.unique(self.store))
        if n_stores >= ENOUGH_STORES:
            return (self.store,)
        return (self.quarter, self.store) if n_stores >= FEW_STORES else (self.quarter,)

    @property
    def days_without_price(self) -> tuple[float, float]:
        """Share of store days that sold nothing between two prices, among days without a sale and among all.

        A list of receipts does not show the price of such a day.
        """
        days, at = np.unique(self.store_day, return_inverse=True)
        is_zero, prices = np.bincount(at, self.bought) == 0, np.bincount(at)
        unknown = (is_zero & (prices > 1)).sum()
        return float(unknown / max(1, is_zero.sum())), float(unknown / max(1, len(days)))

    def kept(self, rows: Flags) -> "Observations":
        """Return the flagged rows."""
        names = [own.name for own in fields(self) if own.name != "is_count"]
        return replace(self, **{name: getattr(self, name)[rows] for name in names})


def numbered(cells: pd.DataFrame) -> pd.DataFrame:
    """Return rows of `exported_cells` with `store`, the number of the store, and `day`, days since a Monday in 1970."""
    day = (cells["business_date"].to_numpy().astype("datetime64[D]") - np.datetime64(MONDAY, "D")).astype(np.int64)
    return cells.assign(store=np.unique(cells["store_id"].to_numpy(dtype=str), return_inverse=True)[1], day=day)


def observations_of(frame: pd.DataFrame) -> Observations:
    """Return one product's numbered rows as arrays: the largest stores and the newest weeks."""
    volume = frame.groupby("store")["n_purchased"].sum()
    newest = frame["day"] // WEEK_DAYS > frame["day"].max() // WEEK_DAYS - _MOST_WEEKS
    own = frame[frame["store"].isin(volume.nlargest(_MOST_STORES).index) & newest]
    own = _within_reach(
        own.assign(
            hour=own["hour"].fillna(0), is_promotion=own["is_promotion"].eq(other=True).fillna(value=False).astype(bool)
        )
    )
    found = own.groupby(["store", "day", "hour", "price_offered"], sort=True)
    counted = found.agg({"n_offered": "sum", "n_purchased": "sum", "is_promotion": "max"}).reset_index()
    store, day, hour = (counted[name].to_numpy(dtype=np.int64) for name in ("store", "day", "hour"))
    return Observations(
        log_price=np.log(counted["price_offered"].to_numpy(dtype=float)),
        store=store,
        day=day,
        hour=hour,
        quarter=crossed(store, day // (WEEK_DAYS * QUARTER_WEEKS)),
        offered=counted["n_offered"].to_numpy(dtype=float),
        bought=counted["n_purchased"].to_numpy(dtype=float),
        on_promotion=counted["is_promotion"].to_numpy(dtype=bool),
        is_count=bool(frame["is_count"].iloc[0]),
    )


def crossed(one: Ints, other: Ints) -> Ints:
    """Return a number for each pair of levels, shape (n_rows,)."""
    return one * (int(other.max(initial=0)) + 1) + other


def _within_reach(own: pd.DataFrame) -> pd.DataFrame:
    """Leave out the smallest stores until few enough rows are left."""
    if len(own) <= _MOST_ROWS:
        return own
    rows = own.groupby("store").agg(rows=("day", "size"), sold=("n_purchased", "sum"))
    rows = rows.sort_values("sold", ascending=False)
    kept = rows.index[(rows["rows"].cumsum() <= _MOST_ROWS).to_numpy() | (np.arange(len(rows)) == 0)]
    return own[own["store"].isin(kept)]
