"""What stores threw away at drawn prices and where they were held, and what drawn prices brought less waste and nights.

It is told of store weeks in which the stock of every drawn product that lives over days is on the store's books, each
day that it opened. The others are left out, and so are weeks before the first draw, of which no waste is known. The
comparison is that of profits, with the same interval: see `plugins.own_store.learning.earned_profit`. Waste is rarer
than sales, so its interval is wider, and open where held stores threw nothing away.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import fsum
from typing import Any

import numpy as np
import pandas as pd

from catalog.currency import Currency
from catalog.load import Catalog
from plugins.own_store.learning.draws_of_prices import STANDS
from plugins.own_store.learning.earned_profit import EarnedProfit, StoreWeeks, earned_profit
from warehouse.lake import Lake
from warehouse.partition import between

COLUMNS = ("units_wasted", "waste_eur", "holding_eur")
"""Of `earned_slots`."""
_MOVED = ["store_id", "sku", "units_spoiled", "waste_eur", "holding_eur"]


@dataclass(frozen=True)
class ThrownAway:
    """What a store week threw away on average, in units and at cost with disposal, EUR."""

    units: float
    euros: float


@dataclass(frozen=True)
class WasteByDraws:
    """Waste at drawn prices against the owner's.

    Attributes
    ----------
    drawn, held
        What a store week of drawn prices threw away, and one that was held.
    change
        Waste more than the owner's prices would have brought; below 0 where drawn prices save some.
    less_waste
        Profit less waste and what nights cost, more than the owner's prices would have brought.
    n_unknown
        Store weeks that are left out, for not all of their stock was told.
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
        """Say what a store week threw away."""
        shown = [f"{own.units:,.1f} units, {money.format_money(own.euros)}" for own in (self.drawn, self.held)]
        return f"a store week threw away {shown[0]} at drawn prices, and {shown[1]} where it was held"


def plain(found: EarnedProfit | ThrownAway) -> dict[str, float | int | None]:
    """Return the fields of a record; what is not known is null."""
    return {name: value if np.isfinite(value) else None for name, value in asdict(found).items()}


def thrown_away(
    lake: Lake, catalog: Catalog, dates: tuple[dt.date, dt.date], drawn: pd.DataFrame
) -> Mapping[tuple[str, str], tuple[float | None, ...]]:
    """Return what stores threw away by store and category, in the order of `COLUMNS`; None where stock is not told.

    Parameters
    ----------
    dates
        The first and the last business date.
    drawn
        A row for each store and product that was drawn, with `store_id`, `sku` and `category`.
    """
    parts = list(lake.partitions("stock_movements", between(*dates)))
    frames = [lake.read(part).select(_MOVED).to_pandas().assign(date=part.business_date) for part in parts]
    moved = pd.concat(frames) if frames else pd.DataFrame(columns=[*_MOVED, "date"])
    moved = moved.astype({"store_id": str, "sku": str})
    days = (dates[0] + dt.timedelta(days=day) for day in range((dates[1] - dates[0]).days + 1))
    open_dates = {day for day in days if catalog.store.is_open_on(day)}
    by_product = dict(list(moved.groupby(["store_id", "sku"])))
    lives_on = {product.sku for product in catalog.products if product.lives_on}
    found = dict[tuple[str, str], tuple[float | None, ...]]()
    for (store, category), own in drawn.groupby(["store_id", "category"]):
        rows = [by_product.get((store, sku), moved[:0]) for sku in sorted(lives_on.intersection(own["sku"]))]
        is_told = all(open_dates.issubset(one["date"]) for one in rows)
        totals = tuple(fsum(fsum(one[name]) for one in rows) for name in _MOVED[2:])
        found[str(store), str(category)] = totals if is_told else (None,) * len(COLUMNS)
    return found


def waste_by_draws(sold: pd.DataFrame, days: int, way: int) -> WasteByDraws | None:
    """Compare what was thrown away, from rows of `earned_slots`; None while no stock that lives over days is told."""
    weeks = _weeks(sold, ("profit", *COLUMNS))
    told = weeks[weeks["waste_eur"].notna()]
    if told.empty:
        return None
    means = told.groupby("is_held")[["units_wasted", "waste_eur"]].mean().reindex([False, True])
    drawn, held = (ThrownAway(*row) for row in means.to_numpy(dtype=float).tolist())
    left = told["profit"] - told["waste_eur"] - told["holding_eur"]
    change, less = (compared(told.assign(profit=own), days, way) for own in (told["waste_eur"], left))
    return WasteByDraws(drawn, held, change, less, len(weeks) - len(told))


def compared(sold: pd.DataFrame, days: int, way: int) -> EarnedProfit:
    """Compare the `profit` of store weeks that were drawn with those that were held, from rows of `earned_slots`.

    Parameters
    ----------
    days
        Length of a slot.
    way
        Slots that the way home may take at the beginning of a stretch; they are cut once draws are older than a hold:
        in the first one, no price is far from the owner's.
    """
    weeks = _weeks(sold, ("profit",))
    stores, blocks = (pd.factorize(weeks[name], sort=True)[0] for name in ("store_id", "block"))
    dates = pd.to_datetime(weeks["through"])
    slots = (dates - dates.min()).dt.days // days
    began = pd.to_datetime(weeks["block"].str.rsplit("/", n=1).str[-1], errors="coerce")
    is_cut = (dates - began).dt.days < days * way  # the slot ends that many days after the stretch began, less one
    drawn = slots[~weeks["is_before"].to_numpy(dtype=bool)]
    is_cut &= drawn.max() - drawn.min() >= way + STANDS
    return earned_profit(
        StoreWeeks(
            stores.astype(np.int64),
            np.asarray(slots, dtype=np.int64),
            weeks["profit"].to_numpy(dtype=float),
            weeks["is_held"].to_numpy(dtype=bool),
            blocks.astype(np.int64),
            weeks["is_before"].to_numpy(dtype=bool),
        ),
        is_cut=is_cut.to_numpy(dtype=bool),
    )


def _weeks(sold: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """Put the categories of each store week together; what is not known of one is not known of the week."""
    sold = sold.assign(is_before=sold["is_before"].eq(other=True) if "is_before" in sold else False)
    return sold.groupby(["store_id", "through"], as_index=False).agg(
        **{name: (name, fsum) for name in columns},
        **{name: (name, "first") for name in ("is_held", "block", "is_before")},
    )
