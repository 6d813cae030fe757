"""What tills of stores that sell by themselves leave undone: they send no sales, or charge prices that are not ours."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from catalog.load import Catalog
from flows.clock import now_of
from warehouse.connection import workbench
from warehouse.lake import Lake
from warehouse.partition import between
from warehouse.proof import Span, prove
from warehouse.sql_files import queries_beside
from warehouse.workspace import Workspace

_ONE_DAY = dt.timedelta(days=1)
_MOST_DATES = 62
"""Dates with sales that are looked at for a store that sent none lately."""
_WEEK = 7
FEED_REMEDY = "see whether its till still writes, and `shelfprice take-in` or `shelfprice serve` runs"
PRICE_REMEDY = (
    "let the till charge what `shelfprice export` sends; `shelfprice override --shelf-price` tells a new price of your "
    "own, and `shelfprice override` fixes one"
)
_query = queries_beside(__file__)


@dataclass(frozen=True)
class SilentStore:
    """A store without sales on its last open `days`, from `since` on; `last` is its newest date with any, if one is."""

    store: str
    last: dt.date | None
    since: dt.date
    days: int

    @property
    def sentence(self) -> str:
        """What is missing."""
        known = "no sale ever came in" if self.last is None else f"the last sales are of {self.last}"
        return f"{self.store}: {known}, and those of {self.days} open days since {self.since} are missing"


@dataclass(frozen=True)
class OtherPrices:
    """Units of drawn products that a store sold in the week through a date at prices that were not ours, EUR.

    `sku` is the product with most of them, `charged` its price at the till and `ours` the price of ours, None where no
    price was sent.
    """

    store: str
    through: dt.date
    units: float
    sold: float
    count_products: int
    sku: str
    charged: float
    ours: float | None

    def sentence(self, catalog: Catalog) -> str:
        """Say how much was sold at which prices."""
        told = catalog.store.money.format_money
        where = "no price was sent" if self.ours is None else f"{told(self.ours)} stood"
        return (
            f"in the week through {self.through}, {self.units:g} of {self.sold:g} units of drawn products in "
            f"{self.store} were charged at prices that are not ours ({self.count_products} products), such as "
            f"{self.sku} at {told(self.charged)} where {where}: nothing is learned from them"
        )


def silent_stores(workspace: Workspace, least: int) -> Iterator[SilentStore]:
    """Yield the stores that sent no sales of so many open days or more, until now; none before the first ones came."""
    lake, rules, now = workspace.lake, workspace.catalog.store, now_of(workspace)
    dates = lake.dates("exposures") if rules.sales == "outside" else []
    last = _last_dates(lake, sorted({*dates, *lake.dates("unit_sales")}), set(rules.stores)) if dates else {}
    for store in rules.stores if dates else ():
        clock = rules.clock_of(store)
        today = clock.date_of(now)
        end = today if now >= clock.closing_of(today) else today - _ONE_DAY
        first = last[store] + _ONE_DAY if store in last else dates[0]
        days = [first + number * _ONE_DAY for number in range((end - first).days + 1)]
        missing = [date for date in days if rules.is_open_on(date)]
        if len(missing) >= least:
            yield SilentStore(store, last.get(store), missing[0], len(missing))


def other_prices(workspace: Workspace, share: float) -> Iterator[OtherPrices]:
    """Yield the stores that sold at least a share of drawn products' units of a week at prices that are not ours."""
    lake = workspace.lake
    newest, draws = next(lake.newest_dates("exposures"), None), lake.dates("price_draws")
    if workspace.catalog.store.sales != "outside" or newest is None or not draws:
        return
    first = newest - (_WEEK - 1) * _ONE_DAY
    since = max((date for date in draws if date <= first), default=first)
    prove(lake, (Span("price_draws", since, newest), Span("exposures", first, newest)), sets_aside=False)
    with workbench(workspace.settings, between(since, newest)) as connection:
        asked = {"first": first, "last": newest, "share": share}
        rows = connection.execute(_query("other_prices"), asked).fetchall()
    for store, units, sold, count, sku, charged, ours in rows:
        yield OtherPrices(store, newest, units, sold, count, sku, charged, None if ours < 0 else ours)


def _last_dates(lake: Lake, dates: list[dt.date], stores: set[str]) -> dict[str, dt.date]:
    """Return the newest date with sales of each store, of a till or a file; stores without any lately are left out."""
    found = dict[str, dt.date]()
    for date in reversed(dates[-_MOST_DATES:]):
        for part in chain(*(lake.partitions_on(table, date) for table in ("exposures", "unit_sales"))):
            told = set(lake.read(part, ["store_id"])["store_id"].unique().to_pylist())
            found |= dict.fromkeys(told & (stores - found.keys()), date)
        if found.keys() >= stores:
            break
    return found
