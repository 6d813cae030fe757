"""The price of a product in a store as it is: since when, why, and how it got there."""

import datetime as dt
from typing import Any

import dash_mantine_components as dmc
import pandas as pd
from dash import html
from dash.development.base_component import Component

from dashboard.cards.decision_trail import DAYS
from dashboard.components import card, graph
from dashboard.data.people_acts import marks_of
from dashboard.figures import prices as figures
from dashboard.formats import change, euros, store_name
from dashboard.formats import day as day_name
from dashboard.monitor import Monitor
from dashboard.theme import Scheme

NOW, COURSE = "prices-now", "prices-course"


def now_card() -> Component:
    """Place what callbacks fill."""
    return card(
        "What is the price, and how did it get there?",
        html.Div(id=NOW),
        graph(COURSE, f"Price over the last {DAYS} days", figures.COURSE_HEIGHT),
        caption=f"The {DAYS} days up to the day chosen above, in the store's time. A dotted line is what a person did.",
    )


def price_now(
    monitor: Monitor, decisions: pd.DataFrame, sku: str, store: str, date: dt.date, scheme: Scheme
) -> tuple[Component, Any]:
    """Say the price that stands, and draw how it came to it.

    Parameters
    ----------
    decisions
        The rows of `decision_trail` up to a date, the newest first.
    """
    shelf = monitor.reader.ask("shelf", ("products",))
    product = next(iter(shelf[shelf["sku"] == sku].to_dict("records")), None)
    if not len(decisions) or product is None:
        return dmc.Text(f"No price was decided in the {DAYS} days up to {day_name(date)}.", c="dimmed", size="sm"), {}
    clock = monitor.catalog.current().store.clock_of(store)
    local = decisions.assign(decided_at=[clock.local(at).replace(tzinfo=None) for at in decisions["decided_at"]])
    newest, base = dict[Any, Any](local.iloc[0]), product["base_price"]
    price, since = newest["new_price"], newest["decided_at"]
    told = "" if price == base else f" It is {change(price, base)} on the base price of {euros(base)}."
    words = html.Div(
        [
            html.Span(euros(price), className="price-now"),
            html.Div(
                [
                    html.Strong(
                        f"{product['product_name']} in {store_name(store)} since {day_name(since.date())}, "
                        f"{since:%H:%M}"
                    ),
                    html.Div(f"{newest['reason']}.{told}"),
                ]
            ),
        ],
        className="quote",
    )
    marks = marks_of(monitor.reader, clock, store, sku, date - dt.timedelta(days=DAYS - 1), date)
    return words, figures.course(local, base, marks, scheme)
