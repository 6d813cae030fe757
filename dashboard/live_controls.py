"""The controls of a live store on the Store page: start, pause, stop and pace it; Prefect does it."""

import time
from collections.abc import Callable
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, ctx, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from catalog.errors import Declined, ServiceError, ShelfpriceError
from dashboard.cache import Cache
from dashboard.components import aria, confirmation, icon, prose
from dashboard.prefect.control import LiveControl, LiveRun

START, PAUSE, STOP, RESET, SPEED, STATE = (
    "live-start", "live-pause", "live-stop", "live-reset", "live-speed", "live-state",
)  # fmt: skip
ASK, YES, NO = "live-ask", "live-yes", "live-no"

SPEEDS = {
    "0.2": "5 ticks a second",
    "1": "1 tick a second",
    "2": "a tick every 2 s",
    "5": "a tick every 5 s",
    "10": "a tick every 10 s",
}
"""Seconds from one tick to the next, and how people say it."""

_COLOURS = {"selling": "teal", "paused": "yellow", "waiting": "ocean", "stopping": "yellow", "failed": "red"}


def live_bar() -> Component:
    """Place the controls; a callback says which of them can be used."""
    speeds: Any = [{"value": value, "label": label} for value, label in SPEEDS.items()]
    buttons = [
        _button(START, "play", "Start", "filled"),
        _button(PAUSE, "pause", "Pause", "default"),
        _button(STOP, "stop", "Stop", "default"),
        _button(RESET, "reset", "Reset", "default"),
        dmc.Select(id=SPEED, data=speeds, value="1", w=150, size="xs", allowDeselect=False, **aria(label="Speed")),
    ]
    words = (
        "Deletes what this store has sold on its open day and starts the day again. Closed days, models and prices "
        "stay. To remove all generated data, run `shelfprice reset`."
    )
    yes = dmc.Button("Start again", id=YES, color="red")
    state = html.Div(id=STATE, className="live-state", **aria(live="polite"))
    ask = confirmation(ASK, "Start the open day again?", dmc.Text(prose(words), size="sm"), no=NO, yes=yes)
    return html.Div([state, html.Div(buttons, className="live-buttons"), ask], className="live-bar")


def state_of_store(run: LiveRun | None) -> list[Component]:
    """Say what a store is doing, with a link to its run."""
    if run is None:
        hint = html.Span("Press Start to sell a day tick by tick.")
        return [dmc.Badge("not live", color="gray", variant="light"), hint]
    badge = dmc.Badge(run.state, color=_COLOURS.get(run.state, "gray"), variant="light")
    name = dmc.Anchor(run.name, href=run.link, target="_blank", size="sm")
    return [badge, name, *([html.Span(run.message)] if run.state == "failed" and run.message else [])]


def away(error: ShelfpriceError) -> list[Component]:
    """Say why the controls cannot be used."""
    badge = dmc.Badge("no controls", color="gray", variant="light", className="live-away")
    return [badge, html.Span(prose(str(error)))]


def _button(identifier: str, picture: str, label: str, look: str) -> Component:
    return dmc.Button(label, id=identifier, leftSection=icon(picture), variant=look, size="xs", disabled=True)


SEEN, DONE = "live-seen", "live-done"

_ASK_AGAIN_AT_WORK, _ASK_AGAIN_IDLE = 1.5, 8.0  # seconds; all browsers share the answer
_MOST_STORES = 256


Refusal = Callable[[], str | None]
"""Says why no store can sell live; None where one can."""


class SharedStatus:
    """The newest live run of each store; Prefect is asked now and then, however many browsers look."""

    def __init__(self, control: LiveControl) -> None:
        self._control = control
        self._answers = Cache[LiveRun | ServiceError | None](_MOST_STORES, _ask_again_after)
        self._refusal = Cache[str | None](1, lambda _: _ASK_AGAIN_IDLE)

    def of(self, store: str, *, now: bool = False) -> LiveRun | None:
        """Return the newest live run of a store; with `now`, ask anew.

        Raises
        ------
        ServiceError
            When Prefect does not answer.
        """
        if now:
            self._answers.forget(store)
        answer = self._answers.get(store, lambda: self._ask(store))
        if isinstance(answer, ServiceError):
            raise answer
        return answer

    def why_not_started(self, run: LiveRun | None) -> str | None:
        """Say why a store with such a newest run cannot start now; None where it can, or is at work."""
        if run is not None and run.is_at_work:
            return None
        return self._refusal.get("now", self._control.why_none_starts)

    def _ask(self, store: str) -> LiveRun | ServiceError | None:
        try:
            return self._control.status(store)
        except ServiceError as error:
            return error


def _ask_again_after(answer: LiveRun | ServiceError | None) -> float:
    return _ASK_AGAIN_AT_WORK if isinstance(answer, LiveRun) and answer.is_at_work else _ASK_AGAIN_IDLE


