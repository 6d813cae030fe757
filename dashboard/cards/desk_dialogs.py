"""The desk's questions: whether and why something is done, and which keys there are."""

from typing import Any

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from catalog.load import Catalog
from dashboard.components import CLOSE, table
from dashboard.formats import store_options

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


def question(catalog: Catalog) -> Component:
    """Place the question, which a callback opens; it asks for a reason and for stores where they are needed."""
    why: Any = dmc.TextInput(id=WHY, label="Reason", required=True, **{"data-autofocus": True})
    where = dmc.Select(
        id=SWITCHED,
        label="Where",
        data=store_options([EVERY_STORE, *catalog.store.stores]),
        value=EVERY_STORE,
        allowDeselect=False,
    )
    buttons = html.Div(
        [dmc.Button("Cancel", id=NO, variant="default"), dmc.Button("Confirm", id=YES)], className="ask-buttons"
    )
    return dmc.Modal(
        [
            html.Div(id=ASKED),
            html.Div(where, id=NEEDS_STORE),
            html.Div(why, id=NEEDS_REASON),
            html.Div(id=FAILED, role="alert"),
            buttons,
        ],
        id=QUESTION,
        title="Why?",
        centered=True,
        **CLOSE,
    )


def keys_list() -> Component:
    """List the keys; `assets/desk.js` opens it."""
    rows = [[html.Kbd(key), says] for key, says in _KEYS]
    return dmc.Modal(table(["Key", "What it does"], rows, width=260), id=KEYS, title="Keys", centered=True, **CLOSE)
