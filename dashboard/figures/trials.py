"""Trials: what one policy earned more than the other, with the interval."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from dashboard.data.comparison import label
from dashboard.figures.policies import policy_colour, policy_symbol
from dashboard.formats import in_currency, literal
from dashboard.theme import FAINT, Scheme, styled

_ROW = 46  # pixels


def effects(trials: pd.DataFrame, scheme: Scheme) -> go.Figure:
    """B minus A of each trial with its 95 % interval, EUR per store day; the newest on top.

    Look for: intervals that do not touch zero.

    Parameters
    ----------
    trials
        Rows of the query `newest_trials`.
    """
    figure = go.Figure()
    rows = list(range(len(trials)))[::-1]
    for row, one in zip(rows, trials.to_dict(orient="records"), strict=True):
        drawn = policy_colour(str(one["b"]), scheme)
        figure.add_scatter(
            x=[one["effect_eur"]],
            y=[row],
            error_x={
                "type": "data", "array": [one["high_eur"] - one["effect_eur"]], "color": drawn, "thickness": 1.5,
                "width": 4,
            },
            mode="markers",
            marker={"color": drawn, "symbol": policy_symbol(str(one["b"])), "size": 9},
            hovertemplate=in_currency(f"{names(one)}<br>€%{{x:,.2f}} a store day<extra></extra>"),
            showlegend=False,
        )  # fmt: skip
    figure.update_xaxes(title_text=in_currency("B minus A, EUR a store day"))
    figure.update_yaxes(
        tickvals=rows,
        ticktext=[names(one) for one in trials.to_dict(orient="records")],
        range=[-0.6, len(rows) - 0.4],
        showgrid=False,
    )
    figure.add_vline(x=0, line={"color": FAINT[scheme], "dash": "dot", "width": 1})
    return styled(figure, scheme, height=110 + _ROW * len(rows))


def names(trial: Mapping[Any, Any]) -> str:
    """Write which policies a trial compared."""
    return literal(f"{label(str(trial['b']))} over {label(str(trial['a']))}")
