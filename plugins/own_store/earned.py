"""What drawn prices brought against the owner's: the chain, each week, category and store, in euros with intervals.

Some store weeks are held at the owner's prices by the draw. They are compared with all others: see
`plugins.own_store.learning.earned_profit`. Only what sold at the price that was drawn counts, on either side.

A night reads the slots alone that something came for since: what each store and category brought in a slot is kept in
`earned_slots`, and made anew whole from the slot's own sales, so that no total is ever added to.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import fsum
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from catalog.currency import Currency
from catalog.errors import DataError, ShelfpriceError
from catalog.load import Catalog
from catalog.tables.contracts import TABLES
from plugins.own_store.draws.drawn_prices import BACK, TABLE
from plugins.own_store.draws.drawn_sales import DAYS, read_drawn_sales, sold_before_draws
from plugins.own_store.earned_waste import COLUMNS, WasteByDraws, compared, plain, thrown_away, waste_by_draws
from plugins.own_store.experiment import record_outcomes
from plugins.own_store.learning.draws_of_prices import way_slots
from plugins.own_store.learning.earned_profit import EarnedProfit
from warehouse.lake import Lake, Partition
from warehouse.partition import between
from warehouse.workspace import Workspace

SLOTS = "earned_slots"


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
        Of all stores, by the first date of each week or other slot.
    categories
        Of each category in all stores over all weeks.
    stores
        Of each store over all weeks.
    finished
        First and last date of the newest week that is over; None while there is none.
    waste
        What was thrown away, over all weeks; None while no stock that lives over days is told.
    unknown_costs
        Products whose cost is not known: their profit is revenue, and their waste the disposal alone.
    """

    first: dt.date
    through: dt.date
    chain: EarnedProfit
    weeks: dict[dt.date, EarnedProfit]
    categories: dict[str, EarnedProfit]
    stores: dict[str, EarnedProfit]
    finished: tuple[dt.date, dt.date] | None
    waste: WasteByDraws | None = None
    unknown_costs: tuple[str, ...] = ()

    @property
    def parts(self) -> dict[tuple[str, str], EarnedProfit]:
        """Return all of it by scope and name, as the table `earned` has it."""
        parts = {("chain", ""): self.chain}
        if self.waste is not None:
            parts |= {("waste", ""): self.waste.change, ("less waste", ""): self.waste.less_waste}
        parts |= {("week", str(first)): own for first, own in self.weeks.items()}
        parts |= {("category", name): own for name, own in self.categories.items()}
        return parts | {("store", store): own for store, own in self.stores.items()}

    def as_json(self) -> dict[str, Any]:
        """Return everything as plain values; what is not known is null."""
        return {
            "first": self.first,
            "through": self.through,
            **plain(self.chain),
            "weeks": [{"first": first, **plain(own)} for first, own in self.weeks.items()],
            "categories": [{"category": name, **plain(own)} for name, own in self.categories.items()],
            "stores": [{"store": store, **plain(own)} for store, own in self.stores.items()],
            "waste": None if self.waste is None else self.waste.as_json(),
            "unknown_costs": self.unknown_costs,
        }


def record_earned(workspace: Workspace) -> list[str]:
    """Record after a night what drawn prices have brought, and say it in sentences; nothing before the first draw."""
    lake, money = workspace.lake, workspace.catalog.store.money
    if not lake.dates(TABLE):
        return []
    try:
        for slot in _slots(lake, max(lake.dates("exposures"), default=dt.date.min)):
            if not slot.is_kept(lake, workspace.catalog):
                lake.publish(
                    Partition(SLOTS, slot.first, "all"),
                    slot.totals(lake, workspace.catalog),
                    inputs=slot.inputs(lake, workspace.catalog),
                )
        found = earned_by_draws(workspace)
    except DataError:
        return []  # nothing has sold at a drawn price yet
    except ShelfpriceError as error:
        return [f"nobody could work out what drawn prices brought: {error}"]
    rows = [
        {"scope": scope, "name": name, "first": found.first, **plain(own)} for (scope, name), own in found.parts.items()
    ]
    table = pa.Table.from_pylist(rows, schema=TABLES["earned"].schema)
    lake.publish(
        Partition("earned", found.through, "all"), table, inputs=hashlib.sha256(repr(rows).encode()).hexdigest()
    )
    record_outcomes(workspace)
    waste = [] if found.waste is None or found.waste.change.n_held == 0 else [found.waste.said(money)]
    return [_said(found.chain, money), *week_said(found, money), *waste]


def _said(chain: EarnedProfit, money: Currency) -> str:
    if not np.isfinite(chain.share):
        return f"too few store weeks were held at your own prices to say what drawn ones brought: {chain.n_held} so far"
    if not np.isfinite([chain.share_low, chain.share_high]).all():
        brought = f"{money.format_money(chain.euros)} more than your own, {chain.share:+.1%}"
        return f"drawn prices brought {brought}; {chain.n_held} held store weeks are too few for an interval"
    return f"drawn prices brought {_told(chain, money)}"


def week_said(found: EarnedByDraws, money: Currency) -> list[str]:
    """Say what the newest week that is over brought; nothing where its held stores are too few to know."""
    if found.finished is None:
        return []
    first, through = found.finished
    week = found.weeks[first]
    is_known = np.isfinite([week.share, week.share_low, week.share_high]).all()
    return [f"the week from {first} to {through} brought {_told(week, money)}"] if is_known else []


