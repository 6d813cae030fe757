"""The Prices page: why each price of a product is what it is."""

import datetime as dt
from typing import Any

from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from dashboard.app_shell import SCHEME
from dashboard.cards.decision_trail import SAVE, TRAIL, trail, trail_card
from dashboard.cards.notices import notices_of
from dashboard.cards.price_book import (
    DEMAND,
    GUARDED,
    QUOTE,
    REVENUE,
    STOCK,
    TIME,
    answer,
    book_cards,
    demand,
    no_book,
    no_prices_yet,
    product_names,
)
from dashboard.components import heading, wire_saving
from dashboard.monitor import Monitor, Page
from dashboard.pickers import NEWEST, SOLD, book_date, days, picker, shown_date, stores
from dashboard.theme import Scheme

PRODUCT, STORE, DAY, PULSE, SEEN = "prices-product", "prices-store", "prices-day", "prices-pulse", "prices-seen"
NOTICES, BOOK, MISSING = "prices-notices", "prices-book", "prices-missing"

_PULSE_MS = 5_000
_TABLES = (*SOLD, "demand_cells", "price_book", "demand_curves", "model_versions", "champions")


def layout(monitor: Monitor) -> Component:
    """Build the page with its pickers and sliders; the callbacks fill it as soon as it stands."""
    date = shown_date(monitor, NEWEST)
    return html.Div(
        [
            heading("Prices", "Why each price of a product is what it is.", right=_pickers(monitor, date)),
            dcc.Interval(id=PULSE, interval=_PULSE_MS),
            dcc.Store(id=SEEN),
            html.Div(id=NOTICES),
            html.Div(id=MISSING),
            html.Div(book_cards(monitor), id=BOOK, hidden=book_date(monitor, date) is None),
            trail_card(),
        ]
    )


def wire(app: Dash, monitor: Monitor) -> None:
    """Register the page's callbacks."""
    _wire_quote(app, monitor)
    _wire_pickers(app, monitor)

    @app.callback(
        Output(NOTICES, "children"),
        Output(MISSING, "children"),
        Output(BOOK, "hidden"),
        Output(DEMAND, "figure"),
        Output(TRAIL, "rowData"),
        Output(SEEN, "data"),
        Input(PULSE, "n_intervals"),
        Input(PRODUCT, "value"),
        Input(STORE, "value"),
        Input(DAY, "value"),
        Input(SCHEME, "data"),
        State(SEEN, "data"),
    )
    def show(
        _pulse: int, sku: str | None, store: str | None, chosen: str, scheme: Scheme | None, seen: str | None
    ) -> Any:
        if scheme is None:
            raise PreventUpdate  # the browser has not yet said whether it is dark
        stamps = (monitor.reader.stamp(*_TABLES), monitor.catalog.current().fingerprint, monitor.next_command())
        now = repr((sku, store, chosen, scheme, stamps))
        if now == seen:
            raise PreventUpdate
        date = shown_date(monitor, chosen)
        if date is None or sku is None or store is None:
            return None, no_prices_yet(monitor), True, {}, [], now
        book = book_date(monitor, date)
        drawn, rows = demand(monitor, sku, book, date, scheme), trail(monitor, sku, store, date)
        return notices_of(monitor, date), None if book else no_book(monitor, date), book is None, drawn, rows, now

    wire_saving(app, TRAIL, SAVE)


def _wire_quote(app: Dash, monitor: Monitor) -> None:
    @app.callback(
        Output(QUOTE, "children"),
        Output(REVENUE, "figure"),
        Output(GUARDED, "figure"),
        Input(STOCK, "value"),
        Input(TIME, "value"),
        Input(SEEN, "data"),
        State(PRODUCT, "value"),
        State(DAY, "value"),
        State(SCHEME, "data"),
        prevent_initial_call=True,
    )
    def quote(stock: int, ticks_left: int, _seen: str, sku: str | None, chosen: str, scheme: Scheme) -> Any:
        date = book_date(monitor, shown_date(monitor, chosen))
        if date is None or sku is None:
            raise PreventUpdate
        return answer(monitor, sku, date, (stock, ticks_left), scheme)


def _wire_pickers(app: Dash, monitor: Monitor) -> None:
    @app.callback(
        Output(PRODUCT, "data"),
        Output(PRODUCT, "value"),
        Output(STORE, "data"),
        Output(STORE, "value"),
        Output(DAY, "data"),
        Input(PULSE, "n_intervals"),
        State(PRODUCT, "value"),
        State(STORE, "value"),
        State(DAY, "data"),
        prevent_initial_call=True,
    )
    def offer(_pulse: int, sku: str | None, store: str | None, had_days: list[Any]) -> Any:
        date, dates = shown_date(monitor, NEWEST), days(monitor)
        if date is None or (dates == had_days and sku and store):
            raise PreventUpdate
        products, offered = _products(monitor, date), stores(monitor, date)
        return products, sku or products[0]["value"], offered, store or offered[0], dates


def _pickers(monitor: Monitor, date: dt.date | None) -> Component:
    products, offered = _products(monitor, date), stores(monitor, date)
    return html.Div(
        [
            picker(PRODUCT, "Product", products, 170, products[0]["value"] if products else None),
            picker(STORE, "Store", offered, 100, next(iter(offered), None)),
            picker(DAY, "Day", days(monitor), 180, NEWEST),
        ],
        className="controls",
    )


def _products(monitor: Monitor, date: dt.date | None) -> list[dict[str, str]]:
    return [{"value": sku, "label": name} for sku, name in (product_names(monitor) if date else {}).items()]


PAGE = Page("prices", "/prices", "Prices", "prices", 2, layout, wire)
