"""Sells stores whose sales come from outside: implements `catalog.hooks.Seller`.

The newest draw stands, and without one the last regular price of each shelf. Stores that change hourly sell from the
belief of the price book, around the owner's prices.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace

from catalog.decisions.pricing import PricedBy
from catalog.load import Catalog
from etl.calendar import StoreNow
from plugins.own_store.draws.approved_designs import decide as decide_design
from plugins.own_store.draws.drawn_prices import DrawnPolicy, PriceDraw, ShelfPolicy, draw_on, own_prices_on
from plugins.own_store.draws.drawn_quote import DrawnDesk
from plugins.own_store.draws.drawn_sales import told_by_log
from plugins.own_store.draws.experiments import experiment_on
from plugins.own_store.draws.hourly_prices import begin_hourly, hourly_storefront, released_in
from plugins.own_store.draws.next_draw import next_draw, slot_of
from plugins.own_store.draws.outside_day import close_days, reprice
from plugins.own_store.draws.said_price import say_shelf_price as set_owner_price
from plugins.own_store.exports import holds_exported, spans_of_exports
from plugins.own_store.shelf_price import changes_of_shelves, regular_prices
from serving.book.store import book_in_force
from serving.limits.limits import limits_of
from serving.limits.orders import Orders
from serving.optimise.policies import ShelfPrices
from serving.store.storefront import Storefront
from training.schedule import Night, decided_from, record, recorded
from warehouse.lake import Lake
from warehouse.workspace import Workspace

__all__ = [
    "changes_of_shelves",
    "close_days",
    "decide_design",
    "holds_exported",
    "next_open_date",
    "night",
    "pricing_on",
    "quotes",
    "regular_prices",
    "reprice",
    "sells_from_book",
    "set_owner_price",
    "sold_since",
    "spans_of_exports",
    "standing_prices",
]

_NOBODY_SAID = (
    "drawn_prices.changes: hourly: expected products whose visits are said, found none, so the owner's prices stand: "
    "send visits to /v1/traffic, or choose weekly"
)


def next_open_date(catalog: Catalog, store: str, date: dt.date, now: dt.datetime) -> dt.date:
    """Return the first open date, from a date on, on which a store has not closed at a moment, UTC.

    Where tills sell, dates pass although nobody sends their sales.
    """
    if catalog.store.sales != "outside":
        return date
    clock = catalog.store.clock_of(store)
    date = max(date, clock.date_of(now))
    while now >= clock.closing_of(date) or not catalog.store.is_open_on(date):
        date += dt.timedelta(days=1)
    return date


def sells_from_book(catalog: Catalog) -> bool:
    """Return whether prices change hourly, from the belief of a price book."""
    return catalog.store.is_priced_hourly


def sold_since(lake: Lake, catalog: Catalog, through: dt.date) -> dt.date | None:
    """Return the first date whose prices changed hourly, or that date itself; None where all dates teach."""
    return min(lake.dates("hourly_draws"), default=through) if catalog.store.is_priced_hourly else None


def standing_prices(lake: Lake, catalog: Catalog, date: dt.date) -> ShelfPrices:
    """Return the owner's prices on a date, EUR; NaN where no sale has shown one."""
    return own_prices_on(lake, catalog, date, draw_on(lake, catalog, date))


def quotes(lake: Lake, catalog: Catalog, stores: Mapping[str, StoreNow]) -> DrawnDesk | None:
    """Return the quotes of drawn prices; None where none is drawn, or prices change hourly."""
    if catalog.store.drawn_prices.changes not in {"weekly", "daily"}:
        return None
    desk = DrawnDesk(lake, catalog, stores)
    return desk if desk.has_draws else None


