"""The panel in which prices are set: it opens for the chosen rows, says what is typed for them, and saves it."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from dash import Dash, Input, Output, State, ctx, no_update
from dash.exceptions import PreventUpdate

from catalog.errors import DataError, ShelfpriceError
from dashboard.data.desk import acts
from dashboard.data.desk.drafts import PriceDraft, preview, price_by
from dashboard.data.desk.price_desk import PriceDesk
from dashboard.data.desk.rows import Row
from dashboard.data.desk.table import DeskQuestion
from dashboard.desk import edit
from dashboard.desk.controls import ACT, DONE, EDITS, SAID, chosen_states, meant, problem, told
from dashboard.formats import shown_currency
from plugins.desk.price_changes.request import Dates, examined_all

_A_WEEK = dt.timedelta(days=6)
_TYPED = (edit.PRICE, edit.FIRST, edit.LAST, edit.START, edit.END)


def wire_panel(app: Dash, desk: PriceDesk) -> None:
    """Register what opens the panel and saves what was typed."""
    _wire_opened(app, desk)
    _wire_preview(app, desk)
    _wire_save(app, desk)


def _wire_opened(app: Dash, desk: PriceDesk) -> None:
    """Open the panel filled for the chosen rows.

    It opens with its values: those that came later would replace what somebody has typed by then.
    """

    @app.callback(
        output={
            "facts": Output(edit.FACTS, "children"),
            "hidden": Output(edit.HOURS, "hidden"),
            "values": [Output(identifier, "value") for identifier in (*_TYPED, edit.REASON)],
            "accepted": [Output(identifier, "checked") for identifier in (edit.ANYWAY, edit.BELOW_COST)],
            "announced": Output(edit.ANNOUNCED, "checked"),
            "refused": Output(edit.REFUSED, "children", allow_duplicate=True),
            "opened": Output(edit.PANEL, "opened", allow_duplicate=True),
        },
        inputs={"act": Input(ACT, "data")},
        state=chosen_states(),
        prevent_initial_call=True,
    )
    def fill(*, act: dict[str, Any] | None, **chosen: Any) -> dict[str, Any]:
        rows, is_promotion = _edited(desk, act, **chosen), act is not None and act["what"] == "plan"
        price = f"{rows[0].stands:.{shown_currency().digits}f}" if len(rows) == 1 and not is_promotion else ""
        first = max(row.date for row in rows)
        days = [first.isoformat(), (first + _A_WEEK).isoformat()] if is_promotion else [None, None]
        return {
            "facts": edit.facts_of_all(rows),
            "hidden": len(rows) > 1 or is_promotion,
            "values": [price, *days, "", "", ""],
            "accepted": [False, False],
            "announced": is_promotion,
            "refused": None,
            "opened": True,
        }


def _wire_preview(app: Dash, desk: PriceDesk) -> None:
    """Show what is typed for the chosen rows."""

    @app.callback(
        output=Output(edit.PREVIEW, "children"),
        inputs={
            "typed": [Input(identifier, "value") for identifier in _TYPED],
            "announced": Input(edit.ANNOUNCED, "checked"),
        },
        state={"act": State(ACT, "data"), **chosen_states()},
        prevent_initial_call=True,
    )
    def show(*, typed: list[str | None], announced: bool, act: dict[str, Any] | None, **chosen: Any) -> Any:
        rows, (price, first, last, start, end) = _edited(desk, act, **chosen), typed
        change = edit.typed_change(price)
        if not change:
            return []
        try:
            if len(rows) > 1 or first or last or announced:
                requests = acts.requests_of(desk.sheet(), rows, change, _dates_of((first, last)), announced=announced)
                return edit.preview_of_all(rows, change, examined_all(desk.workspace, requests))
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
            "announced": State(edit.ANNOUNCED, "checked"),
            "accepted": [State(edit.ANYWAY, "checked"), State(edit.BELOW_COST, "checked")],
            "act": State(ACT, "data"),
            **chosen_states(),
        },
        prevent_initial_call=True,
    )
    def save(*, _save: int, _enter: int, price: str | None, act: dict[str, Any], **rest: Any) -> Any:
        if not ctx.triggered or not ctx.triggered[0]["value"]:
            raise PreventUpdate
        typed = {name: rest.pop(name) for name in ("days", "hours", "why", "announced", "accepted")}
        rows, change = _edited(desk, act, **rest), edit.typed_change(price)
        message, is_done = told(lambda: _set(desk, rows, change, **typed))
        return (message, act["at"], False, None) if is_done else (no_update, act["at"], True, message)


def _set(
    desk: PriceDesk,
    rows: Sequence[Row],
    change: str,
    *,
    days: Sequence[str | None],
    hours: Sequence[str | None],
    why: str | None,
    announced: bool,
    accepted: Sequence[bool],
) -> str:
    """Set what was typed: for days, and for hours of one row's day."""
    accept = dict(zip(("ignore_conflicts", "below_cost"), accepted, strict=True))
    if any(hours) and (any(days) or announced):
        raise DataError("expected days or hours, a promotion by days, found both; nothing was recorded")
    if len(rows) == 1 and not any(days) and not announced:
        return acts.override(desk, rows[0], _draft_of(rows[0], change, *hours), why or "", **accept)
    ids, dates = [row.id for row in rows], _dates_of(days)
    return acts.override_all(desk, ids, change, why or "", dates, announced=announced, **accept)


def _dates_of(days: Sequence[str | None]) -> Dates:
    first, last = (dt.date.fromisoformat(date) if date else None for date in days)
    return first, last


def _draft_of(row: Row, change: str, start: str | None, end: str | None) -> PriceDraft:
    """Return what was typed for one row."""
    return PriceDraft(price_by(change, row), start or None, end or None)


def _edited(desk: PriceDesk, act: dict[str, Any] | None, *, every: bool, **question: Any) -> list[Row]:
    """Return the rows that are edited."""
    is_edit = act is not None and act["what"] in EDITS
    rows = desk.sheet().chosen(meant(desk, act, DeskQuestion(**question), every=every)) if is_edit and act else []
    if not rows:
        raise PreventUpdate
    return rows
