"""What stores threw away at drawn prices and where products were held, and what drawn prices brought less waste.

It is told of product weeks in which the stock of the product is on the store's books, each day that it opened. The
others are left out. The comparison is that of profits, with the same interval: see
`plugins.own_store.learning.earned_profit`. Waste is rarer than sales, so its interval is wider.
"""

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from catalog.currency import Currency
from catalog.load import Catalog
from plugins.own_store.earned_weeks import earned_of
from plugins.own_store.learning.earned_profit import EarnedProfit
from warehouse.lake import Lake
from warehouse.partition import between

_MOVED = {"units_spoiled": "units_wasted", "waste_eur": "waste_eur", "holding_eur": "holding_eur"}
"""Columns of `stock_movements`, and of `earned_slots`."""


@dataclass(frozen=True)
class ThrownAway:
    """What a product week threw away on average, in units and at cost with disposal, EUR."""

    units: float
    euros: float


@dataclass(frozen=True)
class WasteByDraws:
    """Waste at drawn prices against the owner's.

    Attributes
    ----------
    drawn, held
        What a product week at a drawn price threw away, and one that was held.
    change
        Waste more than the owner's prices would have brought; below 0 where drawn prices save some.
    less_waste
        Profit less waste and what nights cost, more than the owner's prices would have brought.
    n_unknown
        Product weeks that are left out, for not all of their stock was told.
    """

    drawn: ThrownAway
    held: ThrownAway
    change: EarnedProfit
    less_waste: EarnedProfit
    n_unknown: int

    def as_json(self) -> dict[str, Any]:
        """Return everything as plain values; what is not known is null."""
        parts = ("drawn", "held", "change", "less_waste")
        return {**{name: plain(getattr(self, name)) for name in parts}, "n_unknown": self.n_unknown}

    def said(self, money: Currency) -> str:
        """Say what a product week threw away."""
        shown = [f"{own.units:,.1f} units, {money.format_money(own.euros)}" for own in (self.drawn, self.held)]
        return f"a product in a store threw away {shown[0]} a week at drawn prices, and {shown[1]} where it was held"


def plain(found: EarnedProfit | ThrownAway) -> dict[str, float | int | None]:
    """Return the fields of a record; what is not known is null."""
    return {name: value if np.isfinite(value) else None for name, value in asdict(found).items()}


def thrown_away(lake: Lake, catalog: Catalog, dates: tuple[dt.date, dt.date], drawn: pd.DataFrame) -> pd.DataFrame:
    """Return what products threw away, by `store_id` and `sku`; a product whose stock is not told is missing.

    Parameters
    ----------
    dates
        The first and the last business date.
    drawn
        A row for each store and product that was drawn, with `store_id` and `sku`.
    """
    first, last = dates
    days = [first + dt.timedelta(days=day) for day in range((last - first).days + 1)]
    open_days = sum(catalog.store.is_open_on(day) for day in days)
    places = ["store_id", "sku"]
    frames = [
        lake.read(part).select([*places, *_MOVED]).to_pandas()
        for part in lake.partitions("stock_movements", between(first, last))
    ]
    moved = pd.concat(frames) if frames else pd.DataFrame(columns=[*places, *_MOVED])
    by_product = moved.astype(dict.fromkeys(places, str)).groupby(places)
    told = by_product[list(_MOVED)].sum()[by_product.size() >= open_days].rename(columns=_MOVED)
    pairs = drawn[places].astype(str)
    keeps = pairs[~pairs["sku"].isin([product.sku for product in catalog.products if product.lives_on])]
    nothing = keeps.assign(**dict.fromkeys(_MOVED.values(), 0.0)).set_index(places)
    return pd.concat([told.drop(nothing.index, errors="ignore"), nothing]).reset_index()


def waste_by_draws(catalog: Catalog, weeks: pd.DataFrame) -> WasteByDraws | None:
    """Compare what was thrown away, from rows of `with_forecasts`; None while no stock that lives over days is told."""
    told = weeks[weeks["waste_eur"].notna()]
    if not told["sku"].isin([product.sku for product in catalog.products if product.lives_on]).any():
        return None
    means = told.groupby("is_held")[["units_wasted", "waste_eur"]].mean().reindex([False, True])
    drawn, held = (ThrownAway(*row) for row in means.to_numpy(dtype=float).tolist())
    left = told.assign(profit_less_waste=told["profit"] - told["waste_eur"] - told["holding_eur"])
    change, less = earned_of(told, "waste_eur"), earned_of(left, "profit_less_waste")
    return WasteByDraws(drawn, held, change, less, len(weeks) - len(told))
