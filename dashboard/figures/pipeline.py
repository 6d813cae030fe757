"""Disk use by table, and rejected rows by reason."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from dashboard.data.pipeline import LakeTable
from dashboard.theme import Scheme, colour, styled

_ROW = 26  # pixels
_MEGABYTE = 1e6


def disk_use(states: Sequence[LakeTable], scheme: Scheme) -> go.Figure:
    """Size of each table, the largest on top. Look for: a table that grows faster than its decisions."""
    held = sorted((state for state in states if state.bytes), key=lambda state: state.bytes)
    names, sizes = [state.name for state in held], [state.bytes / _MEGABYTE for state in held]
    return _bars(names, sizes, "size, MB", "%{y}<br>%{x:,.2f} MB<extra></extra>", scheme, colour(0, scheme))


def rejected(by_reason: pd.DataFrame, scheme: Scheme) -> go.Figure:
    """Rejected rows by reason, the most frequent on top. Look for: one reason that grows, a source that changed.

    Parameters
    ----------
    by_reason
        `reason` and `count_rows`, the most frequent first.
    """
    names, sizes = ([*by_reason[name][::-1]] for name in ("reason", "count_rows"))
    hover = "%{y}<br>%{x:,} rows<extra></extra>"
    return _bars([str(name) for name in names], sizes, "rejected rows", hover, scheme, colour(1, scheme))


def _bars(names: list[str], sizes: list[float], title: str, hover: str, scheme: Scheme, drawn: str) -> go.Figure:
    figure = go.Figure(go.Bar(x=sizes, y=names, orientation="h", marker={"color": drawn}, hovertemplate=hover))
    figure.update_layout(
        xaxis={"title": {"text": title}, "rangemode": "tozero"},
        yaxis={"showgrid": False},
        bargap=0.35,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
    )
    return styled(figure, scheme, height=80 + _ROW * len(names))
