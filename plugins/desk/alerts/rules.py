"""What raises an alert: each rule looks at the lake as it stands and says what is wrong now."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

from catalog.hooks import Hook
from catalog.load import Catalog
from etl.calendar import stores_now
from etl.open_days import days_with_live_parts
from flows.workspace import now_of
from plugins.desk.law.shown import prices_shown
from plugins.desk.price_changes.change import PriceChange
from plugins.desk.price_changes.record import changes_by_people
from plugins.desk.records import AlertRules
from plugins.desk.standing import standings
from serving.book.store import is_priced
from warehouse.checks.proof import Span, prove
from warehouse.lake import Lake
from warehouse.origin import newest_closed, sold_dates
from warehouse.partition import between
from warehouse.query.connection import queries_beside, workbench
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


@dataclass(frozen=True, order=True)
class Alert:
    """One thing that needs a person: which rule, what it is about, and a sentence that says what to do."""

    kind: str
    subject: str
    sentence: str


ALERT_RULES: Hook[Callable[[Workspace, dt.datetime], Iterator[Alert]]] = Hook("alert_rules")
"""Further rules that other plugins watch; each yields the alerts of a moment, UTC."""


def found_now(workspace: Workspace, now: dt.datetime) -> list[Alert]:
    """Return every alert that the state of the store gives at a moment in its time."""
    rules = workspace.catalog.store.section(AlertRules)
    looks: list[tuple[bool, Callable[[Workspace, dt.datetime], Iterator[Alert]]]] = [
        (rules.below_cost, _below_cost),
        (rules.drift, _drift),
        (rules.late_night, _late_night),
        (rules.nights_refused is not None, _nights_refused),
        (rules.override_days is not None, _old_overrides),
        (rules.waste_above is not None, _waste),
        (rules.silent_days is not None, _silent_stores),
        (rules.other_prices is not None, _other_prices),
        *((True, rule) for rule in ALERT_RULES.all()),
    ]
    return sorted(alert for is_asked, rule in looks if is_asked for alert in rule(workspace, now))


def _below_cost(workspace: Workspace, _now: dt.datetime) -> Iterator[Alert]:
    """Yield prices below cost, shown now or from a store's next tick on, and orders that a cost keeps from standing."""
    lake, catalog = workspace.lake, workspace.catalog
    costs = {product.sku: product.unit_cost for product in catalog.products}
    euros, shown = catalog.store.money.format_money, prices_shown(lake, catalog)
    stores = stores_now(lake, catalog, catalog.store.stores, now_of(workspace))
    for store, held in standings(lake, catalog, stores).items():
        name = catalog.store.names.get(store, store)
        for change in held:
            cost, now = costs.get(change.sku, 0.0), shown.get((store, change.sku))
            price = change.price if now is None else min(change.price, now)
            if price < cost:
                is_shown = now is not None and now < cost
                what = f"is shown at {euros(price)}" if is_shown else f"will be shown at {euros(price)}"
                yield Alert(
                    "below_cost",
                    f"{store} {change.sku}",
                    f"{change.sku} {what} in {name}, below its cost of {euros(cost)}: see which override does it with "
                    f"`shelfprice changes --sku {change.sku}`",
                )
            elif change.unmet is not None and change.rule in {"floor", "minimum_margin"}:
                yield Alert(
                    "below_cost",
                    f"{store} {change.sku}",
                    f"{change.order} asks for {change.sku} at {euros(change.unmet)} in {name}, below its floor or its "
                    f"cost: {euros(change.price)} stands until somebody asks anew with --below-cost",
                )


def _drift(workspace: Workspace, _now: dt.datetime) -> Iterator[Alert]:
    lake, closed = workspace.lake, newest_closed(workspace.lake)
    newest = next(lake.newest_dates("drift_checks"), None)
    if newest is None or closed is None:
        return
    for part in lake.partitions_on("drift_checks", newest):
        for row in lake.read(part).to_pylist():
            if row["detected"]:
                yield Alert(
                    "drift",
                    row["sku"],
                    f"{row['sku']} sells {row['direction']} at the same prices since {row['since']} than the champion "
                    "expects: the next night learns from the days since; see the Models page",
                )


def _late_night(workspace: Workspace, _now: dt.datetime) -> Iterator[Alert]:
    lake = workspace.lake
    priced = next(lake.newest_dates("nights"), None)
    for day in days_with_live_parts(lake):
        if not day.is_closed(lake) and priced is not None and priced < day.business_date:
            yield Alert(
                "late_night",
                str(day.business_date),
                f"{day.business_date} is being sold and its night is not done: the prices of {priced} stand; run "
                "`shelfprice nightly`, or see why the scheduled one failed",
            )


def _nights_refused(workspace: Workspace, _now: dt.datetime) -> Iterator[Alert]:
    lake, wanted = workspace.lake, workspace.catalog.store.section(AlertRules).nights_refused or 1
    books = lake.dates("booked_prices")
    if not books:
        return
    dates = [date for date in sold_dates(lake) if date > books[0]][-wanted:]
    if len(dates) == wanted and not any(is_priced(lake, date) for date in dates):
        yield Alert(
            "nights_refused",
            f"prices of {books[-1]}",
            f"no prices were made for {wanted} dates in a row, {dates[0]} to {dates[-1]}: those of {books[-1]} or "
            "before stand; run `shelfprice price` to see why",
        )


def _old_overrides(workspace: Workspace, now: dt.datetime) -> Iterator[Alert]:
    days = workspace.catalog.store.section(AlertRules).override_days or 1
    changes = changes_by_people(workspace.lake, now)
    for change in changes:
        terms = change.terms
        is_by_hand = terms.kind in {"override", "freeze"}
        if is_by_hand and change.state(now, changes) == "in_force" and _age(change, now) > dt.timedelta(days=days):
            yield Alert(
                "override_days",
                change.id,
                f"{change.id}, the {terms.kind} of {terms.sku} by {change.proposer}, is older than {days} days: "
                f"undo it with `shelfprice decide withdraw {change.id}`, or give it anew with an end",
            )


def _age(change: PriceChange, now: dt.datetime) -> dt.timedelta:
    span = change.span()
    return dt.timedelta() if span is None else now - span[0]


def _silent_stores(workspace: Workspace, _now: dt.datetime) -> Iterator[Alert]:
    for silent_store in silent_stores(workspace, workspace.catalog.store.section(AlertRules).silent_days or 1):
        yield Alert("silent_days", silent_store.store, f"{silent_store.sentence}; {FEED_REMEDY}")


def _other_prices(workspace: Workspace, _now: dt.datetime) -> Iterator[Alert]:
    for own in other_prices(workspace, workspace.catalog.store.section(AlertRules).other_prices or 1.0):
        yield Alert("other_prices", own.store, f"{own.sentence(workspace.catalog)}; {PRICE_REMEDY}")


def _waste(workspace: Workspace, _now: dt.datetime) -> Iterator[Alert]:
    lake, most = workspace.lake, workspace.catalog.store.section(AlertRules).waste_above or 0.0
    newest, names = newest_closed(lake), workspace.catalog.store.names
    if newest is None:
        return
    prove(lake, (Span(table, newest, newest) for table in ("interactions", "substitutions", "repricings")))
    with workbench(workspace.settings, between(newest, newest)) as connection:
        rows = connection.execute(_query("leftovers")).fetchall()
    for store, left in rows:
        if left > most:
            yield Alert(
                "waste_above",
                store,
                f"{left:.0%} of the stock of {names.get(store, store)} was left at closing on {newest}, more than "
                f"{most:.0%}: see which products on the Store page",
            )


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
