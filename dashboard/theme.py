"""Colours that survive colour blindness, in light and dark, and the look of figures.

The series colours are those of Okabe and Ito (2008), a shade lighter on dark ground.
"""

from functools import cache
from typing import Any, Literal

import plotly.graph_objects as go

Scheme = Literal["light", "dark"]

FONT = "ui-sans-serif, system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', sans-serif, 'Noto Color Emoji'"
SERIES: dict[Scheme, tuple[str, ...]] = {
    "light": ("#0072B2", "#D55E00", "#009E73", "#B35C94", "#B58900", "#56B4E9", "#4D4D4D"),
    "dark": ("#56B4E9", "#F0883E", "#2FC79A", "#E39BC4", "#F0C74A", "#8AB4F8", "#C7CCD6"),
}
INK: dict[Scheme, str] = {"light": "#1f2733", "dark": "#e4e8ef"}
FAINT: dict[Scheme, str] = {"light": "#66707f", "dark": "#98a2b3"}
GRID: dict[Scheme, str] = {"light": "#e6e9ef", "dark": "#2b3340"}
GROUND: dict[Scheme, str] = {"light": "#ffffff", "dark": "#171c25"}
MANTINE: dict[str, Any] = {
    "primaryColor": "ocean",
    "primaryShade": {"light": 7, "dark": 7},
    "colors": {
        "ocean": [
            "#e6f4fb", "#cfe6f3", "#9fcce6", "#6bb1da", "#45a0d2",
            "#2f94cd", "#1b87c2", "#0072b2", "#005f96", "#004a78",
        ],
        "dark": [
            "#e4e8ef", "#b8c0cc", "#98a2b3", "#697586", "#3a4453",
            "#2b3340", "#1e2530", "#171c25", "#11161e", "#0b0f15",
        ],
    },
    "fontFamily": FONT,
    "headings": {"fontFamily": FONT},
    "defaultRadius": "md",
    "respectReducedMotion": True,
}  # fmt: skip


def colour(position: int, scheme: Scheme) -> str:
    """Return the colour of the series at a position; it repeats after seven."""
    return SERIES[scheme][position % len(SERIES[scheme])]


def styled(figure: go.Figure, scheme: Scheme, *, height: int) -> go.Figure:
    """Dress a figure, `height` pixels high; what it says itself stands."""
    figure.update_layout(template=_template(scheme), height=height)
    return figure


@cache
def _template(scheme: Scheme) -> go.layout.Template:
    """Transparent ground, quiet grid, legend above. Made once: setting all this on each figure takes 10 ms."""
    axis = {
        "gridcolor": GRID[scheme],
        "linecolor": GRID[scheme],
        "zeroline": False,
        "title": {"font": {"size": 12, "color": FAINT[scheme]}, "standoff": 10},
        "tickfont": {"color": FAINT[scheme]},
        "automargin": True,
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 12, "color": INK[scheme]},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "margin": {"l": 8, "r": 8, "t": 32, "b": 8},
            "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
            "hoverlabel": {"bgcolor": GROUND[scheme], "font": {"color": INK[scheme], "family": FONT}},
            "colorway": list(SERIES[scheme]),
            "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": FAINT[scheme], "activecolor": INK[scheme]},
            "xaxis": axis,
            "yaxis": axis,
        }
    )