def _told(found: EarnedProfit, money: Currency) -> str:
    return (
        f"{money.format_money(found.euros)} more than your own, {found.share:+.1%} "
        f"({found.share_low:+.1%} to {found.share_high:+.1%})"
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
    parts = [slot.kept_or_made(lake, catalog).to_pandas() for slot in _slots(lake, through)]
    sold = pd.concat(parts)
    if sold.empty:
        raise DataError(
            f"expected sales at drawn prices from {first} to {through}, found none; nothing was compared: see "
            "`not_ours` in the table exposures for why"
        )
    begins, before = sold.groupby("through")["first"].min(), _before_draws(lake, catalog, through)
    rules = catalog.store.drawn_prices
    days, way = DAYS[rules.changes], way_slots(rules.band, catalog.store.drawn_step)
    over = [week for week in begins.index if week <= through]

    def earned(own: pd.DataFrame, name: str | None = None) -> EarnedProfit:
        usual = before if name is None or before.empty else before[before[name] == own[name].iloc[0]]
        return compared(pd.concat([usual, own]) if len(usual) else own, days, way)

    return EarnedByDraws(
        first,
        through,
        earned(sold),
        {begins[week]: earned(own) for week, own in sold.groupby("through")},
        {str(name): earned(own, "category") for name, own in sold.groupby("category")},
        {str(store): earned(own, "store_id") for store, own in sold.groupby("store_id")},
        (begins[over[-1]], over[-1]) if over else None,
        None if catalog.stock_rules is None else waste_by_draws(sold, days, way),
        tuple(one.sku for one in catalog.products if one.unit_cost == 0 and rules.includes(one.sku)),
    )


def _before_draws(lake: Lake, catalog: Catalog, through: dt.date) -> pd.DataFrame:
    """Return what stores brought in slots at the owner's prices before the first draw, as `earned_slots` has it.

    Days of a slot that tell nothing are taken for days like its others. A slot of which half is not known is left out,
    and so is one in which a product that the store sells is missing.
    """
    days, shelf = DAYS[catalog.store.drawn_prices.changes], {own.sku: own for own in catalog.products}
    sold = sold_before_draws(lake, catalog, through, None, days)
    if sold.empty:
        return sold
    sold = sold[sold["sku"].isin(shelf) & (2 * sold["days"] > days)]
    sold = sold.assign(
        category=[shelf[sku].category for sku in sold["sku"]],
        profit=sold["units"] * (sold["price"] - [shelf[sku].unit_cost for sku in sold["sku"]]) * days / sold["days"],
    )
    by_slot = sold.groupby(["store_id", "first_date"])["sku"].transform("nunique")
    sold = sold[by_slot == sold.groupby("store_id")["sku"].transform("nunique")]
    slots = sold.groupby(["store_id", "category", "first_date"], as_index=False).agg(profit=("profit", fsum))
    slots = slots.rename(columns={"first_date": "through"})
    return slots.assign(block="", is_held=True, is_before=True)


@dataclass(frozen=True)
class _Slot:
    """The business dates for which a draw stands, as far as they are looked at."""

    first: dt.date
    last: dt.date

    def inputs(self, lake: Lake, catalog: Catalog) -> str:
        """Fingerprint of what the totals are made from: the draw, the slot's sales, costs and categories."""
        of_slot = between(self.first, self.last)
        parts = list(lake.partitions_on(TABLE, self.first))
        parts += [own for table in ("exposures", "stock_movements") for own in lake.partitions(table, of_slot)]
        receipts = [(str(part), lake.receipt(part)) for part in parts]
        proof = [(name, None if receipt is None else receipt.sha256) for name, receipt in receipts]
        shelf = [(own.sku, own.category, own.unit_cost, own.lives_on) for own in catalog.products]
        return hashlib.sha256(repr((self.last, proof, shelf)).encode()).hexdigest()

    def is_kept(self, lake: Lake, catalog: Catalog) -> bool:
        """Tell whether the lake has the totals, made from what it holds now."""
        return lake.is_current(Partition(SLOTS, self.first, "all"), self.inputs(lake, catalog))

    def kept_or_made(self, lake: Lake, catalog: Catalog) -> pa.Table:
        """Return the totals that are kept, and where these are not current the ones they would be."""
        is_kept = self.is_kept(lake, catalog)
        return lake.read(Partition(SLOTS, self.first, "all")) if is_kept else self.totals(lake, catalog)

    def totals(self, lake: Lake, catalog: Catalog) -> pa.Table:
        """Return what each store and category brought, as rows of `earned_slots`; each sum is rounded once."""
        sold, shelf = read_drawn_sales(lake, self.first, self.last), {own.sku: own for own in catalog.products}
        sold = sold[sold["sku"].isin(shelf) & (sold["design"] != BACK)]
        sold = sold[~sold.groupby("store_id")["is_on_the_way"].transform("any")]
        sold = sold.assign(
            category=[shelf[sku].category for sku in sold["sku"]],
            profit=sold["units"] * (sold["price"] - [shelf[sku].unit_cost for sku in sold["sku"]]),
        )
        waste = thrown_away(lake, catalog, (self.first, self.last), sold)
        rows = [
            {
                "first": self.first,
                "through": pd.Timestamp(own["through"].iloc[0]).date(),
                "store_id": store,
                "category": category,
                "block": own["block"].iloc[0],
                "is_held": bool(own["is_held"].iloc[0]),
                "profit": fsum(own["profit"]),
                **dict(zip(COLUMNS, waste[str(store), str(category)], strict=True)),
            }
            for (store, category), own in sold.groupby(["store_id", "category"])
        ]
        return pa.Table.from_pylist(rows, schema=TABLES[SLOTS].schema)


def _slots(lake: Lake, through: dt.date) -> Iterator[_Slot]:
    """Yield the slots of all draws up to a date."""
    dates = [date for date in lake.dates(TABLE) if date <= through]
    for first, following in pairwise([*dates, through + dt.timedelta(days=1)]):
        yield _Slot(first, following - dt.timedelta(days=1))
