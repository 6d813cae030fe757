"""Let people start, pause, stop and pace a live store: the orchestrator does it, and the page says how it stands."""

from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import Any, Protocol

from dash import Dash, Input, Output, State, ctx
from dash.exceptions import PreventUpdate

from catalog.errors import Declined, ServiceError
from dashboard.prefect.control import LiveRun
from dashboard.sections.live import ASK, NO, PAUSE, RESET, SPEED, START, STATE, STOP, YES, away, standing

SEEN = "live-seen"

_ASK_AGAIN_AT_WORK, _ASK_AGAIN_IDLE = 1.5, 8.0  # seconds; all browsers share the answer


class Control(Protocol):
    """What the page needs of `dashboard.prefect.control.LiveControl`."""

    def status(self, store: str) -> LiveRun | None:
        """Return the newest live run of a store."""

    def start(self, store: str, *, tick_seconds: float, again: bool) -> LiveRun:
        """Let a store sell; `again` forgets what was sold of its open day."""

    def pause(self, store: str) -> LiveRun:
        """Hold the selling."""

    def resume(self, store: str) -> LiveRun:
        """Go on after a pause."""

    def cancel(self, store: str) -> LiveRun:
        """Stop the selling."""

    def set_speed(self, store: str, tick_seconds: float) -> LiveRun:
        """Change the time from one tick to the next."""


@dataclass(frozen=True)
class _Answer:
    run: LiveRun | None
    error: ServiceError | None
    asked_at: float

    @property
    def is_old(self) -> bool:
        at_work = self.run is not None and self.run.is_at_work
        return monotonic() - self.asked_at > (_ASK_AGAIN_AT_WORK if at_work else _ASK_AGAIN_IDLE)


class SharedStatus:
    """How stores stand, asked now and then, however many browsers look."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._lock = Lock()
        self._answers: dict[str, _Answer] = {}

    def of(self, store: str, *, now: bool = False) -> LiveRun | None:
        """Return the newest live run of a store; with `now`, ask anew.

        Raises
        ------
        ServiceError
            When the orchestrator is away.
        """
        with self._lock:
            answer = self._answers.get(store)
            if now or answer is None or answer.is_old:
                answer = self._ask(store)
                self._answers[store] = answer
        if answer.error is not None:
            raise answer.error
        return answer.run

    def _ask(self, store: str) -> _Answer:
        try:
            return _Answer(self._control.status(store), None, monotonic())
        except ServiceError as error:
            return _Answer(None, error, monotonic())


def wire_live(app: Dash, control: Control, store_picker: str, pulse: str) -> None:
    """Register the callbacks of the controls; `store_picker` holds the store, `pulse` is when to look again."""
    status = SharedStatus(control)

    @app.callback(
        output={
            "standing": Output(STATE, "children"),
            "start": Output(START, "disabled"),
            "pause": Output(PAUSE, "disabled"),
            "pause_label": Output(PAUSE, "children"),
            "stop": Output(STOP, "disabled"),
            "reset": Output(RESET, "disabled"),
            "seen": Output(SEEN, "data"),
        },
        inputs=[
            Input(pulse, "n_intervals"),
            Input(store_picker, "value"),
            Input(START, "n_clicks"),
            Input(PAUSE, "n_clicks"),
            Input(STOP, "n_clicks"),
            Input(YES, "n_clicks"),
            Input(SPEED, "value"),
            State(SEEN, "data"),
        ],
    )
    def act(_pulse: int, store: str | None, *rest: Any) -> dict[str, Any]:
        speed, seen = float(rest[-2]), rest[-1]
        if store is None:
            raise PreventUpdate
        pressed = ctx.triggered_id if ctx.triggered and ctx.triggered[0]["value"] else None
        try:
            declined = press(control, status, pressed, store, speed)
            run = status.of(store, now=pressed in {START, PAUSE, STOP, YES, SPEED})
        except ServiceError as error:
            return _changed(seen, str(error), usable(None, reachable=False) | {"standing": away(error)})
        told = [*standing(run), *([declined] if declined else [])]
        return _changed(seen, repr((run, declined)), usable(run) | {"standing": told})

    @app.callback(
        Output(ASK, "opened"),
        Input(RESET, "n_clicks"),
        Input(YES, "n_clicks"),
        Input(NO, "n_clicks"),
        prevent_initial_call=True,
    )
    def ask(*_clicks: int) -> bool:
        return bool(ctx.triggered_id == RESET)


def press(control: Control, status: SharedStatus, pressed: str | None, store: str, speed: float) -> str | None:
    """Do what was pressed; return why it was declined, None when it was not."""
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
    except Declined as declined:
        return str(declined)
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
