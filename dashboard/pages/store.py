"""The Store page: what the store sells now, at which prices, and how the day went."""

from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from dashboard import live_controls as live
from dashboard.app_shell import SCHEME
from dashboard.cache import Cache, plain
from dashboard.cards.live_store import live_bar
from dashboard.cards.missing import no_data
from dashboard.cards.store_moment import MOST_DECISIONS, MOST_VISITS, QUIET_MS, moment, store_day, what_decides
from dashboard.components import PRICE_AND_STOCK, aria, card, graph, heading, icon
from dashboard.figures.store import HEIGHT, MOST_LINES
from dashboard.monitor import Monitor, Page
from dashboard.pickers import NEWEST, days, picker, shown_date, stores
from dashboard.theme import Scheme

STORE, DAY, PULSE, SHOWN = "store-store", "store-day", "store-pulse", "store-shown"
EMPTY, FULL, NOTICES = "store-empty", "store-full", "store-notices"
STATS, SHELF, FIGURE, FEED = "store-stats", "store-shelf", "store-figure", "store-feed"
SLIDER, MOMENT, PLAY, PLAYING = "store-slider", "store-moment", "store-play", "store-playing"
LIVE_PULSE = "store-live-pulse"

_MOST_MOMENTS = 12
_UNSEEN: dict[str, Any] = {"key": None, "last": -1}
_REPLAY_MS, _ASK_MS = 400, 2_000
_TICKS = 47  # on the slider before the store's opening hours are known
_PARTS = {
    "empty": (EMPTY, "children"),
    "hidden": (FULL, "hidden"),
    "notices": (NOTICES, "children"),
    "stats": (STATS, "children"),
    "shelf": (SHELF, "children"),
    "figure": (FIGURE, "figure"),
    "feed": (FEED, "children"),
    "tick": (SLIDER, "value"),
    "ticks": (SLIDER, "max"),
    "marks": (SLIDER, "marks"),
    "moment": (MOMENT, "children"),
    "shown": (SHOWN, "data"),
    "pulse": (PULSE, "interval"),
}
"""Which component and property each part of a moment fills."""


def layout(monitor: Monitor) -> Component:
    """Build the page with its pickers; the callbacks fill it as soon as it stands."""
    date = shown_date(monitor, NEWEST)
    offered = stores(monitor, date)
    pickers = html.Div(
        [
            picker(STORE, "Store", offered, 110, next(iter(offered), None)),
            picker(DAY, "Day", days(monitor), 190, NEWEST),
        ],
        className="controls",
    )
    return html.Div(
        [
            heading("Store", "What the store sells now, at which prices, and how the day went.", right=pickers),
            dcc.Interval(id=PULSE, interval=QUIET_MS),
            dcc.Interval(id=PLAYING, interval=_REPLAY_MS, disabled=True),
            dcc.Store(id=SHOWN),
            dcc.Interval(id=LIVE_PULSE, interval=_ASK_MS),
            dcc.Store(id=live.SEEN),
            html.Div(id=NOTICES),
            html.Div(id=EMPTY),
            html.Div(_full(), id=FULL, hidden=date is None),
        ]
    )


def wire(app: Dash, monitor: Monitor) -> None:
    """Register the page's callbacks."""
    _wire_pickers(app, monitor)
    _wire_replay(app)
    live.wire_live(app, monitor.control, STORE, LIVE_PULSE, monitor.why_no_live_day)
    moments = Cache[dict[str, Any]](_MOST_MOMENTS)

    @app.callback(
        output={part: Output(*place) for part, place in _PARTS.items()},
        inputs={
            "_pulse": Input(PULSE, "n_intervals"),
            "store": Input(STORE, "value"),
            "chosen": Input(DAY, "value"),
            "tick": Input(SLIDER, "value"),
            "scheme": Input(SCHEME, "data"),
            "shown": State(SHOWN, "data"),
        },
    )
    def show(
        _pulse: int, store: str | None, chosen: str, tick: int, scheme: Scheme | None, shown: dict[str, Any] | None
    ) -> dict[str, Any]:
        if scheme is None:
            raise PreventUpdate  # the browser has not yet said whether it is dark
        before = _UNSEEN if shown is None else shown
        date = shown_date(monitor, chosen)
        if date is None:
            return _nothing(before, monitor)
        if store is None:
            raise PreventUpdate  # the pickers are being filled
        day = store_day(monitor, store, date)
        follows = ctx.triggered_id in {STORE, DAY} or tick >= before["last"]
        through = day.last if follows else min(tick, day.last)
        key = repr((store, date, through, scheme, what_decides(monitor, date)))
        if key == before["key"]:
            raise PreventUpdate  # nothing has changed: nothing is sent
        result = moments.get(key, lambda: plain(moment(monitor, day, through, scheme)))
        return result | {"shown": {"key": key, "last": day.last}}


