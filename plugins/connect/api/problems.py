"""Refusals as `application/problem+json` (RFC 9457): the kinds of problems, and the handlers that answer with them."""

import reprlib
from collections import Counter
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, NamedTuple

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match

from catalog.decisions.reasons import json_text
from catalog.errors import CatalogError, Declined, LakeError, ServiceError, ShelfpriceError
from catalog.records.refusals import Refusal, refused
from serving.quote import NoBookError, StoresDifferError, UnknownStoreError

MEDIA_TYPE = "application/problem+json"
JSON_TYPE = "application/json"
PAGE = "/openapi.json"
"""The document that names each kind: the `type` of a problem is an address in it."""
_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_LONGEST_DETAIL = 200  # characters of a text that is not ours
_FAILED = "the answer could not be made; nothing was changed: see the server's log"


class ProblemKind(NamedTuple):
    """A kind of problem: its status and its title."""

    status: int
    title: str


KINDS: Mapping[str, ProblemKind] = {
    "unreadable": ProblemKind(400, "The request cannot be read"),
    "unknown-token": ProblemKind(401, "The token is missing or not known"),
    "missing-scope": ProblemKind(403, "The token lacks a scope"),
    "other-store": ProblemKind(403, "The token is bound to other stores"),
    "foreign-site": ProblemKind(403, "The request comes from another site"),
    "no-such-page": ProblemKind(404, "There is nothing here"),
    "unknown-product": ProblemKind(404, "The shelf has no such product"),
    "unknown-store": ProblemKind(404, "The catalog has no such store"),
    "unknown-change": ProblemKind(404, "There is no such price change"),
    "wrong-method": ProblemKind(405, "The method is not one of this path"),
    "conflict": ProblemKind(409, "The request does not fit the state of the lake"),
    "too-large": ProblemKind(413, "The body is too large"),
    "wrong-media-type": ProblemKind(415, "The body is of another type"),
    "not-valid": ProblemKind(422, "A value cannot be used"),
    "too-many-requests": ProblemKind(429, "Too many requests at once"),
    "failed": ProblemKind(500, "The server failed"),
    "no-price-book": ProblemKind(503, "No price book is in force"),
    "lake-unreadable": ProblemKind(503, "The lake cannot be read"),
}
_OF_ERRORS: tuple[tuple[type[Exception], str], ...] = (
    (NoBookError, "no-price-book"),
    (UnknownStoreError, "unknown-store"),
    (StoresDifferError, "conflict"),
    (Declined, "conflict"),
    (CatalogError, "lake-unreadable"),
    (LakeError, "lake-unreadable"),
    (ServiceError, "lake-unreadable"),
    (OSError, "lake-unreadable"),
    (ShelfpriceError, "not-valid"),
)
_EVERYWHERE = ("unreadable", "unknown-token", "foreign-site", "too-large", "too-many-requests", "failed")
_HEADERS: Mapping[str, Mapping[str, str]] = {
    "no-price-book": {"Retry-After": "30"},
    "lake-unreadable": {"Retry-After": "30"},
    "too-large": {"Connection": "close"},
    "failed": {"Connection": "close"},  # as the server does after it
}


PROBLEM: dict[str, Any] = {
    "type": f"{PAGE}#unknown-product",
    "title": KINDS["unknown-product"].title,
    "status": 404,
    "detail": "expected a product of the shelf, such as MILK, found 'MLIK'; nothing was quoted: ask for another sku",
}
"""An example."""


class ProblemDocument(BaseModel):
    """A problem (RFC 9457)."""

    model_config = ConfigDict(json_schema_extra={"example": PROBLEM})

    type: Annotated[str, Field(description="Kind of the problem", json_schema_extra={"format": "uri-reference"})]
    title: Annotated[str, Field(description="Title of the kind")]
    status: Annotated[int, Field(ge=400, le=599)]
    detail: Annotated[str, Field(description="Expected, found, what happens now, what to do")]


