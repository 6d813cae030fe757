"""The promotion calendar: prices announced as a reduction, on a line of weeks, and what the past ones brought."""

import datetime as dt
from typing import Any

import dash_mantine_components as dmc
import pandas as pd
from dash import html
from dash.development.base_component import Component

from catalog.load import Catalog
from dashboard.components import aria, card, framed_table
from dashboard.data.desk.price_desk import Sheet
from dashboard.desk.prices import act_button
from dashboard.formats import UNKNOWN, count, day, euros, store_name
from dashboard.monitor import Monitor

CALENDAR, EARLIER, LATER = "desk-calendar", "desk-calendar-earlier", "desk-calendar-later"

_TABLES = ("price_changes", "interactions", "live_interactions", "days_in_force")
_WEEKS, _BACK = 8, 2
_WEEK, _MOMENT = dt.timedelta(weeks=1), dt.timedelta(microseconds=1)
_MOST = 60
_LOOKS = {"waits": ("waits for approval", "yellow"), "planned": ("planned", "ocean"), "running": ("running", "teal"),
          "covered": ("covered by another", "gray"), "past": ("past", "gray")}  # fmt: skip
_NAMES = ("Promotion", "Price", "Prior price")
_LAST = ("It brought", "Planned by", "Act")


def promotions_card() -> Component:
    """Place the calendar with its buttons; a callback fills it."""
    turn: dict[str, Any] = {"size": "xs", "variant": "default", "n_clicks": 0}
    buttons = [dmc.Button("Earlier", id=EARLIER, **turn), dmc.Button("Later", id=LATER, **turn)]
    return card(
        "Promotions",
        html.Div(id=CALENDAR),
        caption="A promotion is announced as a reduction from its prior price, as the law asks: the lowest of the days "
        "before it. The line marks the date that is priced. What the price instead brings is a forecast, and no proof.",
        right=html.Div([*buttons, act_button("Plan a promotion…", "plan")], className="desk-buttons"),
    )


def promotions_list(monitor: Monitor, sheet: Sheet, steps: int) -> Component:
    """Draw the promotions of some weeks around the date that is priced; a step is half of them later."""
    is_any = any(change.terms.announced for change in sheet.people) and monitor.reader.has_warehouse()
    promotions = monitor.reader.ask("promotions", _TABLES).to_dict(orient="records") if is_any else []
    promotion_rows = [row for row in promotions if row["state"] in _LOOKS]
    if not promotion_rows:
        words = "No promotion is planned. Choose prices in the table, then plan one: it shows here from day to day."
        return dmc.Text(words, c="dimmed", size="sm")
    today = sheet.clock_of(None).date
    first = today - dt.timedelta(days=today.weekday()) + (steps * _WEEKS // 2 - _BACK) * _WEEK
    shown = [
        (row, (start, end))
        for row in promotion_rows
        for start, end in [_dates_of(row, sheet.catalog)]
        if start < first + _WEEKS * _WEEK and (end is None or end >= first)
    ]
    names = {product.sku: product.name for product in sheet.catalog.products}
    head = [dmc.TableTh(name) for name in _NAMES]
    head += [dmc.TableTh(_weeks(first), className="calendar-weeks"), *(dmc.TableTh(name) for name in _LAST)]
    rows = [_row(row, dates, first, today, names) for row, dates in reversed(shown[:_MOST])]
    left = len(promotion_rows) - len(rows)
    others = f"{count(left)} more in other weeks: Earlier, Later, or `shelfprice changes --promotions`." if left else ""
    return html.Div([framed_table(head, rows, 1040), dmc.Text(others, size="sm", c="dimmed")])


def _dates_of(row: dict[Any, Any], catalog: Catalog) -> tuple[dt.date, dt.date | None]:
    """Return the first and the last local date of a promotion; None until it is withdrawn."""
    store = row["store_id"] if isinstance(row["store_id"], str) else None
    clock = catalog.store.clock_of(store)
    end = None if pd.isna(row["ends_at"]) else clock.date_of(row["ends_at"].to_pydatetime() - _MOMENT)
    return clock.date_of(row["starts_at"].to_pydatetime()), end


def _weeks(first: dt.date) -> Component:
    """Draw the head of the line: the Monday of every second week."""
    marks = [
        html.Span(f"{monday.day} {monday:%b}", style=_at(first, monday))
        for monday in (first + week * _WEEK for week in range(0, _WEEKS, 2))
    ]
    return html.Div(marks, className="calendar-line")


def _row(
    row: dict[Any, Any], dates: tuple[dt.date, dt.date | None], first: dt.date, today: dt.date, names: dict[str, str]
) -> list[Component]:
    (start, end), (words, colour) = dates, _LOOKS[row["state"]]
    where = store_name(row["store_id"]) if isinstance(row["store_id"], str) else "every store"
    until = "until withdrawn" if end is None else "for one day" if end == start else f"to {day(end)}"
    badge = dmc.Badge(words, color=colour, variant="light", className="desk-badge")
    title = [html.Strong(f"{names.get(row['sku'], row['sku'])} in {where}"), badge]
    what = [html.Div(title, className="desk-change-head"), html.Div(f"{day(start)} {until}", className="desk-dim")]
    prior = UNKNOWN if pd.isna(row["prior_price_eur"]) else euros(row["prior_price_eur"])
    less = html.Div("no reduction", className="falling")
    if pd.notna(row["share_reduced"]):
        less = html.Div(f"{100 * row['share_reduced']:.0f} % less", className="desk-dim")
    place = _at(first, start, first + _WEEKS * _WEEK - dt.timedelta(days=1) if end is None else end)
    bar = html.Div(className=f"calendar-bar calendar-{row['state']}", title=row["reason"], style=place)
    line = html.Div([bar, *_mark(first, today)], className="calendar-line", **aria(hidden="true"))
    undo = [] if row["state"] == "past" else [act_button("Withdraw…", "undo", change=row["change"])]
    by = [html.Div(row["planned_by"]), html.Div(row["change"], className="desk-dim")]
    cells = (html.Div(what), euros(row["price_eur"]), [html.Div(prior), less], line, _brought(row), by, undo)
    return [dmc.TableTd(cell) for cell in cells]


def _brought(row: dict[Any, Any]) -> list[Component] | str:
    if pd.isna(row["count_store_days"]) or not row["count_store_days"]:
        return UNKNOWN
    gained = "" if pd.isna(row["gained_eur"]) else f"{euros(row['gained_eur'])} against the price instead"
    return [
        html.Div(f"{count(row['count_units'])} units, profit {euros(row['profit_eur'])}"),
        html.Div(gained, className="desk-dim"),
    ]


def _mark(first: dt.date, today: dt.date) -> list[Component]:
    """Draw the date that is priced, where the weeks hold it."""
    is_in = first <= today < first + _WEEKS * _WEEK
    return [html.Div(className="calendar-now", style=_at(first, today))] if is_in else []


def _at(first: dt.date, start: dt.date, last: dt.date | None = None) -> dict[str, str]:
    """Return where a date stands on the line, and how wide some dates are, within the weeks that are shown."""
    whole = _WEEKS * 7
    begins = min(max((start - first).days, 0), whole)
    if last is None:
        return {"left": f"{100 * begins / whole:.2f}%"}
    ends = min((last - first).days + 1, whole)
    return {"left": f"{100 * begins / whole:.2f}%", "width": f"{100 * (ends - begins) / whole:.2f}%"}
