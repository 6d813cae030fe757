"""What is picked on a page stands in its address, so that a reload, Back and a link that is sent keep it.

The browser does it, in `assets/address.js`: what is picked is written into the address, and a page that is gone back to
takes what its address says. What the address of a first visit says is checked by the page's layout.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from dash import Dash, Input, Output, State, dcc
from dash.development.base_component import Component
from dash.exceptions import DependencyException
from flask import Flask, Response
from flask.json.provider import DefaultJSONProvider
from werkzeug.exceptions import HTTPException

from dashboard.components import in_browser

_MOST_TEXT = 80
"""Characters of a text that an address may ask for."""


@dataclass(frozen=True)
class Kept:
    """One value of a page that its address keeps.

    Attributes
    ----------
    name
        Of the query parameter.
    component, part
        Id and property that hold the value.
    typed
        Whether it changes with every key, so that it makes no step for Back.
    """

    name: str
    component: str
    part: str = "value"
    typed: bool = False


def kept_values(page: str, path: str, kept: Sequence[Kept], usual: dict[str, Any]) -> Component:
    """Place what `assets/address.js` needs: where each value stands, and the one that is left out of the address."""
    values = [
        {
            "name": state.name,
            "id": state.component,
            "part": state.part,
            "typed": state.typed,
            "usual": usual.get(state.name),
        }
        for state in kept
    ]
    return dcc.Store(id=_store(page), data={"path": path, "values": values})


def wire_address(app: Dash, page: str, kept: Sequence[Kept]) -> None:
    """Let the browser write what is picked into the address."""
    held, store = (Input(state.component, state.part) for state in kept), _store(page)
    in_browser(app, "address.keep", Output(store, "storage_type"), *held, State(store, "data"))


def one_of(text: object, offered: Iterable[str | None], usual: str | None) -> str | None:
    """Return what an address asks for when it is on offer, else the usual."""
    return text if isinstance(text, str) and text in set(offered) else usual


def text_of(value: object) -> str:
    """Return a text that an address asks for, empty for anything else."""
    return value[:_MOST_TEXT] if isinstance(value, str) else ""


def number_of(value: object) -> int:
    """Return a whole number from 1 that an address asks for, 1 for anything else."""
    is_number = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= len("100000")
    return max(1, int(value)) if is_number else 1  # type: ignore[call-overload]


def _store(page: str) -> str:
    return f"{page}-address"


MOST_BYTES = 4 * 1024 * 1024
"""Of the body of a request; the largest that a page makes is a sheet of prices, 3.4 MB as base64."""


class _StrictJson(DefaultJSONProvider):
    """JSON that is read strictly: deep nesting and texts that are no Unicode are errors, huge numbers are floats."""

    def loads(self, s: str | bytes, **_: Any) -> Any:
        return orjson.loads(s)


def refuse_malformed(app: Dash) -> None:
    """Refuse a body that is too large or no JSON, whatever Dash cannot dispatch, and a file that is not there.

    An exception of a callback itself never comes here: the app's `on_error` takes it.
    """
    server: Flask = app.server
    server.config["MAX_CONTENT_LENGTH"] = MOST_BYTES
    server.json = _StrictJson(server)

    @server.errorhandler(Exception)
    def is_none_of_ours(error: Exception) -> Response | HTTPException:
        if isinstance(error, HTTPException):
            return error
        is_missing = isinstance(error, DependencyException)
        message = "There is no such file." if is_missing else "No page of the monitor asks this."
        return Response(f"{message}\n", 404 if is_missing else 400, mimetype="text/plain")
