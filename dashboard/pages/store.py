"""The Store page: what the store sells now, at which prices, and how the day came about."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import dash_mantine_components as dmc
import pandas as pd
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from dashboard import live_controls as live
from dashboard.cache import Shared, plain
from dashboard.components import aria, card, graph, heading, icon
from dashboard.data.health import model_behind, tell
from dashboard.data.store_day import Clock, day_at, last_tick
from dashboard.figures.store import HEIGHT, MOST_LINES, price_and_stock
from dashboard.monitor import Monitor, Page
from dashboard.pickers import NEWEST, SOLD, days, health, picker, shown_date, stores
from dashboard.sections.live import live_bar
from dashboard.sections.shelf import event_list, nothing_sold, shelf_cards, stats
from dashboard.shell import SCHEME
from dashboard.theme import Scheme

STORE, DAY, PULSE, SHOWN = "store-store", "store-day", "store-pulse", "store-shown"
EMPTY, FULL, NOTICES = "store-empty", "store-full", "store-notices"
STATS, SHELF, FIGURE, FEED = "store-stats", "store-shelf", "store-figure", "store-feed"
SLIDER, MOMENT, PLAY, PLAYING = "store-slider", "store-moment", "store-play", "store-playing"
LIVE_PULSE = "store-live-pulse"

_TOLD = (*SOLD, "shoppers", "drift_checks")
_MOST_VISITS, _MOST_DECISIONS = 60, 25
_KEPT_PICTURES = 12
_UNSEEN: dict[str, Any] = {"key": None, "last": -1}
_LIVE_MS, _QUIET_MS, _REPLAY_MS, _ASK_MS = 500, 5_000, 400, 2_000


@dataclass(frozen=True)
class _Choice:
    """What a browser looks at: a store, a date, and the newest tick in which something happened there."""

    store: str
    date: dt.date
    events: pd.DataFrame

    @property
    def last(self) -> int:
        return last_tick(self.events)


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
            heading("Store", "What the store sells now, at which prices, and how the day came about.", right=pickers),
            dcc.Interval(id=PULSE, interval=_QUIET_MS),
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
    pictures = Shared[dict[str, Any]](_KEPT_PICTURES)
    live.wire_live(app, monitor.control, STORE, LIVE_PULSE)

    @app.callback(
        output={
            "empty": Output(EMPTY, "children"),
            "hidden": Output(FULL, "hidden"),
            "notices": Output(NOTICES, "children"),
            "stats": Output(STATS, "children"),
            "shelf": Output(SHELF, "children"),
            "figure": Output(FIGURE, "figure"),
            "feed": Output(FEED, "children"),
            "tick": Output(SLIDER, "value"),
            "ticks": Output(SLIDER, "max"),
            "marks": Output(SLIDER, "marks"),
            "moment": Output(MOMENT, "children"),
            "shown": Output(SHOWN, "data"),
            "pulse": Output(PULSE, "interval"),
        },
        inputs=[
            Input(PULSE, "n_intervals"),
            Input(STORE, "value"),
            Input(DAY, "value"),
            Input(SLIDER, "value"),
            Input(SCHEME, "data"),
            State(SHOWN, "data"),
        ],
    )
    def show(
        _pulse: int,
        store: str | None,
        chosen: str,
        tick: int,
        scheme: Scheme | None,
        shown: dict[str, Any] | None,
    ) -> dict[str, Any]:
        if scheme is None:
            raise PreventUpdate  # the browser has not yet said whether it is dark
        before = _UNSEEN if shown is None else shown
        date = shown_date(monitor, chosen)
        if date is None:
            return _nothing(before)
        if store is None:
            raise PreventUpdate  # the pickers are being filled
        choice = _Choice(store, date, _events(monitor, store, date))
        follows = ctx.triggered_id in {STORE, DAY} or tick >= before["last"]
        through = choice.last if follows else min(tick, choice.last)
        stamp = (
            monitor.reader.stamp(*SOLD, date=date),
            monitor.reader.stamp("model_versions", "price_book", "drift_checks"),
        )
        key = repr((store, date, through, scheme, stamp, monitor.catalog.read().fingerprint, monitor.catalog.error))
        if key == before["key"]:
            raise PreventUpdate  # nothing has changed: nothing is sent
        result = pictures.of(key, lambda: plain(_shown(monitor, choice, through, scheme)))
        return result | {"shown": {"key": key, "last": choice.last}}


def _full() -> Component:
    button = dmc.ActionIcon(icon("play"), id=PLAY, variant="light", size="lg", **aria(label="Play the day again"))
    slider = dmc.Slider(
        id=SLIDER, min=0, max=47, value=0, step=1, label=None, className="replay-slider", thumbLabel="Moment of the day"
    )
    figure = graph(FIGURE, "Prices and stock by time", HEIGHT)
    newest = f"The newest {_MOST_VISITS} visits and {_MOST_DECISIONS} price decisions."
    feed = html.Ol(id=FEED, className="feed", tabIndex="0")
    replay = html.Div([button, slider, html.Span(id=MOMENT, className="moment")], className="replay")
    caption = (
        f"Prices move with stock and time: scarce units late in the day cost more. At most {MOST_LINES} products, "
        "those that earn most. Click a name to hide it, hover to see every product at one moment."
    )
    return html.Div(
        [
            dmc.Paper([live_bar(), replay], withBorder=True, p="sm", mb="sm"),
            html.Div(id=STATS, className="grid grid-4"),
            html.Div(id=SHELF, className="grid shelf"),
            html.Div(
                [
                    card("Price and stock over the day", figure, caption=caption),
                    card("What happened", feed, caption=newest),
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


def _events(monitor: Monitor, store: str, date: dt.date) -> pd.DataFrame:
    return monitor.reader.ask("shelf_by_tick", SOLD, on=date, date=date, store=store)


def _nothing(before: dict[str, Any]) -> dict[str, Any]:
    if before["key"] == EMPTY:
        raise PreventUpdate
    rest = dict.fromkeys(("stats", "shelf", "feed", "moment", "notices"), None)
    return rest | {
        "empty": nothing_sold(),
        "hidden": True,
        "figure": {},
        "tick": 0,
        "ticks": 47,
        "marks": [],
        "shown": {"key": EMPTY, "last": -1},
        "pulse": _QUIET_MS,
    }


def _shown(monitor: Monitor, choice: _Choice, through: int, scheme: Scheme) -> dict[str, Any]:
    store = monitor.catalog.read().store
    clock = Clock(choice.date, store.opening)
    shelf = monitor.reader.ask("shelf", ("products",))
    low = store.policies.rule.low_stock
    now = day_at(choice.events, shelf, through, low)
    yesterday = _events(monitor, choice.store, choice.date - dt.timedelta(days=1))
    before = day_at(yesterday, shelf, through, low) if len(yesterday) else None
    models = monitor.reader.ask("models", ("model_versions",))
    feed = monitor.reader.ask(
        "newest_events", _TOLD, on=choice.date, date=choice.date, store=choice.store, through=through,
        most_visits=_MOST_VISITS, most_decisions=_MOST_DECISIONS,
    )  # fmt: skip
    is_live = monitor.reader.holds("live_interactions", choice.date, f"live-{choice.store}")
    return {
        "empty": None,
        "hidden": False,
        "notices": tell(health(monitor, choice.date)),
        "stats": stats(now, before, *(model_behind(models, one, choice.date) for one in (now, before))),
        "shelf": shelf_cards(now.products, store.opening.ticks, scheme),
        "figure": price_and_stock(now.course, now.products, clock, scheme),
        "feed": event_list(feed, {product.sku: product.name for product in now.products}),
        "tick": through,
        "ticks": max(store.opening.ticks - 1, choice.last),
        "marks": [
            {"value": tick, "label": clock.time(tick)} for tick in range(0, store.opening.ticks, _hours(clock, 3))
        ],
        "moment": f"{clock.time(through)} to {clock.time(through + 1)}",
        "pulse": _LIVE_MS if is_live else _QUIET_MS,
    }


def _hours(clock: Clock, hours: int) -> int:
    return max(1, hours * 60 // clock.opening.tick_minutes)


PAGE = Page("store", "/", "Store", "store", 1, layout, wire)
