"""Requests that no page of the monitor makes are answered in one line, and leave no traceback in its log."""

from typing import Any

import orjson
from dash import Dash
from dash.exceptions import DependencyException
from flask import Flask, Response
from flask.json.provider import DefaultJSONProvider
from werkzeug.exceptions import HTTPException

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
