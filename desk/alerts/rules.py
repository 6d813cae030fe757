"""What raises an alert: each rule looks at the lake as it stands and says what is wrong now."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from catalog.wings import registered
from desk.alerts.tills import FEED_REMEDY, PRICE_REMEDY, other_prices, silent_stores
from desk.price_changes.change import PriceChange
from desk.price_changes.record import changes_by_people
from desk.price_law.shown import prices_shown
from etl.live.day import days_with_live_parts
from etl.live.store_now import stores_now
from flows.clock import now_of
from serving.book_store import is_priced
from serving.standing import standings
from warehouse.connection import workbench
from warehouse.partition import between
from warehouse.proof import Span, prove
from warehouse.sold import newest_closed, sold_dates
from warehouse.sql_files import queries_beside
from warehouse.workspace import Workspace

_query = queries_beside(__file__)


@dataclass(frozen=True, order=True)
class Alert:
    """One thing that needs a person: which rule, what it is about, and a sentence that says what to do."""

    kind: str
    subject: str
    sentence: str


def found_now(workspace: Workspace, now: dt.datetime) -> list[Alert]:
    """Return every alert that the state of the store gives at a moment in its time."""
    rules = workspace.catalog.store.alerts
    asked: list[tuple[bool, Callable[[Workspace, dt.datetime], Iterator[Alert]]]] = [
        (rules.below_cost, _below_cost),
        (rules.drift, _drift),
        (rules.late_night, _late_night),
        (rules.nights_refused is not None, _nights_refused),
        (rules.override_days is not None, _old_overrides),
        (rules.waste_above is not None, _waste),
        (rules.silent_days is not None, _silent_stores),
        (rules.other_prices is not None, _other_prices),
        *((True, rule) for rule in registered("alert_rules")),
    ]
    return sorted(alert for is_asked, rule in asked if is_asked for alert in rule(workspace, now))


def _below_cost(workspace: Workspace, _now: dt.datetime) -> Iterator[Alert]:
    """Yield prices below cost, shown now or from a store's next tick on, and orders that a cost keeps from standing."""
    lake, catalog = workspace.lake, workspace.catalog
    costs = {product.sku: product.unit_cost for product in catalog.products}
    told, shown = catalog.store.money.format_money, prices_shown(lake, catalog)
    stores = stores_now(lake, catalog, catalog.store.stores, now_of(workspace))
    for store, held in standings(lake, catalog, stores).items():
        name = catalog.store.names.get(store, store)
        for own in held:
            cost, now = costs.get(own.sku, 0.0), shown.get((store, own.sku))
            price = own.price if now is None else min(own.price, now)
            if price < cost:
                is_shown = now is not None and now < cost
                what = f"is shown at {told(price)}" if is_shown else f"will be shown at {told(price)}"
                yield Alert(
                    "below_cost",
                    f"{store} {own.sku}",
                    f"{own.sku} {what} in {name}, below its cost of {told(cost)}: see which override does it with "
                    f"`shelfprice changes --sku {own.sku}`",
                )
            elif own.unmet is not None and own.rule in {"floor", "minimum_margin"}:
                yield Alert(
                    "below_cost",
                    f"{store} {own.sku}",
                    f"{own.order} asks for {own.sku} at {told(own.unmet)} in {name}, below its floor or its cost: "
                    f"{told(own.price)} stands until somebody asks anew with --below-cost",
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
    lake, wanted = workspace.lake, workspace.catalog.store.alerts.nights_refused or 1
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
    days = workspace.catalog.store.alerts.override_days or 1
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
    for own in silent_stores(workspace, workspace.catalog.store.alerts.silent_days or 1):
        yield Alert("silent_days", own.store, f"{own.sentence}; {FEED_REMEDY}")


def _other_prices(workspace: Workspace, _now: dt.datetime) -> Iterator[Alert]:
    for own in other_prices(workspace, workspace.catalog.store.alerts.other_prices or 1.0):
        yield Alert("other_prices", own.store, f"{own.sentence(workspace.catalog)}; {PRICE_REMEDY}")


def _waste(workspace: Workspace, _now: dt.datetime) -> Iterator[Alert]:
    lake, most = workspace.lake, workspace.catalog.store.alerts.waste_above or 0.0
    newest, names = newest_closed(lake), workspace.catalog.store.names
    if newest is None:
        return
    prove(lake, (Span(table, newest, newest) for table in ("interactions", "substitutions", "repricings")))
    with workbench(workspace.settings, between(newest, newest)) as connection:
        found = connection.execute(_query("leftovers")).fetchall()
    for store, left in found:
        if left > most:
            yield Alert(
                "waste_above",
                store,
                f"{left:.0%} of the stock of {names.get(store, store)} was left at closing on {newest}, more than "
                f"{most:.0%}: see which products on the Store page",
            )
