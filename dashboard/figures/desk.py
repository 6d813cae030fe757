"""Figures of an opened row of the desk: demand at its prices, and the prices with which its store opened."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from catalog.arrays import Floats
from dashboard.figures.prices import in_money
from dashboard.formats import in_currency, literal
from dashboard.theme import FAINT, INK, Scheme, colour, styled

HEIGHT, LOW = 270, 190  # pixels
_SURE = 1.96  # standard deviations


def marked(figure: go.Figure, prices: Mapping[str, float], scheme: Scheme) -> go.Figure:
    """Mark prices, EUR, on a figure over prices, the names of those that are the same together."""
    names: dict[float, list[str]] = {}
    for name, price in prices.items():
        names.setdefault(price, []).append(name)
    for line, (price, said) in enumerate(sorted(names.items())):
        figure.add_vline(x=price, line={"color": INK[scheme], "width": 1.2, "dash": "dash"})
        text = in_currency(f"{', '.join(said)} €{price:.2f}")
        figure.add_annotation(
            x=price, y=1 - 0.11 * line, yref="paper", text=text, showarrow=False, xanchor="left", xshift=4
        )
    return figure.update_layout(height=HEIGHT)


def units_a_day(seen: pd.DataFrame, prices: Floats, expected: Floats, scheme: Scheme) -> go.Figure:
    """Draw the units that a store sold a day at each price over those that its newest draw expects.

    Parameters
    ----------
    seen
        The rows of `drawn_demand`; their 95 % intervals are those of a Poisson count.
    prices, expected
        Prices, EUR, and the units that are expected of a day at each, both of shape (n_prices,).
    """
    figure = go.Figure()
    a_day, error = seen["units"] / seen["days"], _SURE * np.sqrt(np.maximum(seen["units"], 1)) / seen["days"]
    figure.add_scatter(
        x=seen["price"],
        y=a_day,
        mode="markers",
        marker={"size": 8, "color": colour(1, scheme)},
        error_y={"array": error, "arrayminus": np.minimum(error, a_day), "color": colour(1, scheme), "thickness": 1.2},
        customdata=seen["days"],
        name="sold, with 95 % intervals",
        hovertemplate=in_currency("€%{x:.2f}: %{y:.1f} a day on %{customdata:.1f} days<extra></extra>"),
    )
    line = {"color": colour(0, scheme), "width": 2.5}
    hover = in_currency("€%{x:.2f}: %{y:.1f} a day<extra></extra>")
    figure.add_scatter(x=prices, y=expected, mode="lines", line=line, name="expected", hovertemplate=hover)
    styled(figure, scheme, height=HEIGHT)
    figure.update_xaxes(title_text=in_currency("price, EUR"), **in_money())
    figure.update_yaxes(title_text="units a day", rangemode="tozero")
    return figure


def openings(days: pd.DataFrame, acts: pd.DataFrame, scheme: Scheme) -> go.Figure:
    """Draw the prices with which a store opened with a product, and what people did about them.

    Parameters
    ----------
    days
        The rows of `openings_of_product`.
    acts
        `date`, `price_eur` at which each is drawn, and `told`: who did what.
    """
    line = {"color": colour(0, scheme), "width": 2, "shape": "hv"}
    figure = go.Figure()
    hover = in_currency("%{x|%d %b}: €%{y:.2f}<extra></extra>")
    figure.add_scatter(
        x=days["business_date"], y=days["price_eur"], mode="lines+markers", marker={"size": 4}, line=line,
        name="opening price", hovertemplate=hover,
    )  # fmt: skip
    if len(acts):
        figure.add_scatter(
            x=acts["date"],
            y=acts["price_eur"],
            mode="markers",
            marker={"size": 11, "symbol": "diamond", "color": colour(1, scheme), "line": {"color": FAINT[scheme]}},
            text=acts["told"].map(literal),
            name="decided by a person",
            hovertemplate="%{x|%d %b}: %{text}<extra></extra>",
        )
    styled(figure, scheme, height=LOW)
    figure.update_xaxes(tickformat="%d %b")
    figure.update_yaxes(title_text=in_currency("price, EUR"), **in_money())
    return figure
