"""What drawn prices brought against the owner's: the chain, each week and each store, in euros and with intervals.

Some store weeks are held at the owner's prices by the draw. They are compared with all others: see
`serving.counts.earned_profit`. Only what sold at the price that was drawn counts, on either side.
"""

import datetime as dt
import hashlib
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from catalog.contracts import TABLES
from catalog.currency import Currency
from catalog.errors import DataError, ShelfpriceError
from serving.counts.earned_profit import EarnedProfit, SoldRows, earned_profit
from serving.drawn_prices import BACK, TABLE
from training.drawn_sales import read_drawn_sales
from warehouse.lake import Partition
from warehouse.workspace import Workspace


@dataclass(frozen=True)
class EarnedByDraws:
    """What drawn prices brought.

    Attributes
    ----------
    first, through
        Business dates that were looked at.
    chain
        Of all stores over all weeks.
    weeks
        Of all stores, by the first date of each draw.
    stores
        Of each store over all weeks.
    """

    first: dt.date
    through: dt.date
    chain: EarnedProfit
    weeks: dict[dt.date, EarnedProfit]
    stores: dict[str, EarnedProfit]

    def as_json(self) -> dict[str, Any]:
        """Return everything as plain values; what is not known is null."""
        return {
            "first": self.first,
            "through": self.through,
            **_plain(self.chain),
            "weeks": [{"first": first, **_plain(own)} for first, own in self.weeks.items()],
            "stores": [{"store": store, **_plain(own)} for store, own in self.stores.items()],
        }


def record_earned(workspace: Workspace) -> list[str]:
    """Record after a night what drawn prices have brought, and say it in a sentence; nothing before the first draw."""
    lake = workspace.lake
    if not lake.dates(TABLE):
        return []
    try:
        found = earned_by_draws(workspace)
    except DataError:
        return []  # nothing has sold at a drawn price yet
    except ShelfpriceError as error:
        return [f"nobody could work out what drawn prices brought: {error}"]
    parts = {("chain", ""): found.chain}
    parts |= {("week", str(first)): own for first, own in found.weeks.items()}
    parts |= {("store", store): own for store, own in found.stores.items()}
    rows = [{"scope": scope, "name": name, "first": found.first, **_plain(own)} for (scope, name), own in parts.items()]
    table = pa.Table.from_pylist(rows, schema=TABLES["earned"].schema)
    lake.publish(
        Partition("earned", found.through, "all"), table, inputs=hashlib.sha256(repr(rows).encode()).hexdigest()
    )
    return [_said(found.chain, workspace.catalog.store.money)]


def _said(chain: EarnedProfit, money: Currency) -> str:
    if not np.isfinite([chain.share, chain.share_low, chain.share_high]).all():
        return f"too few store weeks were held at your own prices to say what drawn ones brought: {chain.n_held} so far"
    return (
        f"drawn prices brought {money.format_money(chain.euros)} more than your own, {chain.share:+.1%} "
        f"({chain.share_low:+.1%} to {chain.share_high:+.1%})"
    )


def earned_by_draws(workspace: Workspace, through: dt.date | None = None) -> EarnedByDraws:
    """Return what drawn prices brought up to a business date, by default to the newest with sales.

    Raises
    ------
    DataError
        When no price was drawn, or nothing has sold at a drawn price yet.
    """
    lake, catalog = workspace.lake, workspace.catalog
    first, last = min(lake.dates(TABLE), default=None), max(lake.dates("exposures"), default=None)
    if first is None:
        raise DataError(
            "expected prices that were drawn, found none; nothing was compared: set `sales: outside` and "
            "`drawn_prices: {products: all}` in store.yaml, and run `shelfprice nightly`"
        )
    through = through or last
    if through is None or through < first:
        raise DataError(
            f"expected sales from {first} on, the first date with drawn prices, found none; nothing was compared: send "
            "them to `shelfprice serve`, or run `shelfprice take-in`"
        )
    sold = read_drawn_sales(lake, first, through)
    costs = dict(zip(catalog.skus, catalog.unit_costs, strict=True))
    sold = sold[sold["sku"].isin(costs) & (sold["design"] != BACK) & ~sold["is_on_the_way"]]
    sold = sold.assign(first_date=lambda own: pd.to_datetime(own["first_date"]).dt.date)
    if sold.empty:
        raise DataError(
            f"expected sales at drawn prices from {first} to {through}, found none; nothing was compared: see "
            "`not_ours` in the table exposures for why"
        )
    return EarnedByDraws(
        first,
        through,
        _earned(sold, costs),
        {date: _earned(sold[sold["first_date"] == date], costs) for date in sorted(set(sold["first_date"]))},
        {str(store): _earned(own, costs) for store, own in sold.groupby("store_id")},
    )


def _earned(sold: pd.DataFrame, costs: dict[str, float]) -> EarnedProfit:
    return earned_profit(
        SoldRows(
            stores=pd.factorize(sold["store_id"], sort=True)[0].astype(np.int64),
            weeks=pd.factorize(sold["first_date"], sort=True)[0].astype(np.int64),
            units=sold["units"].to_numpy(dtype=float),
            prices=sold["price"].to_numpy(dtype=float),
            owner=sold["shelf_price"].to_numpy(dtype=float),
            costs=np.array([costs[sku] for sku in sold["sku"]]),
            is_held=sold["is_held"].to_numpy(dtype=bool),
            blocks=pd.factorize(sold["block"], sort=True)[0].astype(np.int64),
        )
    )


def _plain(found: EarnedProfit) -> dict[str, float | int | None]:
    return {name: value if np.isfinite(value) else None for name, value in asdict(found).items()}
