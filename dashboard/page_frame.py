"""Pages that show a frame at once, their content with the first callback, and new content only when it changed."""

from collections.abc import Callable
from typing import Any, cast

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from dashboard.app_shell import SCHEME
from dashboard.cache import Cache
from dashboard.components import heading
from dashboard.theme import Scheme

_LOOK_AGAIN = 5_000  # milliseconds
_KEPT = 4  # light and dark, and two on their way out


def frame(name: str, title: str, says: str) -> Component:
    """Build the frame of the page `name`; `says` is the sentence under its title."""
    return html.Div(
        [
            heading(title, says),
            dcc.Interval(id=f"{name}-clock", interval=_LOOK_AGAIN),
            dcc.Store(id=f"{name}-seen"),
            html.Div(dmc.Skeleton(height=420, radius="md"), id=f"{name}-content"),
        ]
    )


def wire_content(app: Dash, name: str, stamp: Callable[[], str], draw: Callable[[Scheme], Component]) -> None:
    """Fill the frame whenever `stamp` says that something changed; it is drawn once for all browsers."""
    drawn = Cache[Component](_KEPT)

    @app.callback(
        Output(f"{name}-content", "children"),
        Output(f"{name}-seen", "data"),
        Input(f"{name}-clock", "n_intervals"),
        Input(SCHEME, "data"),
        State(f"{name}-seen", "data"),
    )
    def fill(_n: int | None, scheme: str | None, seen: str | None) -> Any:
        now = f"{scheme} {stamp()}"
        return (no_update, no_update) if now == seen else (drawn.get(now, lambda: draw(scheme_of(scheme))), now)


def scheme_of(scheme: str | None) -> Scheme:
    """Return the browser's scheme, light until it has said so."""
    return cast("Scheme", scheme or "light")
