"""Marks on a chart over time: what people did, each a line from top to bottom with a short label."""

from collections.abc import Sequence

import plotly.graph_objects as go

from dashboard.data.people_acts import PersonsAct
from dashboard.formats import literal
from dashboard.theme import FAINT, INK, Scheme

_TO_THE_LEFT = 2 / 3  # of the time that is shown
_LEVELS, _LEVEL = 4, 0.07  # labels that lie close to each other stand on several levels; height of one


def mark(figure: go.Figure, marks: Sequence[PersonsAct], scheme: Scheme) -> go.Figure:
    """Draw marks over all parts of a figure whose first axis is the store's own time, from a moment to another.

    Labels of the last third stand to the left of their lines, where there is room.
    """
    first, last = (moment.replace(tzinfo=None) for moment in figure.layout.xaxis.range)
    for position, one in enumerate(sorted(marks)):
        at = one.at.replace(tzinfo=None)
        line = {"color": FAINT[scheme], "width": 1.2, "dash": "dot"}
        figure.add_shape(type="line", x0=at, x1=at, y0=0, y1=1, xref="x", yref="paper", line=line)
        figure.add_annotation(
            text=literal(one.label),
            x=at,
            y=1 - _LEVEL * (position % _LEVELS),
            yref="paper",
            xanchor="right" if at - first > _TO_THE_LEFT * (last - first) else "left",
            yanchor="top",
            showarrow=False,
            font={"size": 11, "color": INK[scheme]},
        )
    return figure
