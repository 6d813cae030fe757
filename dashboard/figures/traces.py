"""How lines and dots are drawn, in one place."""

from typing import Any

import numpy as np
import plotly.graph_objects as go


def scatter(figure: go.Figure, x: Any, y: Any, ink: str, hover: str | None = None, **look: Any) -> None:
    """Draw a line, dots, or both, in one colour.

    Parameters
    ----------
    hover
        What the pointer shows of a point; None is nothing.
    look
        `line` and `marker` say how they look beside their colour, and what is not there is not drawn. The rest is
        Plotly's.
    """
    drawn = {name: {"color": ink, **look.pop(name)} for name in ("line", "marker") if name in look}
    mode = {"line": "lines", "marker": "markers", "line+marker": "lines+markers"}["+".join(drawn)]
    template = {"hoverinfo": "skip"} if hover is None else {"hovertemplate": hover}
    figure.add_scatter(x=x, y=y, mode=mode, **drawn, **template, **look)


def reach(low: Any, middle: Any, high: Any, ink: str, width: int = 0) -> dict[str, Any]:
    """Return an interval around each point."""
    above, below = np.maximum(high - middle, 0), np.maximum(middle - low, 0)
    return {"type": "data", "array": above, "arrayminus": below, "color": ink, "thickness": 1.2, "width": width}
