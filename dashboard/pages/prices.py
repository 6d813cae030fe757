"""The Prices page: why each price of a product is what it is."""

from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from dashboard.address import Kept, kept_values, one_of, wire_address
from dashboard.components import (
    NEWEST,
    SCHEME,
    SOLD,
    all_stores,
    book_date,
    categories,
    days_and_next,
    heading,
    narrowing,
    picker,
    shown_date,
    wire_saving,
)
from dashboard.formats import store_options
from dashboard.monitor import Monitor, Page
from dashboard.pages.overview_cards import notices_of
from dashboard.pages.prices_cards import (
    COURSE,
    DEMAND,
    GUARDED,
    NOW,
    QUOTE,
    REVENUE,
    SAVE,
    STOCK,
    TIME,
    TRAIL,
    answer,
    book_cards,
    demand,
    no_book,
    no_prices_yet,
    now_card,
    price_now,
    products_of,
    rivals_card,
    trail,
    trail_card,
    trail_height,
    trail_rows,
)
from dashboard.theme import Scheme

PRODUCT, STORE, DAY, PULSE, SEEN = "prices-product", "prices-store", "prices-day", "prices-pulse", "prices-seen"
CATEGORY = "prices-category"
NOTICES, BOOK, MISSING, DECIDED = "prices-notices", "prices-book", "prices-missing", "prices-decided"

_PULSE_MS = 5_000
_TABLES = (*SOLD, "price_changes", "demand_cells", "booked_prices", "demand_curves", "model_versions", "champions")

_KEPT = (Kept("category", CATEGORY), Kept("product", PRODUCT), Kept("store", STORE), Kept("day", DAY))


def layout(monitor: Monitor, **query: object) -> Component:
    """Build the page with its pickers and sliders; the callbacks fill it as soon as it stands.

    Parameters
    ----------
    asked
        What the address asks for, `sku` being another name of `product`; what is not on offer is passed over.
    """
    date = shown_date(monitor, NEWEST)
    pickers, usual = _pickers(monitor, query)
    return html.Div(
        [
            heading("Prices", "Why each price of a product is what it is.", right=pickers),
            kept_values("prices", "/prices", _KEPT, usual),
            dcc.Interval(id=PULSE, interval=_PULSE_MS),
            dcc.Store(id=SEEN),
            html.Div(id=NOTICES),
            html.Div(now_card(), id=DECIDED, className="grid", hidden=date is None),
            html.Div(id=MISSING),
            html.Div(book_cards(monitor), id=BOOK, hidden=book_date(monitor, date) is None),
            *rivals_card(monitor, date),
            trail_card(),
        ]
    )


def wire(app: Dash, monitor: Monitor) -> None:
    """Register the page's callbacks."""
    _wire_quote(app, monitor)
    _wire_pickers(app, monitor)
    wire_address(app, "prices", _KEPT)

    @app.callback(
        Output(NOTICES, "children"),
        Output(MISSING, "children"),
        Output(BOOK, "hidden"),
        Output(DECIDED, "hidden"),
        Output(NOW, "children"),
        Output(COURSE, "figure"),
        Output(DEMAND, "figure"),
        Output(TRAIL, "rowData"),
        Output(TRAIL, "style"),
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
        date = shown_date(monitor, chosen, store)
        if date is None or sku is None or store is None:
            return None, no_prices_yet(monitor), True, True, None, {}, {}, [], trail_height([]), now
        book = book_date(monitor, date)
        decisions = trail(monitor, sku, store, date)
        decided, course = price_now(monitor, decisions, sku, store, date, scheme)
        rows = trail_rows(decisions, monitor.catalog.current().store.clock_of(store))
        return (
            notices_of(monitor, date),
            None if book else no_book(monitor, date),
            book is None,
            False,
            decided,
            course,
            demand(monitor, sku, book, date, scheme),
            rows,
            trail_height(rows),
            now,
        )

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
        State(STORE, "value"),
        State(DAY, "value"),
        State(SCHEME, "data"),
        prevent_initial_call=True,
    )
    def quote(stock: int, ticks_left: int, _seen: str, *looked_at: Any) -> Any:
        sku, store, chosen, scheme = looked_at
        date = book_date(monitor, shown_date(monitor, chosen, store))
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
        Output(CATEGORY, "data"),
        Input(PULSE, "n_intervals"),
        Input(CATEGORY, "value"),
        State(PRODUCT, "value"),
        State(STORE, "value"),
        State(DAY, "data"),
        State(PRODUCT, "data"),
        prevent_initial_call=True,
    )
    def offer(_pulse: int, category: str | None, *had: Any) -> Any:
        sku, store, had_days, had_products = had
        dates, offered, products = days_and_next(monitor), all_stores(monitor), _products(monitor, category)
        if not offered or (dates == had_days and products == had_products and sku and store):
            raise PreventUpdate
        chosen = one_of(sku, (product["value"] for product in products), products[0]["value"] if products else None)
        return products, chosen, store_options(offered), store or offered[0], dates, categories(monitor)


def _pickers(monitor: Monitor, query: Mapping[str, object]) -> tuple[Component, dict[str, Any]]:
    """Return the pickers, and what each holds unless something else was picked."""
    groups, offered, dates = categories(monitor), all_stores(monitor), days_and_next(monitor)
    category = one_of(query.get("category"), groups, None)
    products = _products(monitor, category)
    sku, store = products[0]["value"] if products else None, next(iter(offered), None)
    product = one_of(query.get("product", query.get("sku")), (option["value"] for option in products), sku)
    shown = [
        narrowing(CATEGORY, "Category", groups, 150, category),
        picker(PRODUCT, "Product", products, 190, product),
        picker(STORE, "Store", store_options(offered), 150, one_of(query.get("store"), offered, store)),
        picker(DAY, "Day", dates, 180, one_of(query.get("day"), (date["value"] for date in dates), NEWEST)),
    ]
    first = _products(monitor, None)
    usual = {"category": None, "product": first[0]["value"] if first else None, "store": store, "day": NEWEST}
    return html.Div(shown, className="controls"), usual


def _products(monitor: Monitor, category: str | None) -> list[dict[str, str]]:
    """Offer the products of a category, or all; none before the first day."""
    if shown_date(monitor, NEWEST) is None:
        return []
    return [{"value": sku, "label": name} for sku, name in products_of(monitor, category).items()]


PAGE = Page("prices", "/prices", "Prices", "prices", 2, layout, wire, (*(part.name for part in _KEPT), "sku"))
