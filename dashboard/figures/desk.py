"""Figures of an opened row of the desk: demand at its prices, and the prices with which its store opened."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from catalog.arrays import Floats
from dashboard.figures.prices import in_money
from dashboard.figures.traces import reach, scatter
from dashboard.formats import in_currency, literal
from dashboard.theme import FAINT, INK, Scheme, colour, styled

HEIGHT, LOW = 270, 190  # pixels
_SURE = 1.96  # standard deviations


def marked(figure: go.Figure, prices: Mapping[str, float], scheme: Scheme) -> go.Figure:
    """Mark prices, EUR, on a figure over prices, the names of those that are the same together."""
    names: dict[float, list[str]] = {}
    for name, price in prices.items():
        names.setdefault(price, []).append(name)
    for line, (price, words) in enumerate(sorted(names.items())):
        figure.add_vline(x=price, line={"color": INK[scheme], "width": 1.2, "dash": "dash"})
        text = in_currency(f"{', '.join(words)} €{price:.2f}")
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
    figure, ink = go.Figure(), colour(1, scheme)
    a_day, error = seen["units"] / seen["days"], _SURE * np.sqrt(np.maximum(seen["units"], 1)) / seen["days"]
    hover = in_currency("€%{x:.2f}: %{y:.1f} a day on %{customdata:.1f} days<extra></extra>")
    look = {"error_y": reach(a_day - np.minimum(error, a_day), a_day, a_day + error, ink), "marker": {"size": 8}}
    name = "sold, with 95 % intervals"
    scatter(figure, seen["price"], a_day, ink, hover, customdata=seen["days"], name=name, **look)
    hover = in_currency("€%{x:.2f}: %{y:.1f} a day<extra></extra>")
    scatter(figure, prices, expected, colour(0, scheme), hover, line={"width": 2.5}, name="expected")
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
    figure, hover = go.Figure(), in_currency("%{x|%d %b}: €%{y:.2f}<extra></extra>")
    look: dict[str, Any] = {"line": {"width": 2, "shape": "hv"}, "marker": {"size": 4}, "name": "opening price"}
    scatter(figure, days["business_date"], days["price_eur"], colour(0, scheme), hover, **look)
    if len(acts):
        mark = {"size": 11, "symbol": "diamond", "line": {"color": FAINT[scheme]}}
        markers = {"text": acts["told"].map(literal), "name": "decided by a person"}
        hover = "%{x|%d %b}: %{text}<extra></extra>"
        scatter(figure, acts["date"], acts["price_eur"], colour(1, scheme), hover, marker=mark, **markers)
    styled(figure, scheme, height=LOW)
    figure.update_xaxes(tickformat="%d %b")
    figure.update_yaxes(title_text=in_currency("price, EUR"), **in_money())
    return figure