def _full() -> Component:
    button = dmc.ActionIcon(icon("play"), id=PLAY, variant="light", size="lg", **aria(label="Play the day again"))
    slider = dmc.Slider(
        id=SLIDER,
        min=0,
        max=_TICKS,
        value=0,
        step=1,
        label=None,
        className="replay-slider",
        thumbLabel="Moment of the day",
    )
    figure = graph(FIGURE, "Prices and stock by time", HEIGHT)
    newest = f"The newest {MOST_VISITS} visits and {MOST_DECISIONS} price decisions."
    feed = html.Ol(id=FEED, className="feed", tabIndex="0")
    replay = html.Div([button, slider, html.Span(id=MOMENT, className="moment")], className="replay")
    best = f"Up to {MOST_LINES} products with the highest revenue."
    caption = f"{PRICE_AND_STOCK} {best} Click a name to hide it; hover to compare products."
    return html.Div(
        [
            dmc.Paper([live_bar(), replay], withBorder=True, p="sm", mb="sm"),
            html.Div(id=STATS, className="grid grid-4"),
            html.Div(id=SHELF, className="grid shelf"),
            html.Div(
                [
                    card("Price and stock over the day", figure, caption=caption),
                    card("Events", feed, caption=newest),
                ],
                className="grid split",
            ),
        ]
    )


def _wire_pickers(app: Dash, monitor: Monitor) -> None:
    @app.callback(
        Output(DAY, "data"),
        Output(STORE, "data"),
        Output(STORE, "value"),
        Input(PULSE, "n_intervals"),
        Input(DAY, "value"),
        State(DAY, "data"),
        State(STORE, "data"),
        State(STORE, "value"),
    )
    def offer(_pulse: int, chosen: str, had_days: list[Any], had_stores: list[str], store: str | None) -> Any:
        date = shown_date(monitor, chosen)
        if date is None:
            raise PreventUpdate
        found, offered = stores(monitor, date), days(monitor)
        if (offered, found) == (had_days, had_stores) and store in found:
            raise PreventUpdate
        return offered, found, store if store in found else found[0]


def _wire_replay(app: Dash) -> None:
    """Let the browser itself move the slider, in `assets/replay.js`."""
    look = (State(SLIDER, "value"), State(SHOWN, "data"))
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("replay", "toggle"),
        Output(PLAYING, "disabled"),
        Output(SLIDER, "value", allow_duplicate=True),
        Input(PLAY, "n_clicks"),
        State(PLAYING, "disabled"),
        *look,
        prevent_initial_call=True,
    )
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("replay", "step"),
        Output(PLAYING, "disabled", allow_duplicate=True),
        Output(SLIDER, "value", allow_duplicate=True),
        Input(PLAYING, "n_intervals"),
        *look,
        prevent_initial_call=True,
    )


def _nothing(before: dict[str, Any], monitor: Monitor) -> dict[str, Any]:
    if before["key"] == EMPTY:
        raise PreventUpdate
    rest = dict.fromkeys(("stats", "shelf", "feed", "moment", "notices"), None)
    return rest | {
        "empty": no_data(monitor, "No store day yet", "The lake holds no decision."),
        "hidden": True,
        "figure": {},
        "tick": 0,
        "ticks": _TICKS,
        "marks": [],
        "shown": {"key": EMPTY, "last": -1},
        "pulse": QUIET_MS,
    }


PAGE = Page("store", "/", "Store", "store", 1, layout, wire)
