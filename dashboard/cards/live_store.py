"""The controls of a live store: its state, and buttons that ask Prefect."""

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from catalog.errors import ShelfpriceError
from dashboard.components import aria, icon, prose
from dashboard.prefect.control import LiveRun

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
    speeds = [{"value": value, "label": label} for value, label in SPEEDS.items()]
    return html.Div(
        [
            html.Div(id=STATE, className="live-state", **aria(live="polite")),
            html.Div(
                [
                    _button(START, "play", "Start", "filled"),
                    _button(PAUSE, "pause", "Pause", "default"),
                    _button(STOP, "stop", "Stop", "default"),
                    _button(RESET, "reset", "Reset", "default"),
                    dmc.Select(
                        id=SPEED, data=speeds, value="1", w=150, size="xs", allowDeselect=False, **aria(label="Speed")
                    ),
                ],
                className="live-buttons",
            ),
            dmc.Modal(
                [
                    dmc.Text(
                        prose(
                            "Deletes what this store has sold on its open day and starts the day again. Closed days, "
                            "models and prices stay. To remove all generated data, run `shelfprice reset`."
                        ),
                        size="sm",
                    ),
                    html.Div(
                        [
                            dmc.Button("Cancel", id=NO, variant="default"),
                            dmc.Button("Start again", id=YES, color="red"),
                        ],
                        className="ask-buttons",
                    ),
                ],
                id=ASK,
                title="Start the open day again?",
                centered=True,
            ),
        ],
        className="live-bar",
    )


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
    return [
        dmc.Badge("no controls", color="gray", variant="light", className="live-away"),
        html.Span(prose(str(error))),
    ]


def _button(identifier: str, picture: str, label: str, look: str) -> Component:
    return dmc.Button(label, id=identifier, leftSection=icon(picture), variant=look, size="xs", disabled=True)
