"""The panel in which prices are set: it opens for the chosen rows, says what is typed for them, and saves it."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from dash import Dash, Input, Output, State, ctx, no_update
from dash.exceptions import PreventUpdate

from catalog.errors import DataError, ShelfpriceError
from dashboard.cards import desk_edit as edit
from dashboard.data.desk import acts
from dashboard.data.desk.asked import DeskQuestion
from dashboard.data.desk.drafts import PriceDraft, preview
from dashboard.data.desk.price_by import price_by
from dashboard.data.desk.price_desk import PriceDesk
from dashboard.data.desk.rows import Row
from dashboard.desk_controls import ACT, DONE, SAID, chosen_states, meant, problem, told
from dashboard.formats import shown_currency


def wire_panel(app: Dash, desk: PriceDesk) -> None:
    """Register what opens the panel and saves what was typed."""
    _wire_typed(app, desk)
    _wire_save(app, desk)


def _wire_typed(app: Dash, desk: PriceDesk) -> None:
    """Open the panel filled for the chosen rows, and show what is typed for them.

    It opens with its values: those that came later would replace what somebody has typed by then.
    """
    typed = (edit.PRICE, edit.FIRST, edit.LAST, edit.START, edit.END)

    @app.callback(
        output={
            "facts": Output(edit.FACTS, "children"),
            "hidden": Output(edit.HOURS, "hidden"),
            "values": [Output(identifier, "value") for identifier in (*typed, edit.REASON)],
            "accepted": [Output(identifier, "checked") for identifier in (edit.ANYWAY, edit.BELOW_COST)],
            "refused": Output(edit.REFUSED, "children", allow_duplicate=True),
            "opened": Output(edit.PANEL, "opened", allow_duplicate=True),
        },
        inputs={"act": Input(ACT, "data")},
        state=chosen_states(),
        prevent_initial_call=True,
    )
    def fill(*, act: dict[str, Any] | None, **chosen: Any) -> dict[str, Any]:
        rows = _edited(desk, act, **chosen)
        price = f"{rows[0].stands:.{shown_currency().digits}f}" if len(rows) == 1 else ""
        return {
            "facts": edit.facts_of_all(rows),
            "hidden": len(rows) > 1,
            "values": [price, None, None, "", "", ""],
            "accepted": [False, False],
            "refused": None,
            "opened": True,
        }

    @app.callback(
        output=Output(edit.PREVIEW, "children"),
        inputs={"typed": [Input(identifier, "value") for identifier in typed]},
        state={"act": State(ACT, "data"), **chosen_states()},
        prevent_initial_call=True,
    )
    def show(*, typed: list[str | None], act: dict[str, Any] | None, **chosen: Any) -> Any:
        rows, (price, first, last, start, end) = _edited(desk, act, **chosen), typed
        change = edit.typed_change(price)
        if not change:
            return []
        if len(rows) > 1 or first or last:
            return edit.preview_of_all(rows, change)
        try:
            return edit.preview_of(preview(desk.sheet(), rows[0], _draft_of(rows[0], change, start, end)))
        except ShelfpriceError as error:
            return problem(str(error))


def _wire_save(app: Dash, desk: PriceDesk) -> None:
    """Save what was typed into the panel."""

    @app.callback(
        output=[
            Output(SAID, "children", allow_duplicate=True),
            Output(DONE, "data", allow_duplicate=True),
            Output(edit.PANEL, "opened", allow_duplicate=True),
            Output(edit.REFUSED, "children", allow_duplicate=True),
        ],
        inputs={"_save": Input(edit.SAVE, "n_clicks"), "_enter": Input(edit.REASON, "n_submit")},
        state={
            "price": State(edit.PRICE, "value"),
            "days": [State(edit.FIRST, "value"), State(edit.LAST, "value")],
            "hours": [State(edit.START, "value"), State(edit.END, "value")],
            "why": State(edit.REASON, "value"),
            "accepted": [State(edit.ANYWAY, "checked"), State(edit.BELOW_COST, "checked")],
            "act": State(ACT, "data"),
            **chosen_states(),
        },
        prevent_initial_call=True,
    )
    def save(*, _save: int, _enter: int, price: str | None, act: dict[str, Any], **rest: Any) -> Any:
        if not ctx.triggered or not ctx.triggered[0]["value"]:
            raise PreventUpdate
        typed = {name: rest.pop(name) for name in ("days", "hours", "why", "accepted")}
        rows, change = _edited(desk, act, **rest), edit.typed_change(price)
        said, is_done = told(lambda: _set(desk, rows, change, **typed))
        return (said, act["at"], False, None) if is_done else (no_update, act["at"], True, said)


def _set(
    desk: PriceDesk,
    rows: Sequence[Row],
    change: str,
    *,
    days: Sequence[str | None],
    hours: Sequence[str | None],
    why: str | None,
    accepted: Sequence[bool],
) -> str:
    """Set what was typed: for days, and for hours of one row's day."""
    accept = dict(zip(("ignore_conflicts", "below_cost"), accepted, strict=True))
    if any(days) and any(hours):
        raise DataError("expected days or hours, found both; nothing was recorded")
    if len(rows) == 1 and not any(days):
        return acts.override(desk, rows[0], _draft_of(rows[0], change, *hours), why or "", **accept)
    first, last = (dt.date.fromisoformat(date) if date else None for date in days)
    return acts.override_all(desk, [row.id for row in rows], change, why or "", (first, last), **accept)


def _draft_of(row: Row, change: str, start: str | None, end: str | None) -> PriceDraft:
    """Return what was typed for one row."""
    return PriceDraft(price_by(change, row), start or None, end or None)


def _edited(desk: PriceDesk, act: dict[str, Any] | None, *, every: bool, **asked: Any) -> list[Row]:
    """Return the rows that are edited."""
    is_edit = act is not None and act["what"] == "edit"
    found = desk.sheet().chosen(meant(desk, act, DeskQuestion(**asked), every=every)) if is_edit and act else []
    if not found:
        raise PreventUpdate
    return found