def wire_live(app: Dash, control: LiveControl, store_picker: str, pulse: str, refusal: Refusal) -> None:
    """Register the callbacks of the controls; `store_picker` holds the store, `pulse` is when to look again.

    `refusal` says why no store can sell live in this lake, None where one can. To press and to look are callbacks of
    their own: a busy browser merges what triggers one callback, and a press must not get lost among the pulses.
    """
    status = SharedStatus(control)
    _wire_buttons(app, control, status, store_picker, refusal)
    _wire_state(app, status, store_picker, pulse, refusal)
    _wire_question(app)


def _wire_buttons(app: Dash, control: LiveControl, status: SharedStatus, store_picker: str, refusal: Refusal) -> None:
    """Do what was pressed."""

    @app.callback(
        Output(DONE, "data"),
        Input(START, "n_clicks"),
        Input(PAUSE, "n_clicks"),
        Input(STOP, "n_clicks"),
        Input(YES, "n_clicks"),
        Input(SPEED, "value"),
        State(store_picker, "value"),
        prevent_initial_call=True,
    )
    def act(*values: Any) -> dict[str, Any]:
        store, speed = values[-1], float(values[-2])
        pressed = [trigger["prop_id"].partition(".")[0] for trigger in ctx.triggered if trigger["value"]]
        if store is None or not pressed or refusal() is not None:
            raise PreventUpdate
        declined = [why for button in pressed if (why := press(control, status, button, store, speed))]
        return {"at": time.time(), "declined": declined, "while": repr(_newest(status, store))}


def _wire_state(app: Dash, status: SharedStatus, store_picker: str, pulse: str, refusal: Refusal) -> None:
    """Show what the store does and which controls can be used."""

    @app.callback(
        output={
            "state": Output(STATE, "children"),
            "start": Output(START, "disabled"),
            "pause": Output(PAUSE, "disabled"),
            "pause_label": Output(PAUSE, "children"),
            "stop": Output(STOP, "disabled"),
            "reset": Output(RESET, "disabled"),
            "seen": Output(SEEN, "data"),
        },
        inputs={
            "_pulse": Input(pulse, "n_intervals"),
            "store": Input(store_picker, "value"),
            "done": Input(DONE, "data"),
        },
        state={"seen": State(SEEN, "data")},
    )
    def look(_pulse: int, store: str | None, done: dict[str, Any] | None, seen: str | None) -> dict[str, Any]:
        if store is None:
            raise PreventUpdate
        if (why := refusal()) is not None:
            return _changed(seen, why, usable(None, reachable=False) | {"state": away(Declined(why))})
        try:
            run = status.of(store)
        except ServiceError as error:
            return _changed(seen, str(error), usable(None, reachable=False) | {"state": away(error)})
        declined = done["declined"] if done and done["while"] == repr(run) else []
        why = status.why_not_started(run)
        sentences = [*state_of_store(run), *declined]
        if why is not None:
            sentences = [*(sentences if run is not None else []), *away(ServiceError(why))]
        return _changed(seen, repr((run, declined, why)), usable(run, reachable=why is None) | {"state": sentences})


def _wire_question(app: Dash) -> None:
    """Ask before what was sold of a day is forgotten."""

    @app.callback(
        Output(ASK, "opened"),
        Input(RESET, "n_clicks"),
        Input(YES, "n_clicks"),
        Input(NO, "n_clicks"),
        prevent_initial_call=True,
    )
    def ask(*_clicks: int) -> bool:
        return bool(ctx.triggered_id == RESET)


def press(control: LiveControl, status: SharedStatus, pressed: str, store: str, speed: float) -> str | None:
    """Do what was pressed; return why it was not done, None when it was."""
    try:
        if pressed in {START, YES}:
            control.start(store, tick_seconds=speed, again=pressed == YES)
        elif pressed == STOP:
            control.cancel(store)
        elif pressed in {PAUSE, SPEED}:
            run = status.of(store, now=True)
            if pressed == PAUSE:
                (control.resume if run and run.state == "paused" else control.pause)(store)
            elif run and run.is_at_work:
                control.set_speed(store, speed)
    except (Declined, ServiceError) as error:
        return str(error)
    return None


def _newest(status: SharedStatus, store: str) -> LiveRun | None:
    """Ask anew; None where Prefect is away, which the page's next look says."""
    try:
        return status.of(store, now=True)
    except ServiceError:
        return None


def usable(run: LiveRun | None, *, reachable: bool = True) -> dict[str, Any]:
    """Say which buttons are disabled, and what the pause button says, for a store in some state."""
    at_work = run is not None and run.is_at_work
    state = run.state if run else None
    return {
        "start": at_work or not reachable,
        "pause": state not in {"selling", "paused"},
        "pause_label": "Resume" if state == "paused" else "Pause",
        "stop": not at_work or state == "stopping",
        "reset": at_work or not reachable,
    }


def _changed(seen: str | None, now: str, shown: dict[str, Any]) -> dict[str, Any]:
    if seen == now:
        raise PreventUpdate
    return shown | {"seen": now}
