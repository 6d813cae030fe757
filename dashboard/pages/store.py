"""The Store page: what the store sells now, at which prices, and how the day went."""

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from dashboard import live_controls as live
from dashboard.address import Kept, kept_values, number_of, one_of, text_of, wire_address
from dashboard.cache import Cache, plain
from dashboard.components import (
    NEWEST,
    PRICE_AND_STOCK,
    SCHEME,
    all_stores,
    aria,
    card,
    categories,
    days,
    graph,
    heading,
    icon,
    in_browser,
    narrowing,
    picker,
    shown_date,
)
from dashboard.data.store_day import ShelfChoice
from dashboard.figures.prices import DAY_HEIGHT, MOST_LINES
from dashboard.formats import store_options
from dashboard.live_controls import START, YES, live_bar
from dashboard.monitor import Monitor, Page
from dashboard.pages.overview_cards import no_data
from dashboard.pages.store_cards import MOST_DECISIONS, MOST_VISITS, QUIET_MS, moment, store_day, what_decides
from dashboard.theme import Scheme

STORE, DAY, PULSE, SHOWN = "store-store", "store-day", "store-pulse", "store-shown"
EMPTY, FULL, NOTICES = "store-empty", "store-full", "store-notices"
STATS, SHELF, FIGURE, FEED = "store-stats", "store-shelf", "store-figure", "store-feed"
SLIDER, MOMENT, PLAY, PLAYING = "store-slider", "store-moment", "store-play", "store-playing"
STICKERS = "store-stickers"
LIVE_PULSE = "store-live-pulse"
SEARCH, CATEGORY, PAGE_OF_CARDS, FOUND = "store-search", "store-category", "store-page", "store-found"

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
    "found": (FOUND, "children"),
    "pages": (PAGE_OF_CARDS, "total"),
    "figure": (FIGURE, "figure"),
    "feed": (FEED, "children"),
    "stickers": (STICKERS, "children"),
    "tick": (SLIDER, "value"),
    "ticks": (SLIDER, "max"),
    "marks": (SLIDER, "marks"),
    "moment": (MOMENT, "children"),
    "shown": (SHOWN, "data"),
    "pulse": (PULSE, "interval"),
}
"""Which component and property each part of a moment fills."""
_KEPT = (
    Kept("store", STORE),
    Kept("day", DAY),
    Kept("search", SEARCH, typed=True),
    Kept("category", CATEGORY),
    Kept("page", PAGE_OF_CARDS),
)


def layout(monitor: Monitor, **query: object) -> Component:
    """Build the page with its pickers; the callbacks fill it as soon as it stands.

    Parameters
    ----------
    asked
        What the address asks for; what is not on offer is passed over.
    """
    offered, dates = all_stores(monitor), days(monitor)
    first = next(iter(offered), None)
    pickers = html.Div(
        [
            picker(STORE, "Store", store_options(offered), 150, one_of(query.get("store"), offered, first)),
            picker(DAY, "Day", dates, 190, one_of(query.get("day"), (date["value"] for date in dates), NEWEST)),
        ],
        className="controls",
    )
    usual = {"store": first, "day": NEWEST, "search": "", "category": None, "page": 1}
    return html.Div(
        [
            heading("Store", "What the store sells now, at which prices, and how the day went.", right=pickers),
            kept_values("store", "/store", _KEPT, usual),
            dcc.Interval(id=PULSE, interval=QUIET_MS),
            dcc.Interval(id=PLAYING, interval=_REPLAY_MS, disabled=True),
            dcc.Store(id=SHOWN),
            dcc.Interval(id=LIVE_PULSE, interval=_ASK_MS),
            dcc.Store(id=live.SEEN),
            dcc.Store(id=live.DONE),
            html.Div(id=NOTICES),
            html.Div(id=EMPTY),
            html.Div(_full(monitor, query), id=FULL, hidden=first is None),
        ]
    )


def wire(app: Dash, monitor: Monitor) -> None:
    """Register the page's callbacks."""
    _wire_pickers(app, monitor)
    _wire_replay(app)
    wire_address(app, "store", _KEPT)
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
            "narrowed": (Input(SEARCH, "value"), Input(CATEGORY, "value"), Input(PAGE_OF_CARDS, "value")),
            "shown": State(SHOWN, "data"),
        },
    )
    def show(
        _pulse: int,
        store: str | None,
        chosen: str,
        tick: int,
        scheme: Scheme | None,
        narrowed: tuple[str | None, str | None, int],
        shown: dict[str, Any] | None,
    ) -> dict[str, Any]:
        if scheme is None:
            raise PreventUpdate  # the browser has not yet said whether it is dark
        before = _UNSEEN if shown is None else shown
        date = shown_date(monitor, chosen, store)
        if date is None:
            return _nothing(before, monitor)
        if store is None:
            raise PreventUpdate  # the pickers are being filled
        text, category, page = narrowed
        choice = ShelfChoice(text or "", category, page or 1)
        day = store_day(monitor, store, date)
        is_chosen = not {STORE, DAY}.isdisjoint(ctx.triggered_prop_ids.values())
        follows = is_chosen or tick >= before["last"]
        through = day.last if follows else min(tick, day.last)
        key = repr((store, date, through, scheme, choice, what_decides(monitor, date)))
        if key == before["key"]:
            raise PreventUpdate  # nothing has changed: nothing is sent
        result = moments.get(key, lambda: plain(moment(monitor, day, through, scheme, choice)))
        return result | {"shown": {"key": key, "last": day.last, "tick": through}}


