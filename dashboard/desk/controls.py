"""What is done at the desk: each act of a person is one request, and its answer a sentence beside the table."""

from collections.abc import Callable
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, ctx, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from catalog.errors import ShelfpriceError
from catalog.load import Catalog
from dashboard.components import CLOSE, confirmation, notice, table
from dashboard.data.desk import acts
from dashboard.data.desk.people import named_by
from dashboard.data.desk.price_desk import PriceDesk
from dashboard.data.desk.table import DeskQuestion, Rows, totals_of
from dashboard.desk.needs import totals_line
from dashboard.desk.prices import CATEGORY, DEARER, EVERY, STATE, STORE, TEXT, UNCHANGED
from dashboard.formats import count, store_options

ACT, SAID, DONE = "desk-act", "desk-said", "desk-done"
"""What the browser asks for, where the answer stands, and how many acts there were."""

FILTERS = {
    "text": (TEXT, "value"),
    "store": (STORE, "value"),
    "category": (CATEGORY, "value"),
    "state": (STATE, "value"),
    "unchanged": (UNCHANGED, "checked"),
    "dearer": (DEARER, "checked"),
}
"""What rows are asked for by: the id and the property that hold it."""

EDITS = {"edit": "edit them", "plan": "plan their promotion"}
"""What opens the panel, and what it is for."""

_APPROVED_UNASKED = 5
"""Prices that are approved without a question."""

_QUESTIONS = {
    "approve": ("Approve prices?", "The shelf follows at its next tick."),
    "reject": ("Reject prices?", "The old prices stand."),
    "freeze": ("Freeze prices?", "They stay as they are shown until that is undone."),
    "stop": ("Turn the kill switch on?", "Base prices stand from the next tick on, until that is undone."),
    "undo": ("Undo it?", "What stood before holds again from the next tick on."),
}
_WITHOUT_REASON, _OF_ORDERS = {"approve", "undo"}, {"stop", "undo", "allow"}
_OF_ONE = {"reject": "The old price stands.", "freeze": "It stays as it is shown until that is undone."}
QUESTION, ASKED, WHY, YES, NO, FAILED, KEYS = (
    "desk-question", "desk-asked", "desk-question-why", "desk-yes", "desk-no", "desk-failed", "desk-keys",
)  # fmt: skip
NEEDS_REASON, NEEDS_STORE, SWITCHED = "desk-needs-reason", "desk-needs-store", "desk-switched"
EVERY_STORE = "every store"
_KEYS = (
    ("Arrow keys", "move in the table"),
    ("Space", "choose a price, or choose it no longer"),
    ("Enter", "open the row: why, what limits it, who decided"),
    ("A", "approve the chosen prices, or the one the cursor is on"),
    ("R", "reject them, with a reason"),
    ("E", "edit the price the cursor is on"),
    ("Esc", "close a panel; in the table, choose nothing"),
    ("/", "search"),
    ("?", "this list"),
)


def filter_states() -> dict[str, State]:
    """Return what a callback takes to know which rows are asked for."""
    return {name: State(*held) for name, held in FILTERS.items()}


def wire_acts(app: Dash, desk: PriceDesk) -> None:
    """Register what answers the buttons and keys."""
    _wire_asked(app, desk)
    _wire_question(app, desk)


def _wire_asked(app: Dash, desk: PriceDesk) -> None:
    outputs = {
        "said": Output(SAID, "children", allow_duplicate=True),
        "done": Output(DONE, "data", allow_duplicate=True),
        "question": Output(QUESTION, "opened", allow_duplicate=True),
        "title": Output(QUESTION, "title"),
        "asked": Output(ASKED, "children"),
        "why": Output(WHY, "value"),
        "failed": Output(FAILED, "children", allow_duplicate=True),
        "no_reason": Output(NEEDS_REASON, "hidden"),
        "no_store": Output(NEEDS_STORE, "hidden"),
    }
    nothing = dict.fromkeys(outputs, no_update)

    @app.callback(output=outputs, inputs={"act": Input(ACT, "data")}, state=chosen_states(), prevent_initial_call=True)
    def answer(act: dict[str, Any] | None, *, every: bool, **question: Any) -> dict[str, Any]:
        if not act:
            raise PreventUpdate
        what = act["what"]
        ids = [] if what in _OF_ORDERS else meant(desk, act, DeskQuestion(**question), every=every)
        if what in EDITS:
            is_there = bool(desk.sheet().chosen(ids))
            message = no_update if is_there else problem(f"Choose prices in the table, then {EDITS[what]}.")
            return nothing | {"said": message}
        if what in _QUESTIONS and not (what == "approve" and len(_approvable(desk, ids)) <= _APPROVED_UNASKED):
            title, words = _question(desk, act, ids)
            opened = {"question": True, "title": title, "asked": words, "why": "", "failed": None}
            return nothing | opened | {"no_reason": what in _WITHOUT_REASON, "no_store": what != "stop"}
        if what not in {"approve", "allow"}:
            raise PreventUpdate
        message, is_done = told(lambda: _do(desk, act, ids))
        return nothing | {"said": message, "done": act["at"] if is_done else no_update}


def _do(desk: PriceDesk, act: dict[str, Any], ids: list[str], reason: str = "", store: str | None = None) -> str:
    """Do what was asked for, and say it."""
    what: dict[str, Callable[[], str]] = {
        "approve": lambda: acts.approve(desk, ids, act.get("seen", {})),
        "allow": lambda: acts.allow(desk, act["change"]),
        "reject": lambda: acts.turn_down(desk, ids, reason),
        "freeze": lambda: acts.freeze(desk, ids, reason),
        "stop": lambda: acts.stop(desk, store, reason),
        "undo": lambda: acts.undo(desk, act["change"]),
    }
    return what[act["what"]]()


