"""The Prices page: why each price of a product is what it is."""

import datetime as dt
from typing import Any

import dash_mantine_components as dmc
import pandas as pd
from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from dashboard.components import aria, card, empty, graph, heading
from dashboard.data.health import tell
from dashboard.data.price_book import quote
from dashboard.figures import prices as figures
from dashboard.monitor import Monitor, Page
from dashboard.pickers import NEWEST, SOLD, book_date, days, health, picker, shown_date, stores
from dashboard.sections.prices import TRAIL, quote_in_words, save_button, trail_grid, trail_rows
from dashboard.shell import SCHEME
from dashboard.theme import Scheme

PRODUCT, STORE, DAY, PULSE, SEEN = "prices-product", "prices-store", "prices-day", "prices-pulse", "prices-seen"
NOTICES, BODY, MISSING = "prices-notices", "prices-body", "prices-missing"
STOCK, TIME, QUOTE = "prices-stock", "prices-time", "prices-quote"
DEMAND, REVENUE, GUARDED, SAVE = "prices-demand", "prices-revenue", "prices-guarded", "prices-save"

_PULSE_MS = 5_000
_DAYS_BACK = 28  # of observed demand
_TRAIL_DAYS = 14
_MOST_DECISIONS = 1_000


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
            html.Div(_book_cards(monitor), id=BODY, hidden=book_date(monitor, date) is None),
            card(
                "Decision trail",
                trail_grid(),
                caption=f"Every price decision of the {_TRAIL_DAYS} days until the day chosen above, the newest first. "
                "Type below a column's name to filter, click the name to sort.",
                right=save_button(SAVE),
            ),
        ]
    )


def wire(app: Dash, monitor: Monitor) -> None:
    """Register the page's callbacks."""
    _wire_quote(app, monitor)
    _wire_pickers(app, monitor)

    @app.callback(
        Output(NOTICES, "children"),
        Output(MISSING, "children"),
        Output(BODY, "hidden"),
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
            raise PreventUpdate
        stamp = monitor.reader.stamp(*SOLD, "demand_cells", "price_book", "demand_curves", "model_versions")
        now = repr((sku, store, chosen, scheme, stamp, monitor.catalog.read().fingerprint))
        if now == seen:
            raise PreventUpdate
        date = shown_date(monitor, chosen)
        if date is None or sku is None or store is None:
            return None, _nothing_yet(), True, {}, [], now
        book = book_date(monitor, date)
        missing = None if book else _no_book()
        demand, trail = _demand(monitor, sku, book, date, scheme), _trail(monitor, sku, store, date)
        return tell(health(monitor, date)), missing, book is None, demand, trail, now

    @app.callback(Output(TRAIL, "exportDataAsCsv"), Input(SAVE, "n_clicks"), prevent_initial_call=True)
    def save(_clicks: int) -> bool:
        return True


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
    def answer(stock: int, ticks_left: int, _seen: str, sku: str | None, chosen: str, scheme: Scheme) -> Any:
        date = book_date(monitor, shown_date(monitor, chosen))
        if date is None or sku is None:
            raise PreventUpdate
        book = _ask_book(monitor, "product_book", "price_book", sku, date)
        if not len(book):
            unknown = dmc.Text("The price book does not know this product; its base price stands.", c="dimmed")
            return unknown, {}, {}
        now = quote(book, stock, ticks_left)
        name = _names(monitor).get(sku, sku)
        minutes = now.ticks_left * monitor.catalog.read().store.opening.tick_minutes
        curve = _ask_book(monitor, "product_curve", "demand_curves", sku, date)
        return (
            quote_in_words(name, now, minutes),
            figures.revenue(curve, now, scheme),
            figures.guarded(book, now, scheme),
        )


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
    return [{"value": sku, "label": name} for sku, name in (_names(monitor) if date else {}).items()]


def _book_cards(monitor: Monitor) -> list[Component]:
    opening = monitor.catalog.read().store.opening
    par = max(product.par_stock for product in monitor.catalog.read().products)
    sliders = html.Div(
        [
            _slider(STOCK, "Stock, units", par, max(1, par // 10), f"{par // 2} units"),
            _slider(TIME, "Time left, ticks", opening.ticks, max(1, opening.ticks // 4), f"{opening.ticks // 2} ticks"),
        ],
        className="grid grid-2 sliders",
    )
    return [
        card(
            "What would it cost?",
            sliders,
            html.Div(id=QUOTE, **aria(live="polite")),
            caption="Answered from the price book in force on the day chosen above. The last units are dear when much "
            "of the day is left, and cheap when it is nearly over.",
        ),
        html.Div(
            [
                card(
                    "What each price earns",
                    graph(REVENUE, "Expected revenue by candidate price", figures.HEIGHT),
                    caption="The chosen price is the top of the solid line: each sale also gives a unit away. Hollow "
                    "candidates lie beyond the prices observed and are never chosen.",
                ),
                card(
                    "Price by stock, asked for and shown",
                    graph(GUARDED, "Price by stock", figures.HEIGHT),
                    caption="For the time left chosen above. Where the lines part, a limit holds the price back.",
                ),
            ],
            className="grid grid-2",
        ),
        card(
            "Demand: believed and observed",
            graph(DEMAND, "Chance of sale by price", figures.HEIGHT),
            caption=f"Dots are shares of shoppers who bought in the {_DAYS_BACK} days before, larger with more "
            "decisions. The line should run through their intervals; it never rises.",
        ),
    ]


def _slider(identifier: str, label: str, most: int, value: int, middle: str) -> Component:
    marks = [{"value": 1, "label": "1"}, {"value": most // 2, "label": middle}, {"value": most, "label": str(most)}]
    slider = dmc.Slider(
        id=identifier, min=1, max=most, value=value, step=1, marks=marks, updatemode="drag", thumbLabel=label
    )
    return html.Div([dmc.Text(label, size="sm", fw=500), slider], className="slider")


def _names(monitor: Monitor) -> dict[str, str]:
    shelf = monitor.reader.ask("shelf", ("products",))
    return dict(zip(shelf["sku"], shelf["product_name"], strict=True))


def _ask_book(monitor: Monitor, query: str, table: str, sku: str, date: dt.date) -> pd.DataFrame:
    return monitor.reader.ask(query, (table,), on=date, date=date, sku=sku)


def _demand(monitor: Monitor, sku: str, book: dt.date | None, date: dt.date, scheme: Scheme) -> Any:
    observed = monitor.reader.ask(
        "observed_demand", ("demand_cells", "products"), sku=sku, first=date - dt.timedelta(days=_DAYS_BACK),
        last=date - dt.timedelta(days=1), candidates=monitor.catalog.read().store.ladder_prices,
    )  # fmt: skip
    if book is None:
        return {}
    return figures.demand(_ask_book(monitor, "product_curve", "demand_curves", sku, book), observed, scheme)


def _trail(monitor: Monitor, sku: str, store: str, date: dt.date) -> list[dict[Any, Any]]:
    first = date - dt.timedelta(days=_TRAIL_DAYS - 1)
    return trail_rows(
        monitor.reader.ask("decision_trail", SOLD, first=first, last=date, store=store, sku=sku, most=_MOST_DECISIONS)
    )


def _nothing_yet() -> Component:
    return empty(
        "No prices yet", "Prices are decided when a store sells; none has sold a day so far.", "shelfprice demo"
    )


def _no_book() -> Component:
    return empty(
        "No price book for this day",
        "The store sold at base prices, with some tried on purpose: no champion had been made into a price book yet.",
        "shelfprice pipeline",
    )


PAGE = Page("prices", "/prices", "Prices", "prices", 2, layout, wire)