class Problem(HTTPException):
    """A refusal.

    Parameters
    ----------
    kind
        Name of one of `KINDS`.
    detail
        What was expected, found, what happens now and what to do.
    headers
        Further headers of the response.
    """

    def __init__(self, kind: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        self.kind = KINDS[kind]
        super().__init__(self.kind.status, detail, {**_HEADERS.get(kind, {}), **(headers or {})})
        self.text = json_text(
            {"type": f"{PAGE}#{kind}", "title": self.kind.title, "status": self.kind.status, "detail": detail}
        )

    def response(self) -> Response:
        """Return the HTTP response."""
        return Response(f"{self.text}\n", self.status_code, self.headers, MEDIA_TYPE)


def problem_of(error: Exception) -> Problem:
    """Return the problem that an error is; one that is not ours tells the client nothing."""
    if isinstance(error, Problem):
        return error
    kind = next((name for kind_of_error, name in _OF_ERRORS if isinstance(error, kind_of_error)), "failed")
    return Problem(kind, str(error) if kind != "failed" else _FAILED)


def problem_responses(*names: str) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI responses of an operation, by status: the kinds named, and those of every operation."""
    kinds = dict[int, list[str]]()
    for name in (*_EVERYWHERE, *names):
        kinds.setdefault(KINDS[name].status, []).append(name)
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}, "example": PROBLEM}}
    return {
        status: {"description": f"{HTTPStatus(status).phrase}: {', '.join(kind)}", "content": content}
        for status, kind in kinds.items()
    }


def respond_with_problems(app: FastAPI) -> None:
    """Let an application answer every error with a problem, those of its framework among them."""

    async def respond(request: Request, error: Exception) -> Response:
        if isinstance(error, RequestValidationError):
            return _refused_request(app, request, error).response()
        is_of_framework = isinstance(error, HTTPException) and not isinstance(error, Problem)
        return (_of_framework(app, request, error) if is_of_framework else problem_of(error)).response()

    for handled in (HTTPException, RequestValidationError, ShelfpriceError, OSError, Exception):
        app.add_exception_handler(handled, respond)


def not_valid(refusal: Refusal) -> Problem:
    """Return the problem of a value that cannot be used."""
    refusal = refusal._replace(field=refusal.field[:_LONGEST_DETAIL])
    return Problem("not-valid", refusal.sentence(reprlib.repr, "nothing was done: give another"))


def refuse_repeated(request: Request, but: str | None = None) -> None:
    """Refuse a parameter that comes twice, except one that may.

    Raises
    ------
    Problem
        When one does.
    """
    names = Counter(name for name, _ in request.query_params.multi_items() if name != but)
    repeated = next((name for name, count in names.items() if count > 1), None)
    if repeated is not None:
        repeated_names = repr(repeated[:_LONGEST_DETAIL])
        raise Problem(
            "not-valid", f"expected each parameter once, found {repeated_names} again; nothing was done: send it once"
        )


def _of_framework(app: FastAPI, request: Request, error: Any) -> Problem:
    path = request.url.path[:_LONGEST_DETAIL]
    if error.status_code == HTTPStatus.NOT_FOUND:
        detail = f"expected a path of {PAGE}, found {path!r}; nothing was done: look there"
        return Problem("no-such-page", detail)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:  # the framework names the methods of one route alone
        scopes = ((method, {**request.scope, "method": method}) for method in _METHODS)
        routes = app.router.routes
        allowed = ", ".join(
            method for method, scope in scopes if any(route.matches(scope)[0] is Match.FULL for route in routes)
        )
        method = request.method[:_LONGEST_DETAIL]
        detail = f"expected one of {allowed} on {path}, found {method}; nothing was done: use one of these"
        return Problem("wrong-method", detail, {"Allow": allowed})
    return _unreadable("JSON that Python cannot parse")


def _unreadable(problem: str) -> Problem:
    return Problem(
        "unreadable",
        f"expected a body of JSON in UTF-8, of sensible depth, found {problem}; nothing was done: send it as JSON",
    )


def _refused_request(app: FastAPI, request: Request, error: RequestValidationError) -> Problem:
    """Name the first value of a request that cannot be used, and say what its operation takes there."""
    errors, document = error.errors(), app.openapi()
    place = str(errors[0]["loc"][0])
    if errors[0]["type"] == "json_invalid":
        return _unreadable(f"{errors[0]['ctx']['error']} at character {errors[0]['loc'][1]}")
    if len(errors[0]["loc"]) == 1 and error.body in (None, b""):
        return _unreadable("none")
    if isinstance(error.body, bytes):  # which the framework leaves unparsed
        given = request.headers.get("content-type", "none")[:_LONGEST_DETAIL]
        expected = f"expected a body of type {JSON_TYPE}, found {given}; nothing was done: name the type"
        return Problem("wrong-media-type", expected)
    inner = [{**error, "loc": error["loc"][1:]} for error in errors if error["loc"][0] == place]
    path = getattr(request.scope.get("route"), "path_format", "")
    operation = document["paths"].get(path, {}).get(request.method.lower(), {})
    taken = {
        parameter["name"]: parameter["schema"]
        for parameter in operation.get("parameters", ())
        if parameter["in"] == place
    }
    schema = {"title": place, "properties": taken} if taken else {}
    if place == "body":
        schema = operation.get("requestBody", {}).get("content", {}).get(JSON_TYPE, {}).get("schema", {})
    return not_valid(refused(inner, schema, document.get("components", {}).get("schemas", {})))