def _wire_question(app: Dash, desk: PriceDesk) -> None:
    """Do what is asked about, once it is confirmed."""

    @app.callback(
        output={
            "said": Output(SAID, "children", allow_duplicate=True),
            "done": Output(DONE, "data", allow_duplicate=True),
            "question": Output(QUESTION, "opened", allow_duplicate=True),
            "failed": Output(FAILED, "children", allow_duplicate=True),
        },
        inputs={"_pressed": [Input(YES, "n_clicks"), Input(NO, "n_clicks"), Input(WHY, "n_submit")]},
        state={
            "act": State(ACT, "data"),
            "why": State(WHY, "value"),
            "switched": State(SWITCHED, "value"),
            **chosen_states(),
        },
        prevent_initial_call=True,
    )
    def decide(
        *, _pressed: Any, act: dict[str, Any], why: str | None, every: bool, switched: str, **question: Any
    ) -> dict[str, Any]:
        if not ctx.triggered or not ctx.triggered[0]["value"] or not act:
            raise PreventUpdate
        stays = {"said": no_update, "done": no_update, "question": True, "failed": None}
        if ctx.triggered_id == NO:
            return stays | {"question": False}
        if act["what"] not in _QUESTIONS:
            raise PreventUpdate
        reason, store = (why or "").strip(), None if switched == EVERY_STORE else switched
        if not reason and act["what"] not in _WITHOUT_REASON:
            return stays | {"failed": problem("Say why in a sentence.")}

        def do() -> str:
            ids = [] if act["what"] in _OF_ORDERS else meant(desk, act, DeskQuestion(**question), every=every)
            return _do(desk, act, ids, reason, store)

        message, is_done = told(do)
        return stays | {"done": act["at"]} | ({"said": message, "question": False} if is_done else {"failed": message})


def _question(desk: PriceDesk, act: dict[str, Any], ids: list[str]) -> tuple[str, list[Any]]:
    """Return the title and the words of a question about some prices, the kill switch, or what a person set."""
    what = act["what"]
    title, words = _QUESTIONS[what]
    if what == "approve":
        waiting = _approvable(desk, ids)
        totals = html.Div(totals_line(totals_of(waiting)), className="desk-totals")
        return title, [f"{count(len(waiting))} prices are approved, which is expected to bring:", totals, words]
    if what == "undo" and len(names := named_by(desk.sheet(), act["change"])) > 1:
        return title, [f"{count(len(names))} prices: {words[0].lower()}{words[1:]}"]
    if what not in _OF_ORDERS:
        words = _OF_ONE.get(what, words) if len(ids) == 1 else words
        words = f"{_number_of(desk, ids)}: {words[0].lower()}{words[1:]}"
    return title, [words]


def _approvable(desk: PriceDesk, ids: list[str]) -> Rows:
    """Return the prices that an approval would change: those that wait or were rejected."""
    rows = desk.sheet().rows.those(ids)
    return rows.take(rows.are_waiting | rows.are("rejected"))


def meant(desk: PriceDesk, act: dict[str, Any], desk_question: DeskQuestion, *, every: bool) -> list[str]:
    """Return the ids of the rows that an act is about: those that were chosen, or all that are found.

    A button of one price means that price alone.
    """
    is_every = every and not act.get("alone")
    return desk_question.found_in(desk.sheet().rows).ids if is_every else list(act["ids"])


def told(act: Callable[[], str]) -> tuple[Any, bool]:
    """Do something and return the sentence that tells it, and whether it was done; a refusal is an answer."""
    try:
        return act(), True
    except ShelfpriceError as error:
        return problem(str(error)), False


def problem(sentence: str) -> Any:
    """Say why nothing was done."""
    return notice("Not done", sentence, mood="warning")


def _number_of(desk: PriceDesk, ids: list[str]) -> str:
    rows = desk.sheet().chosen(ids)
    if len(rows) == 1:
        return rows[0].title
    return f"{len(rows):,} prices"


def chosen_states() -> dict[str, State]:
    """Return what a callback takes to know which rows an act is about."""
    return {"every": State(EVERY, "checked"), **filter_states()}


def question(catalog: Catalog) -> Component:
    """Place the question, which a callback opens; it asks for a reason and for stores where they are needed."""
    why: Any = dmc.TextInput(id=WHY, label="Reason", required=True, **{"data-autofocus": True})
    stores = store_options([EVERY_STORE, *catalog.store.stores])
    where = dmc.Select(id=SWITCHED, label="Where", data=stores, value=EVERY_STORE, allowDeselect=False)
    parts = html.Div(id=ASKED), html.Div(where, id=NEEDS_STORE), html.Div(why, id=NEEDS_REASON)
    yes = dmc.Button("Confirm", id=YES)
    return confirmation(QUESTION, "Why?", *parts, html.Div(id=FAILED, role="alert"), no=NO, yes=yes)


def keys_list() -> Component:
    """List the keys; `assets/desk.js` opens it."""
    rows = [[html.Kbd(key), says] for key, says in _KEYS]
    return dmc.Modal(table(["Key", "What it does"], rows, width=260), id=KEYS, title="Keys", centered=True, **CLOSE)
