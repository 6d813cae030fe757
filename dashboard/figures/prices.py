"""Figures of prices, demand and stock, and marks on them for what people did."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from catalog.metrics import wilson
from dashboard.data.prices import BookLine, PersonsAct
from dashboard.data.store_day import Clock, Course, ProductNow
from dashboard.figures.traces import reach, scatter
from dashboard.formats import in_currency, literal
from dashboard.theme import FAINT, INK, Scheme, colour, styled

_TO_THE_LEFT = 2 / 3  # of the time that is shown
_LEVELS, _LEVEL = 4, 0.07  # labels that lie close to each other stand on several levels; height of one


def mark(figure: go.Figure, marks: Sequence[PersonsAct], scheme: Scheme) -> go.Figure:
    """Draw marks over all parts of a figure whose first axis is the store's own time, from a moment to another.

    Labels of the last third stand to the left of their lines, where there is room.
    """
    first, last = (moment.replace(tzinfo=None) for moment in figure.layout.xaxis.range)
    for position, event in enumerate(sorted(marks)):
        at = event.at.replace(tzinfo=None)
        line = {"color": FAINT[scheme], "width": 1.2, "dash": "dot"}
        figure.add_shape(type="line", x0=at, x1=at, y0=0, y1=1, xref="x", yref="paper", line=line)
        figure.add_annotation(
            text=literal(event.label),
            x=at,
            y=1 - _LEVEL * (position % _LEVELS),
            yref="paper",
            xanchor="right" if at - first > _TO_THE_LEFT * (last - first) else "left",
            yanchor="top",
            showarrow=False,
            font={"size": 11, "color": INK[scheme]},
        )
    return figure


HEIGHT, COURSE_HEIGHT = 330, 260  # pixels

_SMALLEST_DOT, _LARGEST_DOT = 5.0, 16.0  # pixels


def course(decisions: pd.DataFrame, base_price: float, marks: Sequence[PersonsAct], scheme: Scheme) -> go.Figure:
    """Draw the price over time, what was a try, and what people did.

    Parameters
    ----------
    decisions
        The rows of `decision_trail`, the newest first, with `decided_at` in the store's time.
    base_price
        EUR.
    """
    figure, rows = go.Figure(), decisions[::-1]
    hover = in_currency("€%{y:.2f}<extra></extra>")
    look, ink = {"width": 2, "shape": "hv"}, colour(1, scheme)
    scatter(figure, rows["decided_at"], rows["new_price"], colour(0, scheme), hover, line=look, name="price")
    tried, name = rows[rows["explored"].astype(bool)], "a price tried to learn demand"
    scatter(figure, tried["decided_at"], tried["new_price"], ink, hover, marker={"size": 7}, name=name)
    base = {"color": FAINT[scheme], "width": 1.2, "dash": "dash"}
    figure.add_hline(y=base_price, line=base, annotation_text="base price", annotation_font_color=FAINT[scheme])
    styled(figure, scheme, height=COURSE_HEIGHT)
    span = [rows["decided_at"].iloc[0], rows["decided_at"].iloc[-1].normalize() + pd.Timedelta(days=1)]
    figure.update_xaxes(hoverformat="%a %d %b %H:%M", range=span)
    figure.update_yaxes(title_text=in_currency("price, EUR"), **in_money())
    return mark(figure, marks, scheme)


def demand(curve: pd.DataFrame, observed: pd.DataFrame, scheme: Scheme) -> go.Figure:
    """Draw what the champion predicts over what was observed.

    Parameters
    ----------
    curve
        The rows of `product_curve`; empty without a champion.
    observed
        The rows of `observed_demand`: the dots grow with the decisions behind them.
    """
    figure = go.Figure()
    if len(observed):
        _draw_observed(figure, observed, colour(1, scheme))
    if len(curve):
        chance, ink, width = 100 * curve["p_sale"], colour(0, scheme), {"width": 2.5}
        hover = in_currency("€%{x:.2f}: %{y:.1f} %<extra></extra>")
        outside = {"name": "predicted, outside the prices observed", "showlegend": not bool(curve["supported"].all())}
        scatter(figure, curve["price"], chance, ink, hover, line=width | {"dash": "dot"}, **outside)
        scatter(figure, curve["price"], chance.where(curve["supported"]), ink, line=width, name="predicted")
    styled(figure, scheme, height=HEIGHT)
    figure.update_xaxes(title_text=in_currency("price, EUR"), **in_money())
    figure.update_yaxes(title_text="chance of sale, %", rangemode="tozero")
    return figure


def revenue(curve: pd.DataFrame, now: BookLine, scheme: Scheme) -> go.Figure:
    """Draw what each candidate price earns in a state, and the one that was chosen.

    A sale brings the price and costs the unit, so what counts is (price - value of a unit kept) x chance of sale. That
    counts one sale: where a second in the same tick gives up more, or finds no unit, a dearer candidate may be best.
    """
    figure = go.Figure()
    supported = curve["supported"].to_numpy(dtype=bool)
    worth = (curve["price"] - now.unit_value) * curve["p_sale"]
    hover, chosen = in_currency("€%{x:.2f}: €%{y:.3f} a visit<extra></extra>"), in_currency(f"chosen, €{now.price:.2f}")
    alone = {"line": {"width": 1.5, "dash": "dash"}, "name": "revenue alone"}
    scatter(figure, curve["price"], curve["expected_revenue"], FAINT[scheme], hover, **alone)
    dots = {"size": 7, "symbol": np.where(supported, "circle", "circle-open")}
    name = "less what the unit is worth if kept"
    scatter(figure, curve["price"], worth, colour(0, scheme), hover, line={"width": 2.5}, marker=dots, name=name)
    dot, height = {"size": 16, "symbol": "diamond"}, (now.price - now.unit_value) * now.p_sale
    scatter(figure, [now.price], [height], colour(1, scheme), f"{chosen}<extra></extra>", marker=dot, name=chosen)
    styled(figure, scheme, height=HEIGHT)
    figure.update_xaxes(title_text=in_currency("candidate price, EUR"), **in_money())
    figure.update_yaxes(title_text=in_currency("expected, EUR per visit"), tickformat=in_currency(".2f"))
    return figure


def guarded(book: pd.DataFrame, now: BookLine, scheme: Scheme) -> go.Figure:
    """Draw the book's price over stock with the time that is left, before and after guardrails."""
    lines = book[(book["ticks_left"] == now.ticks_left) & (book["inventory_level"] > 0)]
    figure = go.Figure()
    stock, hover, look = lines["inventory_level"], in_currency("%{x} left: €%{y:.2f}<extra></extra>"), {"shape": "hv"}
    wanted = {"line": look | {"dash": "dot", "width": 2.5}, "name": "what the policy wants"}
    scatter(figure, stock, lines["unconstrained_price"], colour(1, scheme), hover, **wanted)
    shown = {"line": look | {"width": 2.5}, "name": "after the limits"}
    scatter(figure, stock, lines["price"], colour(0, scheme), hover, **shown)
    dot = {"size": 14, "symbol": "diamond"}
    scatter(figure, [now.stock], [now.price], colour(1, scheme), marker=dot, name="the state chosen above")
    styled(figure, scheme, height=HEIGHT)
    figure.update_xaxes(title_text="stock, units", rangemode="tozero")
    figure.update_yaxes(title_text=in_currency("price, EUR"), **in_money())
    return figure


def _draw_observed(figure: go.Figure, observed: pd.DataFrame, ink: str) -> None:
    offered = observed["n_offered"].to_numpy(dtype=float)
    bought = observed["n_purchased"].to_numpy(dtype=float)
    low, high = wilson(bought, offered)
    part = bought / offered
    size = _SMALLEST_DOT + (_LARGEST_DOT - _SMALLEST_DOT) * np.sqrt(offered / offered.max())
    scatter(
        figure,
        observed["mean_price_eur"],
        100 * part,
        ink,
        in_currency("€%{x:.2f}: %{y:.1f} % of %{customdata:,.0f} decisions<extra></extra>"),
        marker={"size": size, "opacity": 0.85},
        error_y=reach(100 * low, 100 * part, 100 * high, ink, 3),
        customdata=offered,
        name="observed, with 95 % intervals",
    )


def in_money() -> dict[str, str]:
    """Return how an axis of prices is written."""
    return {"tickprefix": in_currency("€"), "tickformat": in_currency(".2f")}


DAY_HEIGHT = 470  # pixels
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
    styled(figure, scheme, height=DAY_HEIGHT)
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
