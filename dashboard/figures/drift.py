"""Whether demand is still as the champion predicts: a control chart of each product."""

import pandas as pd
import plotly.graph_objects as go

from dashboard.theme import FAINT, Scheme, colour, styled

_STANDARD_ERRORS = 3.0


def control_chart(days: pd.DataFrame, scheme: Scheme) -> go.Figure:
    """Mean residual of one product by day, with what chance alone would do. Look for: a level that moves and stays.

    Parameters
    ----------
    days
        `business_date`, `mean_residual`, `standard_error`, `decisions`, `model_version` and `detected` of one product.
    """
    band_width = _STANDARD_ERRORS * days["standard_error"]
    figure = go.Figure()
    band = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
    figure.add_scatter(x=days["business_date"], y=-band_width, **band)
    figure.add_scatter(
        x=days["business_date"], y=band_width, fill="tonexty", fillcolor="rgba(128,136,150,0.18)", **band
    )
    figure.add_scatter(
        x=days["business_date"],
        y=days["mean_residual"],
        customdata=days[["decisions", "model_version"]],
        mode="lines+markers",
        line={"color": colour(0, scheme), "width": 1.5},
        marker={"size": 5},
        hovertemplate="%{x|%d %b}: %{y:+.1%}<br>%{customdata[0]:,} decisions, version %{customdata[1]}<extra></extra>",
    )
    alarms = days[days["detected"]]
    figure.add_scatter(
        x=alarms["business_date"],
        y=alarms["mean_residual"],
        customdata=alarms[["direction", "since"]],
        mode="markers",
        marker={"symbol": "x", "size": 11, "color": colour(1, scheme)},
        hovertemplate="drift: %{customdata[0]} bought since %{customdata[1]|%d %b}<extra></extra>",
    )
    figure.add_hline(y=0, line={"color": FAINT[scheme], "width": 1, "dash": "dot"})
    figure.update_layout(
        showlegend=False,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        yaxis={"tickformat": "+.0%", "title": {"text": "bought − predicted"}},
    )
    return styled(figure, scheme, height=190)
