"""Figures of the Store page."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.data.people_acts import PersonsAct
from dashboard.data.store_day import Clock, Course, ProductNow
from dashboard.figures.marks import mark
from dashboard.formats import in_currency, literal
from dashboard.theme import Scheme, colour, styled

HEIGHT = 470  # pixels
MOST_LINES = 8
"""Lines that can still be told apart; the products that earn most are drawn."""


def price_and_stock(
    course: Course, products: tuple[ProductNow, ...], clock: Clock, scheme: Scheme, marks: Sequence[PersonsAct] = ()
) -> go.Figure:
    """Draw prices above stock over the day, one line a product; hovering shows both for the same moment.

    Prices are in percent of the base price, so that milk and meat fit one scale; the hover box says EUR. Marks say what
    people did.
    """
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.08, row_heights=[0.55, 0.45])
    drawn = sorted(products, key=lambda product: -product.revenue)[:MOST_LINES]
    times = [clock.starts(tick) for tick in range(len(course.prices) + 1)]  # the last step has an end
    for position, product in enumerate(product for product in products if product in drawn):
        name, line = literal(product.name), {"color": colour(position, scheme), "width": 2, "shape": "hv"}
        shared = {"x": times, "name": name, "legendgroup": product.sku, "line": line, "mode": "lines"}
        prices = _to_the_end(course.prices, product.sku)
        if prices:
            percent = [100 * price / (product.base_price or prices[-1]) for price in prices]
            hover = in_currency("%{y:.0f} %, €%{customdata:.2f}")
            figure.add_scatter(
                **shared,
                y=percent,
                customdata=prices,
                hovertemplate=hover,
                row=1,
                col=1,
            )
        stock = _to_the_end(course.stock, product.sku)
        if stock:
            hover = "%{y:.0f} left"
            figure.add_scatter(**shared, y=stock, hovertemplate=hover, showlegend=False, row=2, col=1)
    if drawn and all(product.stock is None for product in drawn):
        figure.add_annotation(text="stock unknown", showarrow=False, x=0.5, xref="paper", y=0.5, yref="y2 domain")
    styled(figure, scheme, height=HEIGHT)
    figure.update_layout(hovermode="x unified", hoversubplots="axis", uirevision="day", legend={"y": 1.04})
    whole_day = [clock.starts(0), clock.starts(clock.opening.ticks)]
    figure.update_xaxes(range=whole_day, hoverformat="%H:%M", tickformat="%H:%M")
    figure.update_xaxes(title_text=f"time of day, {clock.time_zone}", row=2, col=1)
    figure.update_yaxes(title_text="price, % of base price", row=1, col=1)
    figure.update_yaxes(title_text="stock, units", rangemode="tozero", row=2, col=1)
    return mark(figure, marks, scheme)


def _to_the_end(steps: pd.DataFrame, sku: str) -> list[float]:
    values: list[float] = steps[sku].tolist() if sku in steps and len(steps) else []
    return [*values, *values[-1:]]
