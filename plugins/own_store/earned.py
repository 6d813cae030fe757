"""What drawn prices brought against the owner's: the chain, each week, category and store, in euros with intervals.

Some product weeks are held at the owner's price by the draw. They are compared with all others: see
`plugins.own_store.learning.earned_profit`. Only what sold at the price that was drawn counts, on either side.

A night reads the slots alone that something came for since: what each product brought in a store and slot is kept in
`earned_slots`, and made anew whole from the slot's own sales, so that no total is ever added to.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from catalog.currency import Currency
from catalog.errors import DataError, ShelfpriceError
from catalog.load import Catalog
from catalog.tables.contracts import TABLES
from plugins.own_store.draws.drawn_prices import BACK, TABLE, newest_draw
from plugins.own_store.draws.drawn_sales import DAYS, read_drawn_sales
from plugins.own_store.earned_waste import WasteByDraws, plain, thrown_away, waste_by_draws
from plugins.own_store.earned_weeks import earned_of, with_forecasts
from plugins.own_store.experiment import record_outcomes
from plugins.own_store.learning.earned_profit import EarnedProfit
from warehouse.lake import Lake, Partition
from warehouse.partition import between
from warehouse.workspace import Workspace

SLOTS = "earned_slots"


_WEEK = 7  # days
_NARROW = 0.4  # width of an interval, as a share of profit, that says something of a week


@dataclass(frozen=True)
class Lately:
    """What drawn prices brought over the newest slots that are over, and the first and last date of these."""

    first: dt.date
    through: dt.date
    earned: EarnedProfit


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
    lately
        Of all stores over the newest weeks that are over, as few as an interval needs; None while there are none.
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
    lately: Lately | None
    waste: WasteByDraws | None = None
    unknown_costs: tuple[str, ...] = ()

    @property
    def parts(self) -> dict[tuple[str, str], EarnedProfit]:
        """Return all of it by scope and name, as the table `earned` has it."""
        parts = {("chain", ""): self.chain}
        if self.lately is not None:
            parts |= {("lately", str(self.lately.first)): self.lately.earned}
        if self.waste is not None:
            parts |= {("waste", ""): self.waste.change, ("less waste", ""): self.waste.less_waste}
        parts |= {("week", str(first)): own for first, own in self.weeks.items()}
        parts |= {("category", name): own for name, own in self.categories.items()}
        return parts | {("store", store): own for store, own in self.stores.items()}

    def as_json(self) -> dict[str, Any]:
        """Return everything as plain values; what is not known is null."""
        lately = self.lately
        return {
            "first": self.first,
            "through": self.through,
            **plain(self.chain),
            "lately": None
            if lately is None
            else {"first": lately.first, "through": lately.through, **plain(lately.earned)},
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
        return "no product week was held at your own prices yet, so nobody knows what drawn ones brought"
    if not chain.is_known:
        brought = f"{money.format_money(chain.euros)} more than your own, {chain.share:+.1%}"
        return f"drawn prices brought {brought}; {chain.n_held} held product weeks are too few for an interval"
    return f"drawn prices brought {_told(chain, money)}"


def week_said(found: EarnedByDraws, money: Currency) -> list[str]:
    """Say what the newest weeks that are over brought; nothing while the held product weeks are too few to know."""
    lately = found.lately
    if lately is None or not lately.earned.is_known:
        return []
    weeks = "week" if (lately.through - lately.first).days < _WEEK else "weeks"
    return [f"the {weeks} from {lately.first} to {lately.through} brought {_told(lately.earned, money)}"]


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
    weeks = with_forecasts(_with_expectations(lake, catalog, sold, through))
    begins = weeks.groupby("through")["first"].min()
    over = sorted(week for week in begins.index if week <= through)
    return EarnedByDraws(
        first,
        through,
        earned_of(weeks),
        {begins[week]: earned_of(own) for week, own in weeks.groupby("through")},
        {str(name): earned_of(own) for name, own in weeks.groupby("category")},
        {str(store): earned_of(own) for store, own in weeks.groupby("store_id")},
        _lately(weeks[weeks["through"].isin(over)]),
        None if catalog.stock_rules is None else waste_by_draws(catalog, weeks),
        tuple(
            one.sku for one in catalog.products if one.unit_cost == 0 and catalog.store.drawn_prices.includes(one.sku)
        ),
    )


def _lately(over: pd.DataFrame) -> Lately | None:
    """Pool the newest slots that are over, from the last back, until the interval is narrow enough to say something."""
    found = None
    for last in sorted(set(over["through"]), reverse=True):
        pooled = over[over["through"] >= last]
        found = Lately(pooled["first"].min(), pooled["through"].max(), earned_of(pooled))
        if found.earned.share_high - found.earned.share_low <= _NARROW:
            break
    return found


def _with_expectations(lake: Lake, catalog: Catalog, sold: pd.DataFrame, through: dt.date) -> pd.DataFrame:
    """Return rows of `earned_slots` with category and family, and what the newest draw up to a date expected."""
    families = catalog.store.drawn_prices.numbers_of_families(catalog.skus)
    shelf = pd.DataFrame(
        {"sku": catalog.skus, "category": [own.category for own in catalog.products], "family": families}
    )
    columns = ["store_id", "sku", "expected_units", "response", "shelf_price"]
    newest = newest_draw(lake, through)
    drawn = pd.DataFrame(columns=columns) if newest is None else lake.read(newest).select(columns).to_pandas()
    texts = {"store_id": str, "sku": str}
    expected = drawn.rename(columns={"shelf_price": "expected_at"}).astype(texts)
    numbers = dict.fromkeys(("expected_units", "response", "expected_at"), float)
    found = sold.astype(texts).merge(shelf, on="sku").merge(expected, on=["store_id", "sku"], how="left")
    return found.astype(numbers)


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
        """Return what each product brought in each store, as rows of `earned_slots`."""
        sold, shelf = read_drawn_sales(lake, self.first, self.last), {own.sku: own for own in catalog.products}
        sold = sold[sold["sku"].isin(shelf) & (sold["design"] != BACK)]
        minutes = catalog.store.opening.minutes * DAYS[catalog.store.drawn_prices.changes]
        sold = sold.assign(
            first=self.first,
            through=pd.to_datetime(sold["through"]).dt.date,
            unit_cost=[shelf[sku].unit_cost for sku in sold["sku"]],
            exposure=sold["minutes"] / minutes,
        )
        waste = thrown_away(lake, catalog, (self.first, self.last), sold)
        found = sold.merge(waste, on=["store_id", "sku"], how="left")
        schema = TABLES[SLOTS].schema
        return pa.table([pa.array(found[own.name], own.type, from_pandas=True) for own in schema], schema=schema)


def _slots(lake: Lake, through: dt.date) -> Iterator[_Slot]:
    """Yield the slots of all draws up to a date."""
    dates = [date for date in lake.dates(TABLE) if date <= through]
    for first, following in pairwise([*dates, through + dt.timedelta(days=1)]):
        yield _Slot(first, following - dt.timedelta(days=1))
