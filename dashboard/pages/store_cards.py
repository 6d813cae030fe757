"""The cards of Store: the shelf of a moment, its stickers, and what became of units that carried one."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import dash_mantine_components as dmc
import pandas as pd
from dash import html
from dash.development.base_component import Component

from catalog.clocks import WallClock
from catalog.names import LIVE_GROUP
from dashboard.components import SOLD, aria, card, icon, notice, stat, table
from dashboard.data.prices import marks_of
from dashboard.data.store_day import (
    EVERYTHING,
    PAGE_SIZE,
    Clock,
    DayNow,
    ProductNow,
    ShelfChoice,
    ShelfPage,
    UnitsThatKeep,
    day_at,
    last_tick,
    shelf_page,
)
from dashboard.data.versions import Version
from dashboard.figures.prices import price_and_stock
from dashboard.formats import change, count, days, euros, points, store_name, zone_named
from dashboard.formats import day as day_name
from dashboard.monitor import Monitor
from dashboard.pages.overview_cards import notices_of, sparkline, trend
from dashboard.theme import Scheme, colour
from warehouse.lake import Partition

READ = (
    *("markdowns", "repricings", "live_repricings", "interactions", "live_interactions"),
    "stock_movements",
    "products",
)
_PLAN = ("Product", "Units", "Label", "Sticker", "Expected saving")
_RESULT = ("Sold with it", "Brought", "Thrown away")
_STICK = (
    "Stick them before opening. They were listed in the night: after an order or a change of champion since, "
    "`shelfprice changes --stickers` lists what stands."
)
_MEANING = "The expected saving is what the sticker brings beyond the best prices without one, until closing."


def sticker_cards(monitor: Monitor, store: str, date: dt.date) -> list[Component]:
    """Return a card of the stickers to print, and one of those that stood; none of those where there are none."""
    stickers = monitor.reader.ask("stickers_of_store", READ, date=date, store=store)
    stood = pd.to_datetime(stickers["business_date"]).dt.date == date
    cards, rows = list[Component](), stickers[stood]
    if not stood.all():
        title = f"Stickers to print for {day_name(date + dt.timedelta(days=1))}"
        cards.append(card(title, _table(stickers[~stood], ()), caption=f"{_STICK} {_MEANING}"))
    if len(rows):
        sentence = (
            f"Stickers sold {count(rows['count_sold'].sum())} units for {euros(float(rows['brought_eur'].sum()))}."
        )
        cards.append(card(f"Stickers of {day_name(date)}", _table(rows, _RESULT), caption=f"{sentence} {_MEANING}"))
    return cards


def _table(rows: pd.DataFrame, result: tuple[str, ...]) -> Component:
    def known(value: Any, written: Callable[[Any], str]) -> str:
        return "" if pd.isna(value) else written(value)

    names, body = (*_PLAN, *result), list[list[str]]()
    for row in rows.to_dict("records"):
        amounts = (euros(row[name]) for name in ("price_eur", "sticker_eur"))
        plan = [row["product_name"], count(row["count_units"]), *amounts, known(row["expected_saving_eur"], euros)]
        came = (
            [count(row["count_sold"]), euros(row["brought_eur"]), known(row["count_spoiled"], count)] if result else []
        )
        body.append(plan + came)
    return table(names, body, numbers=range(1, len(names)), width=80 * len(names))


MOST_VISITS, MOST_DECISIONS = 60, 25
LIVE_MS, QUIET_MS = 500, 5_000
"""Time until a browser asks again while the day is being sold, and otherwise."""

_READ_FOR_EVENTS = (*SOLD, "shoppers", "ingested_files", "drift_checks")
_DECIDES = ("model_versions", "champions", "booked_prices", "drift_checks", "markdowns", "price_changes")
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
    reader, catalog = monitor.reader, monitor.catalog
    stamps = reader.stamp(*SOLD, date=date), reader.stamp(*_DECIDES)
    return (*stamps, catalog.current().fingerprint, catalog.problem, monitor.next_command())


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
    marks = [mark for mark in marks_of(monitor.reader, wall, day.store, None, day.date, day.date) if mark.at < until]
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
    most = {"most_visits": MOST_VISITS, "most_decisions": MOST_DECISIONS}
    parameters: dict[str, Any] = {"on": day.date, "date": day.date, "store": day.store, "through": through} | most
    events = monitor.reader.ask("newest_events", _READ_FOR_EVENTS, **parameters)
    return events.assign(happened_at=events["happened_at"].dt.tz_convert(clock.zone.info))


def _marks(clock: Clock) -> list[dict[str, Any]]:
    step = max(1, _HOURS_BETWEEN_MARKS * 60 // clock.opening.tick_minutes)
    return [{"value": tick, "label": clock.time(tick)} for tick in range(0, clock.opening.ticks, step)]


_TOGETHER = 4  # ticks of a trend
_LOTS = 3  # ages that a card tells apart
_NO_PICTURE = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="


def stats(
    now: DayNow, before: DayNow | None, model: Version | None, model_before: Version | None, date: dt.date
) -> list[Component]:
    """Show revenue, units, stock and the model behind the prices, each against the day before at the same time."""
    against = "vs the day before, same time" if before else "no day before to compare with"
    revenue = trend(_by_parts(now.sales["revenue_eur"]), "revenue through the day")
    units = trend(_by_parts(now.sales["count_units"]), "units sold through the day")
    earned = change(now.revenue, before.revenue) if before else None
    sold = change(now.units, before.units) if before else None
    return [
        stat("Revenue", euros(now.revenue), earned, against, revenue),
        stat("Units sold", count(now.units), sold, against, units),
        _stock_stat(now, before, against),
        _model_stat(model, model_before, date),
    ]


def shelf_cards(products: Sequence[ProductNow], n_ticks: int, scheme: Scheme) -> list[Component]:
    """Show each product as a card, in the order of the shelf."""
    return [_card(product, n_ticks, colour(0, scheme)) for product in products]


def shelf_found(page: ShelfPage) -> str:
    """Say which of the products that match are shown: `Products 25 to 48 of 200`."""
    if not page.products:
        return "No product matches"
    first = (page.page - 1) * PAGE_SIZE + 1
    return f"Products {count(first)} to {count(first + len(page.products) - 1)} of {count(page.found)}"


def _stock_stat(now: DayNow, before: DayNow | None, against: str) -> Component:
    name = "Mean stock per product"
    if now.mean_stock is None:
        return stat(name, "unknown", None, "no stock was recorded")
    if before is None or before.mean_stock is None:
        return stat(name, f"{now.mean_stock:,.1f} units", None, "no stock of the day before to compare with")
    moved = change(now.mean_stock, before.mean_stock)
    drawn = trend(now.course.stock.mean(axis=1).dropna().tolist(), name)
    return stat(name, f"{now.mean_stock:,.1f} units", moved, against, drawn, more_is_better=False)


def _by_parts(sold: pd.Series) -> list[float]:
    """Sum what was sold in each tick over some ticks together; the last ones, until they are over, are left out."""
    whole = sold.iloc[: len(sold) - len(sold) % _TOGETHER]
    return whole.groupby(whole.index // _TOGETHER).sum().tolist()


def _model_stat(model: Version | None, before: Version | None, date: dt.date) -> Component:
    if model is None:
        return stat("Model", "none", None, "these prices come from no model")
    by_hand = "" if model.promoted else ", promoted by hand"
    sentence = f"{days((date - model.trained_through).days)} old{by_hand}, calibration error {_error(model)}"
    if before is not None and before is not model:
        sentence += f"; the day before, version {before.number}: {_error(before)}"
    return stat("Model", f"Version {model.number}", None, sentence)


def _error(model: Version) -> str:
    return points(model.metrics.get("calibration_error", float("nan")))


def _card(product: ProductNow, n_ticks: int, line: str) -> Component:
    price = "no price" if product.price is None else euros(product.price)
    moved = change(product.price or 0.0, product.base_price or 0.0) if product.price else None
    against = "base price" if moved and product.price == product.base_price else f"{moved} vs base" if moved else ""
    picture = sparkline(product.prices, n_ticks, line) or _NO_PICTURE
    lowest, highest = (min(product.prices), max(product.prices)) if product.prices else (0.0, 0.0)
    sentence = f"price since opening, between {euros(lowest)} and {euros(highest)}"
    head = [
        html.Span(product.icon, className="product-icon", **aria(hidden="true")),
        html.Span(product.name, className="product-name", title=product.name),
    ]
    prices = [html.Span(price, className="product-price"), html.Span(against, className="product-moved")]
    sold = [html.Span(f"{count(product.units)} sold"), html.Strong(euros(product.revenue))]
    parts = [
        html.Div(head, className="product-head"),
        html.Div(prices, className="product-line"),
        html.Img(src=picture, alt=sentence, title=sentence, className="sparkline"),
        _stock_bar(product),
        html.Div(sold, className="product-line product-sold"),
    ]
    return dmc.Paper(parts, withBorder=True, p="sm", className=f"product{' low' if product.is_low else ''}")


def _badges(product: ProductNow) -> list[Component]:
    if product.stock == 0:
        return [dmc.Badge("sold out", color="gray", variant="filled", size="sm", className="badge-out")]
    if product.is_low:
        return [dmc.Badge("low stock", color="orange", variant="light", size="sm")]
    return []


def _stock_bar(product: ProductNow) -> Component:
    if product.stock is None:
        return dmc.Text("stock unknown", c="dimmed", size="xs")
    par = product.par_stock or max(product.stock, 1)
    part, ink = 100 * min(1.0, product.stock / par), "orange" if product.is_low else "ocean"
    bar = dmc.Progress(value=part, color=ink, size="sm", **aria(label=f"{product.stock} of {par} units left"))
    left = html.Span(f"{count(product.stock)} of {count(par)} left")
    lines: list[Any] = [[left, *_badges(product)]]
    lines += [f"{count(product.last_day)} thrown away tonight if unsold"] if product.last_day else []
    lines += [_lots_in_words(product.opened_with)] if product.opened_with else []
    return html.Div([bar, *(html.Div(line, className="product-line") for line in lines)], className="stock")


def _lots_in_words(lots: Sequence[UnitsThatKeep]) -> str:
    """Say how long the units keep that a product opened with: `opened with 12 for today, 40 for 2 days`."""
    labels = [f"{count(lot.units)} {_for_how_long(lot.days_left)}" for lot in lots[:_LOTS]]
    more = sum(lot.units for lot in lots[_LOTS:])
    return "opened with " + ", ".join([*labels, *([f"{count(more)} for longer"] if more else [])])


def _for_how_long(days_left: int | None) -> str:
    if days_left is None:
        return "that keep"
    return "for today" if days_left == 1 else f"for {days_left} days"


_KINDS = {
    "bought": "sale",
    "too_expensive": "walk",
    "not_bought": "walk",
    "out_of_stock": "walk",
    "repriced": "priced",
    "explored": "explored",
    "drift": "drift",
}
_ICONS = {"sale": "sale", "walk": "walk", "priced": "prices", "explored": "explored", "drift": "problem"}


def event_list(events: pd.DataFrame, names: dict[str, str]) -> list[Component]:
    """Show events as lines, newest first; `names` are the products' names by sku."""
    if not len(events):
        return [dmc.Text("No visits yet.", c="dimmed", size="sm")]
    return [_line(event, names) for event in events.itertuples()]


def _line(event: Any, names: dict[str, str]) -> Component:
    kind = str(event.kind)
    look = _KINDS[kind]
    time, text = html.Span(f"{event.happened_at:%H:%M}", className="event-time"), _sentence(kind, event, names)
    words = html.Span(text, className="event-text")
    return html.Li([time, icon(_ICONS[look]), words], className=f"event event-{look}")


def _sentence(kind: str, event: Any, names: dict[str, str]) -> str:
    if kind in {"repriced", "explored", "drift"}:
        return str(event.reason)
    who = event.shopper_name if isinstance(event.shopper_name, str) else "A shopper"
    what, price = names.get(event.sku, event.product_name), euros(event.price_eur)
    return {
        "bought": f"{who} bought {what} for {price}",
        "not_bought": f"{who} left {what}, which cost {price}",
        "too_expensive": f"{who} left {what}: {price} was too expensive",
        "out_of_stock": f"{who} found {what} sold out",
    }[kind]
