"""The price book on the Prices page: sliders that ask it, and what each price earns, by stock and by demand."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import dash_mantine_components as dmc
import pandas as pd
from dash import html
from dash.development.base_component import Component

from catalog.names import BOOK_TABLES
from catalog.price_rules import RULES
from dashboard.cards.missing import no_data
from dashboard.components import PRICE_AND_STOCK, aria, card, graph, notice
from dashboard.data.price_book import BookLine, line_at
from dashboard.figures import prices as figures
from dashboard.formats import euros, share
from dashboard.monitor import Monitor
from dashboard.pickers import SOLD
from dashboard.theme import Scheme
from serving.policies import costs_that_count

STOCK, TIME, QUOTE = "prices-stock", "prices-time", "prices-quote"
DEMAND, REVENUE, GUARDED = "prices-demand", "prices-revenue", "prices-guarded"

_DAYS_BACK = 28  # of observed demand


def book_cards(monitor: Monitor) -> list[Component]:
    """Place the sliders and the figures that callbacks fill."""
    return [
        card(
            "What if so many were left?",
            _sliders(monitor),
            html.Div(id=QUOTE, **aria(live="polite")),
            caption=f"Read from the price book in force on the day chosen above. {PRICE_AND_STOCK}",
        ),
        html.Div([_revenue_card(), _guarded_card()], className="grid grid-2"),
        card(
            "Do shoppers buy as predicted?",
            graph(DEMAND, "Chance of sale by price", figures.HEIGHT),
            caption=f"Dots: share of shoppers who bought in the {_DAYS_BACK} days before; larger with more decisions. "
            "Look for a line that runs through their intervals.",
        ),
    ]


def answer(monitor: Monitor, sku: str, date: dt.date, state: tuple[int, int], scheme: Scheme) -> tuple[Any, Any, Any]:
    """Look up a product in the price book of a date.

    Parameters
    ----------
    state
        Stock in units and ticks until closing.

    Returns
    -------
    tuple
        The price in words, and the figures of what each price earns and of the price by stock.
    """
    book = monitor.reader.ask("product_book", BOOK_TABLES, on=date, date=date, sku=sku)
    if not len(book):
        return dmc.Text("The price book does not hold this product; its base price stands.", c="dimmed"), {}, {}
    catalog = monitor.catalog.current()
    store, costs = catalog.store, dict(zip(catalog.skus, costs_that_count(catalog).tolist(), strict=True))
    line = line_at(book, *state, costs.get(sku, 0.0))
    is_opening = (line.stock, line.ticks_left) == (book["inventory_level"].max(), book["ticks_left"].max())
    name, minutes = product_names(monitor).get(sku, sku), line.ticks_left * store.opening.tick_minutes
    words = in_words(name, line, minutes, is_opening=is_opening)
    if store.guardrails.kill_switch:
        words = html.Div([dmc.Text("The kill switch is on, so the base price is shown. The book would say:"), words])
    return words, figures.revenue(_curve(monitor, sku, date), line, scheme), figures.guarded(book, line, scheme)


def demand(monitor: Monitor, sku: str, book: dt.date | None, date: dt.date, scheme: Scheme) -> Any:
    """Draw predicted demand over what was observed before a date; nothing without a price book."""
    if book is None:
        return {}
    observed = monitor.reader.ask(
        "observed_demand",
        ("demand_cells", "products"),
        sku=sku,
        first=date - dt.timedelta(days=_DAYS_BACK),
        last=date - dt.timedelta(days=1),
        candidates=monitor.catalog.current().store.ladder_prices,
    )
    return figures.demand(_curve(monitor, sku, book), observed, scheme)


def in_words(name: str, line: BookLine, minutes_left: int, *, is_opening: bool = False) -> Component:
    """Say one line of the price book as people would; it may never come, so it is no headline."""
    moved = (
        f"; the policy asked for {euros(line.unconstrained_price)}" if line.price != line.unconstrained_price else ""
    )
    if_so = f"with {line.stock:,} left and {_duration(minutes_left)} to go"
    state = f"when the store opens with {line.stock:,} on the shelf" if is_opening else if_so
    return html.Div(
        [
            html.Span(euros(line.price), className="quote-price"),
            html.Span(
                f"{name}, {state}: chance of sale "
                f"{share(line.p_sale)}, a unit kept is worth {euros(line.unit_value)}. "
                f"Why: {RULES[line.binding_rule]}{moved}."
            ),
        ],
        className="quote",
    )


def product_names(monitor: Monitor) -> dict[str, str]:
    """Return the products' names by sku, in the order of the shelf."""
    return products_of(monitor, None)