def pricing_on(
    lake: Lake, catalog: Catalog, date: dt.date, orders: Orders, stores: Sequence[str] | None, *, is_stopped: bool
) -> PricedBy:
    """Return what outside stores show on a date: the newest draw, and without one their own shelf prices.

    Stores that change hourly have prices of their own, so one of them is asked about at a time.
    """
    draw = draw_on(lake, catalog, date)
    standing = own_prices_on(lake, catalog, date, draw)
    if draw is None or is_stopped:
        front = Storefront(ShelfPolicy(standing), limits=limits_of(catalog, orders, standing, are_calm=False))
        return PricedBy(front, "kill_switch" if is_stopped else front.name)
    if catalog.store.is_priced_hourly and stores is not None and len(stores) == 1:
        found = book_in_force(lake, date)
        own = standing, released_in(lake, catalog, stores[0], date)
        hourly = hourly_storefront(catalog, stores[0], found, own, orders)
        made_for, book = (None, None) if found is None else (found.book.published_at.date(), found.sha256)
        return PricedBy(hourly, f"{hourly.name}:{book}:{draw.sha256}", made_for, book)
    front = _storefront_of_draw(catalog, draw, standing, orders)
    return PricedBy(front, f"{front.name}:{draw.sha256}")


def _storefront_of_draw(
    catalog: Catalog, draw: PriceDraw, standing: ShelfPrices, orders: Orders | None = None
) -> Storefront:
    """Return what an outside store shows: drawn prices, and its own where none was drawn.

    A draw keeps the price ending where its step allows that; rounding again here would break the step.
    """
    limits = limits_of(catalog, orders, standing, are_calm=False)
    rails = limits.rails.model_copy(update={"price_ending": None})
    return Storefront(DrawnPolicy(draw, standing), limits=replace(limits, rails=rails))


def night(workspace: Workspace, date: dt.date, seed: int, inputs: str, opens: dt.date | None) -> Night | None:
    """Draw the next prices and record the night; None where prices change hourly, from a belief and its price book."""
    lake, catalog, after = workspace.lake, workspace.catalog, date + dt.timedelta(days=1)
    if not catalog.store.is_priced_hourly:
        return _draw_after(workspace, date, seed, inputs, opens)
    begin_hourly(lake, catalog, after)
    if draw_on(lake, catalog, after) is not None:
        return None
    return _recorded(lake, Night(date, "base prices stay", said=_NOBODY_SAID), inputs)


def _draw_after(workspace: Workspace, date: dt.date, seed: int, inputs: str, opens: dt.date | None) -> Night:
    """Draw the prices of an outside store from its next opening on, if that is due, and commit them with the night.

    A slot is drawn once the days before it are closed; until then the night is yet to do.
    """
    lake, catalog, after = workspace.lake, workspace.catalog, date + dt.timedelta(days=1)
    night = Night(date, "priced", opens=None if opens is None or opens <= after else opens)
    standing, is_on = draw_on(lake, catalog, night.prices_for), not catalog.store.guardrails.kill_switch
    if is_on and (missing := _missing_before(workspace, date, night.prices_for, standing)):
        return replace(night, outcome="base prices stay" if standing is None else "priced", said=missing)
    if decided_from(lake, date) == inputs:
        return recorded(lake, date)
    if not is_on:
        said = "the kill switch is on, so no price was drawn and the stores' own prices stand"
        return _recorded(lake, replace(night, outcome="base prices stay", said=said), inputs)
    drawn = next_draw(lake, catalog, night.prices_for, seed, lambda: told_by_log(workspace, date))
    if drawn is None and standing is None:
        said = (
            "no price was drawn: the stores' own prices stand; name products under `drawn_prices` in store.yaml, whose "
            "own prices lie within floor and ceiling, to let them move"
        )
        return _recorded(lake, replace(night, outcome="base prices stay", said=said), inputs)
    night = replace(night, said=None if drawn is None else drawn.said)
    record(lake, night, inputs, drawn)
    return night


def _missing_before(workspace: Workspace, date: dt.date, opens: dt.date, standing: PriceDraw | None) -> str | None:
    """Say which sales are missing where a draw from a date on is due and the slot before it is not closed."""
    rules, is_standing = workspace.catalog.store.drawn_prices, standing is not None and standing.through >= opens
    closed_through = workspace.catalog.store.last_open_before(slot_of(opens, rules.changes))
    if is_standing or date >= closed_through:
        return None
    if rules.products == "none" and experiment_on(workspace.lake, opens) is None:
        return None
    return (
        f"no price was drawn for {opens}, and the prices that stand go on: sales are known through {date}, and a draw "
        f"needs those through {closed_through}; take them in, then run `shelfprice nightly` again"
    )


def _recorded(lake: Lake, night: Night, inputs: str) -> Night:
    record(lake, night, inputs)
    return night
