"""How a number went: lines without axes, as SVG data addresses, beside or below it."""

from base64 import b64encode
from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from dashboard.components import aria

_WIDTH, _HEIGHT, _EDGE = 120.0, 32.0, 3.0


def sparkline(values: Sequence[float], n_ticks: int, line: str) -> str:
    """Draw a step line of values over a day of `n_ticks` in the colour `line`; empty for fewer than two values."""
    if len(values) < 2:  # noqa: PLR2004 - a line wants two points
        return ""
    heights, step = _heights(values), _WIDTH / max(n_ticks, len(values))
    path = f"M0 {heights[0]}" + "".join(f"V{height}H{index * step:.1f}" for index, height in enumerate(heights, 1))
    return _address(path, line)


def trend_line(values: Sequence[float]) -> str:
    """Draw a line from value to value, for a mask that gives it a colour; empty for fewer than two values."""
    if len(values) < 2:  # noqa: PLR2004
        return ""
    step = (_WIDTH - 2) / (len(values) - 1)
    places = [f"{1 + index * step:.1f} {height}" for index, height in enumerate(_heights(values))]
    return _address("M" + "L".join(places), "black")


def _heights(values: Sequence[float]) -> list[str]:
    lowest = min(values)
    spread = max(values) - lowest or 1.0
    return [f"{_HEIGHT - _EDGE - (_HEIGHT - 2 * _EDGE) * (value - lowest) / spread:.1f}" for value in values]


def _address(path: str, line: str) -> str:
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:.0f} {_HEIGHT:.0f}" preserveAspectRatio="none">'
        f'<path d="{path}" fill="none" stroke="{line}" stroke-width="1.6" vector-effect="non-scaling-stroke"/></svg>'
    )
    return f"data:image/svg+xml;base64,{b64encode(drawing.encode()).decode()}"


def trend(values: Sequence[float], label: str) -> Component | None:
    """Draw how a number went, in the colour of the text around it; `said` is what a screen reader says."""
    drawn = trend_line(values)
    style = {"--line": f'url("{drawn}")'}
    return html.Span(className="trend", style=style, role="img", title=label, **aria(label=label)) if drawn else None
