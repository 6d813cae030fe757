"""Requests that no page of the monitor makes: answered in one line, before Dash would stumble over them."""

from typing import Any

from dash import Dash
from dash.exceptions import DependencyException
from flask import Flask, Response, request

MOST_BYTES = 4 * 1024 * 1024
"""Of the body of a request; the largest that a page makes is a sheet of prices, 3.4 MB as base64."""


def refuse_malformed(app: Dash) -> None:
    """Refuse a body that is too large or nested too deeply, a question of no page, and a file that is not there."""
    server: Flask = app.server
    server.config["MAX_CONTENT_LENGTH"] = MOST_BYTES

    @server.before_request
    def refuse_what_no_page_asks() -> Response | None:
        if request.method != "POST":
            return None
        try:
            asked = request.get_json()
        except RecursionError:
            asked = None
        is_known = _is_known(app.callback_map, asked) and _is_storable(asked)
        return None if is_known else _no("No page of the monitor asks this.", 400)

    @server.errorhandler(DependencyException)
    def is_not_there(_error: Exception) -> Response:
        return _no("There is no such file.", 404)


def _no(sentence: str, status: int) -> Response:
    return Response(f"{sentence}\n", status, mimetype="text/plain")


def _is_known(callbacks: Any, asked: Any) -> bool:
    """Tell whether a body has the form of a question, and names the parts of a callback in their order."""
    if not isinstance(asked, dict) or not isinstance(asked.get("output"), str):
        return False
    callback = callbacks.get(asked["output"])
    if callback is None or not _are_texts(asked.get("changedPropIds")):
        return False
    outputs = asked.get("outputs")
    expected = asked["output"].strip(".").split("...")
    return (
        _names(asked.get("inputs", [])) == _names(callback["inputs"])
        and _names(asked.get("state", [])) == _names(callback["state"])
        and _names(outputs if isinstance(outputs, list) else [outputs]) == _names_of_outputs(expected)
        and isinstance(outputs, list) == asked["output"].startswith("..")
    )


def _names(parts: Any) -> list[str] | None:
    """Return `id.property` of each part; None when the form is another."""
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        return None
    return [f"{part.get('id')}.{str(part.get('property')).partition('@')[0]}" for part in parts]


def _names_of_outputs(outputs: list[str]) -> list[str]:
    return [output.partition("@")[0] for output in outputs]


def _are_texts(names: Any) -> bool:
    return isinstance(names, list) and all(isinstance(name, str) for name in names)


def _is_storable(value: Any) -> bool:
    """Tell whether texts can be encoded and whole numbers fit into 64 bits, as every value of a page does."""
    if isinstance(value, str):
        return not any("\ud800" <= sign <= "\udfff" for sign in value)
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    parts = [*value.keys(), *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else ()
    return all(map(_is_storable, parts))
