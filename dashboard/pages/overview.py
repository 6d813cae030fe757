"""The Overview page: every store in one row, what it earned and what needs a person, the most urgent first."""

import datetime as dt
from contextlib import suppress
from dataclasses import replace
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from catalog.errors import ShelfpriceError
from dashboard.address import Kept, kept_values, one_of, text_of, wire_address
from dashboard.cache import Cache
from dashboard.components import (
    NEWEST,
    SOLD,
    all_stores,
    aria,
    card,
    days,
    heading,
    in_browser,
    picker,
    shown_date,
    wire_saving,
)
from dashboard.data.desk.people import waiting_by_store
from dashboard.data.desk.price_desk import Sheet
from dashboard.data.overview import StoreRow, dates_shown, read_chain, store_rows
from dashboard.desk.needs import first_needs
from dashboard.monitor import Monitor, Page
from dashboard.pages.earned_card import TABLE as EARNED
from dashboard.pages.earned_card import earned_card
from dashboard.pages.overview_cards import (
    GRID,
    alert_notices,
    chain_stats,
    drift_alarm,
    grid,
    grid_rows,
    no_data,
    notices_of,
)
from dashboard.pages.prices_cards import price_level_stat

DAY, SEARCH, PULSE, SEEN = "overview-day", "overview-search", "overview-pulse", "overview-seen"
NOTICES, EMPTY, FULL, STATS, SAVE = (
    "overview-notices", "overview-empty", "overview-full", "overview-stats", "overview-save",
)  # fmt: skip

_PULSE_MS = 5_000
_MOST_DAYS = 4  # days looked at by different browsers at the same time
_TABLES = (
    *SOLD, "alerts", "competitor_prices", "drift_checks", "products", "booked_prices", "model_versions", "champions",
)  # fmt: skip
_KEPT = (Kept("day", DAY), Kept("search", SEARCH, typed=True))


def layout(monitor: Monitor, *, day: object = None, search: object = None) -> Component:
    """Build the frame of the page; the callbacks fill it as soon as it stands."""
    offered = days(monitor)
    chosen = one_of(day, (option["value"] for option in offered), NEWEST)
    pickers = html.Div(
        [
            dmc.TextInput(id=SEARCH, label="Find a store", value=text_of(search), debounce=200, w=150),
            picker(DAY, "Day", offered, 190, chosen),
        ],
        className="controls",
    )
    says = "Every store of the chain: what it earned, and what needs a person."
    return html.Div(
        [
            heading("Overview", says, right=pickers),
            kept_values("overview", "/", _KEPT, {"day": NEWEST, "search": ""}),
            dcc.Interval(id=PULSE, interval=_PULSE_MS),
            dcc.Store(id=SEEN),
            html.Div(id=NOTICES),
            html.Div(id=EMPTY),
            html.Div(_full(monitor), id=FULL, hidden=shown_date(monitor, NEWEST) is None),
        ]
    )


def without_a_day(monitor: Monitor) -> list[Component]:
    """Return what stands in for the stores: what prices earned in those that tell units alone, or what to do first."""
    earned = earned_card(monitor) if monitor.reader.has_warehouse() else []
    return earned or [no_data(monitor, "No store day yet", "No store has sold anything.")]


def wire(app: Dash, monitor: Monitor) -> None:
    """Register the page's callbacks."""
    wire_address(app, "overview", _KEPT)
    wire_saving(app, GRID, SAVE)
    kept = Cache[tuple[StoreRow, ...]](_MOST_DAYS)
    options = GRID, "dashGridOptions"
    in_browser(app, "overview.find", Output(*options), Input(SEARCH, "value"), State(*options))
    clicked = Input(GRID, "cellClicked"), State(GRID, "rowData")
    in_browser(app, "overview.open", Output(FULL, "title"), *clicked, prevent_initial_call=True)

    @app.callback(
        Output(NOTICES, "children"),
        Output(EMPTY, "children"),
        Output(FULL, "hidden"),
        Output(STATS, "children"),
        Output(GRID, "rowData"),
        Output(DAY, "data"),
        Output(SEEN, "data"),
        Input(PULSE, "n_intervals"),
        Input(DAY, "value"),
        State(SEEN, "data"),
    )
    def show(_pulse: int, chosen: str, seen: str | None) -> Any:
        newest = shown_date(monitor, NEWEST)
        if newest is None:
            seal = f"{EMPTY} {monitor.reader.dates(EARNED)[-1:]}"
            if seal == seen:
                raise PreventUpdate
            return None, without_a_day(monitor), True, [], [], [], seal
        now = dt.datetime.now(dt.UTC)
        date = None if chosen == NEWEST else shown_date(monitor, chosen)
        stamp = what_decides(monitor, now)
        rows = kept.get(date, lambda: rows_of(monitor, date, now), lambda: stamp)
        seal = repr((date, rows, stamp[1:]))
        if seal == seen:
            raise PreventUpdate
        shown = date or newest
        told_above = [*notices_of(monitor, shown), *alert_notices(monitor), *drift_alarm(monitor)]
        if date is None and (sheet := _decided(monitor)):
            told_above += first_needs(sheet.rows)
        stats = [*chain_stats(rows), *price_level_stat(monitor, shown)]
        return told_above, None, False, stats, grid_rows(rows, date), days(monitor), seal


def what_decides(monitor: Monitor, now: dt.datetime) -> tuple[Any, ...]:
    """Return what changes whenever a row could: the minute first, for a live day that stands still."""
    return (
        f"{now:%H:%M}",
        monitor.reader.stamp(*_TABLES),
        monitor.desk.stamp(),
        monitor.next_command(),
        monitor.catalog.problem,
    )


def rows_of(monitor: Monitor, date: dt.date | None, now: dt.datetime) -> tuple[StoreRow, ...]:
    """Return a row for each store on a date, or on the newest day of each."""
    situation = monitor.situation()
    is_priced_by_us = situation.has_champion or not situation.is_a_retailers
    books = monitor.reader.dates("booked_prices") if is_priced_by_us else None
    kill_switch = monitor.catalog.current().store.guardrails.kill_switch
    stores = all_stores(monitor)
    dates = dates_shown(monitor.reader.dates(*SOLD), date)
    chain = read_chain(monitor.reader, dates, stores, None if kill_switch else books)
    sheet = _decided(monitor) if date is None else None
    waiting = waiting_by_store(sheet) if sheet else {}
    return store_rows(stores, replace(chain, waiting=waiting), date, now)


def _decided(monitor: Monitor) -> Sheet | None:
    """Return the desk where prices may wait for a person; what keeps it from being read is said there."""
    approval = monitor.catalog.current().store.approval
    if approval.is_asked_for or approval.by_another:
        with suppress(ShelfpriceError):
            return monitor.desk.sheet()
    return None


def _full(monitor: Monitor) -> Component:
    catalog = monitor.catalog.current()
    return html.Div(
        [
            html.Div(id=STATS, className="grid grid-4"),
            card(
                "Stores",
                grid(catalog.store.stores, stock_lives=catalog.stock_rules is not None),
                caption="The most urgent first; click a store to open its page. A day that is still open is not "
                "compared. Margin is revenue less unit cost, where the cost is known; profit is what waste and "
                "nights leave of it.",
                right=dmc.Button(
                    "Save as CSV", id=SAVE, variant="default", size="xs", **aria(label="Save stores as CSV")
                ),
            ),
            *earned_card(monitor),
        ]
    )


PAGE = Page("overview", "/", "Overview", "overview", 0, layout, wire, ("day", "search"))
