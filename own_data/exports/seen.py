"""What an export says about each product and about a store's day, counted date by date in one pass.

A price of visits counts once for each visit. A price of sales counts once for each store day that it was seen on,
however much it sold: otherwise an offer that sells much would pass for the usual price.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from catalog.arrays import Floats
from catalog.records.product import LEAST_CHANCES, MOST_CHANCES
from own_data.exports.stage import StagedExport
from own_data.exports.typed import NO_HOUR

_US_PER_HOUR = 3_600_000_000
_TOO_MANY = 1e6  # units in one row: such rows are rejected
_FOLD = 4  # most units of a day over the highest that was seen
_PRICE = ["product", "price_offered"]
_PAIR = ["store", "product"]
_HOW = dict.fromkeys(["rows", "visits", "cost", "known_cost", "base", "known_base"], "sum") | {"stock": "max"}
_BESIDE = {"unit_cost": "cost", "regular_price": "base", "base_price": "base", "inventory_level": "stock"}


@dataclass(frozen=True)
class SeenInExport:
    """What an export says.

    Attributes
    ----------
    prices
        One row per product and price, in their order: `product`, `price_offered` (EUR, NaN where there is none),
        `rows`, and `visits`, which are these rows, or of sales the store days on which it was seen.
    beside
        By product, where the file has it: `cost` and `base`, EUR, on average, and `stock`, the highest.
    store_days
        Pairs of a store and a date.
    hours
        Visits or units by hour of the day, UTC, shape (24,); None where only days are known.
    most_units
        By product, what is taken for the most units that a store could sell on a day; None of visits.
    units_a_sale
        Units of a product on a store day on which it sold, on average; None of visits.
    """

    prices: pd.DataFrame
    beside: pd.DataFrame
    store_days: int
    hours: Floats | None
    most_units: pd.Series | None
    units_a_sale: float | None

    @property
    def median_prices(self) -> pd.Series:
        """The median price of each product over its rows, EUR, by its code."""
        known = self.prices.dropna(subset="price_offered")
        rows = known.groupby("product")["rows"]
        return known[2 * rows.cumsum() >= rows.transform("sum")].groupby("product")["price_offered"].first()


def seen_in_export(staged: StagedExport) -> SeenInExport:
    """Look at every row of an export."""
    is_sales = staged.grain != "visits"
    prices, most, hours = list[pa.Table](), pd.Series(dtype=float), np.zeros(24)
    store_days, sales, units = 0, 0, 0.0
    for date in staged.spans:
        own = staged.on(date)
        prices = [_grouped(pa.concat_tables([*prices, _by_price(own, is_sales=is_sales)]), _PRICE)]
        store_days += pc.count_distinct(own["store"]).as_py()
        weight = None
        if is_sales:
            weight = own["units"].to_numpy().clip(min=0)
            sold = pd.DataFrame({name: own[name].to_numpy() for name in ("store", "product", "units")})
            believable = sold[sold["units"].abs() < _TOO_MANY].groupby(_PAIR)["units"].sum()
            most = most.combine(believable.groupby("product").max(), max, fill_value=0.0)
            by_pair = sold[sold["units"] > 0].groupby(_PAIR)["units"].sum()
            sales, units = sales + len(by_pair), units + by_pair.sum()
        if "hour" not in own.column_names or not pc.any(pc.equal(own["hour"], NO_HOUR)).as_py():
            hours += np.bincount(own["seen_at"].to_numpy() // _US_PER_HOUR % 24, weight, minlength=24)
    counted = prices[0].to_pandas().sort_values(_PRICE, ignore_index=True)
    return SeenInExport(
        prices=counted,
        beside=_beside(counted),
        store_days=store_days,
        hours=hours if not is_sales or hours[1:].any() else None,
        most_units=np.ceil(_FOLD * most).clip(LEAST_CHANCES, MOST_CHANCES).astype(int) if is_sales else None,
        units_a_sale=units / max(sales, 1) if is_sales else None,
    )


def _by_price(own: pa.Table, *, is_sales: bool) -> pa.Table:
    """Return the rows of a date by product and price, in the columns of `_HOW` that the file tells."""
    ones = pa.array(np.ones(own.num_rows, np.int64))
    columns = {name: own[name] for name in (*_PAIR, "price_offered")} | {"rows": ones, "visits": ones}
    for theirs, name in _BESIDE.items():
        if theirs in own.column_names:
            columns |= {name: own[theirs], f"known_{name}": own[theirs].is_valid().cast(pa.int64())}
    rows = pa.table(columns)
    if is_sales:
        rows = _grouped(rows, ["store", *_PRICE])
        rows = rows.set_column(rows.column_names.index("visits"), "visits", pa.array(np.ones(rows.num_rows, np.int64)))
    return _grouped(rows, _PRICE)


def _grouped(rows: pa.Table, keys: list[str]) -> pa.Table:
    """Group rows, and keep the names of their columns."""
    how = [(name, _HOW[name]) for name in rows.column_names if name in _HOW]
    found = rows.group_by(keys, use_threads=False).aggregate(how)
    return found.select([*keys, *map("_".join, how)]).rename_columns([*keys, *(name for name, _ in how)])


def _beside(counted: pd.DataFrame) -> pd.DataFrame:
    by_product = counted.groupby("product")
    found = {
        name: by_product[name].sum() / by_product[f"known_{name}"].sum() for name in ("cost", "base") if name in counted
    }
    return pd.DataFrame(found | ({"stock": by_product["stock"].max()} if "stock" in counted else {}))