def products_of(monitor: Monitor, category: str | None) -> dict[str, str]:
    """Return the names by sku of the products of a category, or of all, in the order of the shelf."""
    shelf = monitor.reader.ask("shelf", ("products",))
    shown = shelf[shelf["category"] == category] if category else shelf
    return dict(zip(shown["sku"], shown["product_name"], strict=True))


def no_prices_yet(monitor: Monitor) -> Component:
    """Stand in for the page before the first day."""
    return no_data(monitor, "No prices yet", "Prices are decided when a store sells, and none has sold yet.")


def no_book(monitor: Monitor, date: dt.date) -> Component:
    """Say in a line that a day has no book; once a later day has one, no command makes it."""
    title, now = "No price book for this day", monitor.situation()
    command = monitor.next_command() if now.newest_book is None else None
    policies = monitor.reader.ask("policies_of_day", SOLD, on=date, date=date)
    if policies["is_own"].any():
        told = "The prices of this day are the retailer's own, as the ingested file has them."
        return notice(title, told, command=command)
    return notice(title, "No champion had made a price book for it: the store sold at base prices.", command=command)


def _curve(monitor: Monitor, sku: str, date: dt.date) -> pd.DataFrame:
    return monitor.reader.ask("product_curve", ("demand_curves",), on=date, date=date, sku=sku)


def _revenue_card() -> Component:
    return card(
        "Which price earns most?",
        graph(REVENUE, "Expected revenue by candidate price", figures.HEIGHT),
        caption="The chosen price is the top of the solid line, which subtracts the value of the unit sold, or a "
        "little above it: a second sale before the price can change gives up more. Hollow candidates lie outside the "
        "prices observed and are never chosen.",
    )


def _guarded_card() -> Component:
    return card(
        "How does the price follow stock?",
        graph(GUARDED, "Price by stock", figures.HEIGHT),
        caption="For the time left chosen above. Where the lines part, a limit holds the price.",
    )


def _sliders(monitor: Monitor) -> Component:
    catalog = monitor.catalog.current()
    minutes = catalog.store.opening.tick_minutes
    ticks, par = catalog.store.opening.ticks, max(product.par_stock for product in catalog.products)
    return html.Div(
        [
            _slider(STOCK, "Stock, units", par, par, lambda units: f"{units} unit{'s' if units > 1 else ''}"),
            _slider(
                TIME,
                f"Time left, ticks of {minutes} min",
                ticks,
                ticks,
                lambda left: _duration(left * minutes),
            ),
        ],
        className="grid grid-2 sliders",
    )


def _slider(identifier: str, label: str, most: int, value: int, said: Callable[[int], str]) -> Component:
    """Place a slider whose name and marks say the unit."""
    marks = [{"value": place, "label": said(place)} for place in sorted({1, max(1, most // 2), most})]
    slider = dmc.Slider(
        id=identifier, min=1, max=most, value=value, step=1, marks=marks, updatemode="drag", thumbLabel=label
    )
    return html.Div([dmc.Text(label, size="sm", fw=500), slider], className="slider")


def _duration(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    return " ".join(part for part in (f"{hours} h" if hours else "", f"{rest} min" if rest else "") if part)
