"""Everything the Store page shows of one store day at one moment."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from dash.development.base_component import Component

from catalog.names import BOOK_TABLES, LIVE_GROUP
from catalog.wall_clock import WallClock
from dashboard.cards.events import event_list
from dashboard.cards.notices import notices_of
from dashboard.cards.shelf import shelf_cards, shelf_found, stats
from dashboard.cards.stickers import sticker_cards
from dashboard.components import notice
from dashboard.data.people_acts import marks_of
from dashboard.data.shelf_choice import EVERYTHING, ShelfChoice, shelf_page
from dashboard.data.store_day import Clock, DayNow, UnitsThatKeep, day_at, last_tick
from dashboard.data.versions import Version
from dashboard.figures.store import price_and_stock
from dashboard.formats import day as day_name
from dashboard.formats import store_name, zone_named
from dashboard.monitor import Monitor
from dashboard.pickers import SOLD
from dashboard.theme import Scheme
from warehouse.lake import Partition

MOST_VISITS, MOST_DECISIONS = 60, 25
LIVE_MS, QUIET_MS = 500, 5_000
"""Time until a browser asks again while the day is being sold, and otherwise."""

_READ_FOR_EVENTS = (*SOLD, "shoppers", "ingested_files", "drift_checks")
_HOURS_BETWEEN_MARKS = 3


@dataclass(frozen=True)
class ShownDay:
    """A store on a date, with the rows of `shelf_by_tick`."""

    store: str
    date: dt.date
    events: pd.DataFrame

    @property
    def last(self) -> int:
        """The newest tick in which something happened; -1 when nothing did."""
        return last_tick(self.events)


def store_day(monitor: Monitor, store: str, date: dt.date) -> ShownDay:
    """Read what happened in a store on a date."""
    return ShownDay(store, date, monitor.reader.ask("shelf_by_tick", SOLD, on=date, date=date, store=store))


def what_decides(monitor: Monitor, date: dt.date) -> tuple[Any, ...]:
    """Return what changes whenever the page's content for a date would."""
    return (
        monitor.reader.stamp(*SOLD, date=date),
        monitor.reader.stamp("model_versions", "champions", *BOOK_TABLES, "drift_checks", "markdowns", "price_changes"),
        monitor.catalog.current().fingerprint,
        monitor.catalog.problem,
        monitor.next_command(),
    )


def moment(
    monitor: Monitor, day: ShownDay, through: int, scheme: Scheme, choice: ShelfChoice = EVERYTHING
) -> dict[str, Any]:
    """Return what the page shows of a store day up to the tick `through`, by the part of the page.

    Parameters
    ----------
    choice
        Which products have a card.
    """
    store = monitor.catalog.current().store
    opening, wall = store.opening, store.clock_of(day.store)
    clock = Clock(day.date, opening, wall.time_zone)
    now = _day_now(monitor, day, through)
    yesterday = store_day(monitor, day.store, day.date - dt.timedelta(days=1))
    before = _day_now(monitor, yesterday, through) if len(day.events) and len(yesterday.events) else None
    models = (version_behind(monitor.versions(), now), version_behind(monitor.versions(), before))
    live = Partition("live_interactions", day.date, f"{LIVE_GROUP}{day.store}")
    names = {product.sku: product.name for product in now.products}
    page = shelf_page(now.products, choice)
    until = wall.moment_of(day.date, through + 1)
    marks = [one for one in marks_of(monitor.reader, wall, day.store, None, day.date, day.date) if one.at < until]
    return {
        "empty": None,
        "hidden": False,
        "notices": [*notices_of(monitor, day.date), *_silence(day)],
        "stats": stats(now, before, *models, day.date),
        "shelf": shelf_cards(page.products, opening.ticks, scheme),
        "found": shelf_found(page),
        "pages": page.pages,
        "figure": price_and_stock(now.course, now.products, clock, scheme, marks),
        "stickers": sticker_cards(monitor, day.store, day.date),
        "feed": event_list(_events(monitor, day, through, wall), names),
        "tick": max(through, 0),
        "ticks": max(opening.ticks - 1, day.last),
        "marks": _marks(clock),
        "moment": f"{clock.time(through)} to {clock.time(through + 1)}{zone_named(wall)}" if len(day.events) else "",
        "pulse": LIVE_MS if monitor.reader.lake.holds(live) else QUIET_MS,
    }


def _silence(day: ShownDay) -> list[Component]:
    """Say that a store sold nothing on a day, where an empty page would leave that open."""
    if len(day.events):
        return []
    title = f"{store_name(day.store)} sold nothing on {day_name(day.date)}"
    return [notice(title, "Choose another day, or press Start to sell one tick by tick.")]


def _day_now(monitor: Monitor, day: ShownDay, through: int) -> DayNow:
    shelf = monitor.reader.ask("shelf", ("products",))
    units = monitor.reader.ask("units_at_opening", ("stock_movements",), date=day.date, store=day.store)
    opened_with = dict[str, list[UnitsThatKeep]]()
    for sku, days_left, number in zip(*(units[name].tolist() for name in units.columns), strict=True):
        opened_with.setdefault(str(sku), []).append(
            UnitsThatKeep(None if pd.isna(days_left) else int(days_left), int(number))
        )
    return day_at(day.events, shelf, through, monitor.catalog.current().store.policies.rule.low_stock, opened_with)


def version_behind(versions: Sequence[Version], day: DayNow | None) -> Version | None:
    """Return the judged version that priced a day; None when no model did."""
    return next((version for version in versions if day and version.number == day.model_version), None)


def _events(monitor: Monitor, day: ShownDay, through: int, clock: WallClock) -> pd.DataFrame:
    found = monitor.reader.ask(
        "newest_events",
        _READ_FOR_EVENTS,
        on=day.date,
        date=day.date,
        store=day.store,
        through=through,
        most_visits=MOST_VISITS,
        most_decisions=MOST_DECISIONS,
    )
    return found.assign(happened_at=found["happened_at"].dt.tz_convert(clock.zone.info))


def _marks(clock: Clock) -> list[dict[str, Any]]:
    step = max(1, _HOURS_BETWEEN_MARKS * 60 // clock.opening.tick_minutes)
    return [{"value": tick, "label": clock.time(tick)} for tick in range(0, clock.opening.ticks, step)]