def _full(monitor: Monitor, query: Mapping[str, object]) -> Component:
    button = dmc.ActionIcon(icon("play"), id=PLAY, variant="light", size="lg", **aria(label="Play the day again"))
    look = {"label": None, "className": "replay-slider", "thumbLabel": "Moment of the day, ticks since opening"}
    slider = dmc.Slider(id=SLIDER, min=0, max=_TICKS, value=0, step=1, **look)
    figure = graph(FIGURE, "Prices and stock by time", DAY_HEIGHT)
    newest = f"The newest {MOST_VISITS} visits and {MOST_DECISIONS} price decisions."
    feed = html.Ol(id=FEED, className="feed scrolled", tabIndex="0", **aria(label="Events"))
    replay = html.Div([button, slider, html.Span(id=MOMENT, className="moment")], className="replay")
    best = f"Up to {MOST_LINES} products with the highest revenue."
    use = "Click a name to hide it; hover to compare products. A dotted line is what a person did."
    drawn = card("How did prices and stock move?", figure, caption=f"{PRICE_AND_STOCK} {best} {use}")
    return html.Div(
        [
            dmc.Paper([live_bar(), replay], withBorder=True, p="sm", mb="sm"),
            html.Div(id=STATS, className="grid grid-4"),
            _shelf_choice(monitor, query),
            html.Div(id=SHELF, className="grid shelf"),
            html.Div(id=STICKERS, className="grid"),
            html.Div([drawn, card("Events", feed, caption=newest)], className="grid split"),
        ]
    )


def _shelf_choice(monitor: Monitor, query: Mapping[str, object]) -> Component:
    """Place what narrows the shelf, and the pages of its cards."""
    offered = categories(monitor)
    pages = dmc.Pagination(
        id=PAGE_OF_CARDS, total=1, value=number_of(query.get("page")), withControls=False, siblings=1, size="sm"
    )
    return html.Div(
        [
            dmc.TextInput(id=SEARCH, label="Find a product", value=text_of(query.get("search")), debounce=300, w=190),
            narrowing(CATEGORY, "Category", offered, 190, one_of(query.get("category"), offered, None)),
            html.Span(id=FOUND, className="found", **aria(live="polite")),
            html.Nav(pages, **aria(label="Pages of products")),
        ],
        className="controls shelf-choice",
    )


def _wire_pickers(app: Dash, monitor: Monitor) -> None:
    """Keep what is on offer up to date.

    No value is an output of what looks at every pulse: the address waits for such a callback, however slow it is.
    """

    @app.callback(
        Output(DAY, "data"),
        Output(STORE, "data"),
        Output(CATEGORY, "data"),
        Input(PULSE, "n_intervals"),
        State(DAY, "data"),
        State(STORE, "data"),
    )
    def offer(_pulse: int, had_days: list[Any], had_stores: list[Any]) -> Any:
        offered, options = days(monitor), store_options(all_stores(monitor))
        if not options or (offered, options) == (had_days, had_stores):
            raise PreventUpdate
        return offered, options, categories(monitor)

    @app.callback(Output(STORE, "value"), Input(STORE, "data"), State(STORE, "value"), prevent_initial_call=True)
    def settle(options: list[dict[str, str]], store: str | None) -> Any:
        return no_update if any(one["value"] == store for one in options) else options[0]["value"]

    narrowed = Input(SEARCH, "value"), Input(CATEGORY, "value")
    in_browser(app, "address.turn", Output(PAGE_OF_CARDS, "value"), *narrowed, prevent_initial_call=True)

    @app.callback(Output(DAY, "value"), Input(START, "n_clicks"), Input(YES, "n_clicks"), prevent_initial_call=True)
    def follow(*_clicks: int | None) -> str:
        """Show the day that sells: a store that is started is looked at on its newest day."""
        return NEWEST


def _wire_replay(app: Dash) -> None:
    """Let the browser itself move the slider, in `assets/replay.js`."""
    look, slider = (State(SLIDER, "value"), State(SHOWN, "data")), Output(SLIDER, "value", allow_duplicate=True)
    pressed = Input(PLAY, "n_clicks"), State(PLAYING, "disabled")
    in_browser(app, "replay.toggle", Output(PLAYING, "disabled"), slider, *pressed, *look, prevent_initial_call=True)
    stops, beat = Output(PLAYING, "disabled", allow_duplicate=True), Input(PLAYING, "n_intervals")
    in_browser(app, "replay.step", stops, slider, beat, *look, prevent_initial_call=True)


def _nothing(before: dict[str, Any], monitor: Monitor) -> dict[str, Any]:
    if before["key"] == EMPTY:
        raise PreventUpdate
    rest: dict[str, Any] = dict.fromkeys(("stats", "shelf", "feed", "stickers", "moment", "notices", "found"), None)
    return rest | {
        "empty": no_data(monitor, "No store day yet", "The lake holds no decision."),
        "hidden": True,
        "pages": 1,
        "figure": {},
        "tick": 0,
        "ticks": _TICKS,
        "marks": [],
        "shown": {"key": EMPTY, "last": -1, "tick": 0},
        "pulse": QUIET_MS,
    }


PAGE = Page("store", "/store", "Store", "store", 1, layout, wire, tuple(part.name for part in _KEPT))
