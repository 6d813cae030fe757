"""Refusals as `application/problem+json` (RFC 9457): the kinds of problems, and the handlers that answer with them."""

import reprlib
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, NamedTuple

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match

from catalog.errors import CatalogError, Declined, LakeError, ServiceError, ShelfpriceError
from catalog.json_text import json_text
from catalog.refusals import Refusal, refused
from serving.counters import NoBookError
from serving.quote_desk import StoresDifferError, UnknownStoreError

MEDIA_TYPE = "application/problem+json"
PAGE = "/docs"
"""The page that explains each kind: the `type` of a problem is an address on it."""
_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_LONGEST_DETAIL = 200  # characters of a text that is not ours


class ProblemKind(NamedTuple):
    """A kind of problem: its name in the address, its status, its title, and an example of its detail."""

    name: str
    status: int
    title: str
    example: str


_ALL = (
    ProblemKind(
        "unreadable",
        400,
        "The request cannot be read",
        "expected a list of questions as JSON, found no JSON; nothing was quoted: send [{...}, ...]",
    ),
    ProblemKind(
        "unknown-token",
        401,
        "The token is missing or not known",
        "expected a token of this server, found another; nothing was done: make one with `shelfprice token add`, or "
        "leave the header out to read",
    ),
    ProblemKind(
        "missing-scope",
        403,
        "The token lacks a scope",
        "expected a token with the scope propose, found one with read; nothing was done: add a token that has it",
    ),
    ProblemKind(
        "other-store",
        403,
        "The token is bound to other stores",
        "expected a store of the token till-1, which opens S01, found 'S02'; nothing was done: name a store of this "
        "token, or add a token with another --store",
    ),
    ProblemKind("foreign-site", 403, "The request comes from another site", "This server answers to 127.0.0.1 alone."),
    ProblemKind(
        "no-such-page", 404, "There is nothing here", "expected a path of /openapi.json, found /v2; look there"
    ),
    ProblemKind(
        "unknown-product",
        404,
        "The shelf has no such product",
        "expected a product of the shelf, such as MILK, found 'MLIK'; nothing was quoted: ask for another sku",
    ),
    ProblemKind(
        "unknown-store",
        404,
        "The catalog has no such store",
        "expected a store of this catalog, such as S01, found 'X9'; nothing was quoted",
    ),
    ProblemKind(
        "unknown-change",
        404,
        "There is no such price change",
        "expected the id of a price change, found 'h999'; nothing was changed: /v1/price-changes lists them",
    ),
    ProblemKind(
        "wrong-method",
        405,
        "The method is not one of this path",
        "expected one of GET, POST on /v1/quotes, found PUT; nothing was done: use one of these",
    ),
    ProblemKind(
        "conflict",
        409,
        "The request does not fit the state of the lake",
        "expected a store, for MILK has several prices (1.50 EUR in S01; 1.63 EUR in S02, S03), found none; nothing "
        "was quoted: name one, such as S01",
    ),
    ProblemKind(
        "too-large",
        413,
        "The body is too large",
        "expected a body of at most 2,097,152 bytes, found more; nothing was done: send fewer questions at once",
    ),
    ProblemKind(
        "wrong-media-type",
        415,
        "The body is of another type",
        "expected a body of type application/json, found text/plain; nothing was done: name the type",
    ),
    ProblemKind(
        "not-valid",
        422,
        "A value cannot be used",
        "stock: expected a whole number from 0 to 2147483647, found 'many'; nothing was quoted: give another",
    ),
    ProblemKind(
        "too-many-requests",
        429,
        "Too many requests at once",
        "expected at most 5000 requests a second from 127.0.0.1, found more; nothing was done: wait as long as "
        "Retry-After says",
    ),
    ProblemKind(
        "failed", 500, "The server failed", "the answer could not be made; nothing was changed: see the server's log"
    ),
    ProblemKind(
        "no-price-book",
        503,
        "No price book is in force",
        "expected a price book, found none; MILK keeps its base price, 1.35 EUR: run `shelfprice demo`",
    ),
    ProblemKind(
        "lake-unreadable",
        503,
        "The lake cannot be read",
        "price_book: cannot be read; nothing was quoted: run `shelfprice verify`",
    ),
)
KINDS: Mapping[str, ProblemKind] = {kind.name: kind for kind in _ALL}

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


class ProblemDocument(BaseModel):
    """A problem (RFC 9457)."""

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

    @property
    def text(self) -> str:
        """The problem as JSON."""
        kind, detail = self.kind, self.detail
        return json_text(
            ProblemDocument(
                type=f"{PAGE}#{kind.name}", title=kind.title, status=kind.status, detail=detail
            ).model_dump()
        )

    def response(self) -> Response:
        """Return the HTTP response."""
        return Response(f"{self.text}\n", self.status_code, self.headers, MEDIA_TYPE)


def problem_of(error: Exception) -> Problem:
    """Return the problem that an error is; one that is not ours tells the client nothing."""
    if isinstance(error, Problem):
        return error
    kind = next((name for known, name in _OF_ERRORS if isinstance(error, known)), "failed")
    return Problem(kind, str(error) if kind != "failed" else KINDS["failed"].example)


def problem_responses(*names: str) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI responses of an operation, by status: the kinds named, and those of every operation."""
    responses: dict[int | str, dict[str, Any]] = {}
    for kind in (KINDS[name] for name in (*_EVERYWHERE, *names)):
        response = responses.setdefault(
            kind.status,
            {
                "description": HTTPStatus(kind.status).phrase,
                "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}, "examples": {}}},
            },
        )
        example = {"summary": kind.title, "value": problem_example(kind.name)}
        response["content"][MEDIA_TYPE]["examples"][kind.name] = example
    return responses


def problem_example(name: str) -> dict[str, Any]:
    """Return an example of a kind of problem."""
    kind = KINDS[name]
    return {"type": f"{PAGE}#{name}", "title": kind.title, "status": kind.status, "detail": kind.example}


def respond_with_problems(app: FastAPI) -> None:
    """Let an application answer every error with a problem, those of its framework among them."""

    async def respond(request: Request, error: Exception) -> Response:
        if isinstance(error, RequestValidationError):
            return _refused_request(app, request, error).response()
        is_of_framework = isinstance(error, HTTPException) and not isinstance(error, Problem)
        return (_of_framework(app, request, error) if is_of_framework else problem_of(error)).response()

    for handled in (HTTPException, RequestValidationError, ShelfpriceError, OSError, Exception):
        app.add_exception_handler(handled, respond)


def _of_framework(app: FastAPI, request: Request, error: Any) -> Problem:
    path = request.url.path[:_LONGEST_DETAIL]
    if error.status_code == HTTPStatus.NOT_FOUND:
        detail = f"expected a path of /openapi.json, found {path!r}; nothing was done: look there"
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
    return Problem("unreadable", str(error.detail)[:_LONGEST_DETAIL], error.headers)


def not_valid(refusal: Refusal) -> Problem:
    """Return the problem of a value that cannot be used."""
    refusal = refusal._replace(field=refusal.field[:_LONGEST_DETAIL])
    return Problem("not-valid", refusal.sentence(reprlib.repr, "nothing was done: give another"))


def _refused_request(app: FastAPI, request: Request, error: RequestValidationError) -> Problem:
    """Name the first value of a request that cannot be used, and say what its operation takes there."""
    errors, document = error.errors(), app.openapi()
    place = str(errors[0]["loc"][0])
    inner = [{**own, "loc": own["loc"][1:]} for own in errors if own["loc"][0] == place]
    path = getattr(request.scope.get("route"), "path_format", "")
    operation = document["paths"].get(path, {}).get(request.method.lower(), {})
    taken = {own["name"]: own["schema"] for own in operation.get("parameters", ()) if own["in"] == place}
    schema = {"title": place, "properties": taken} if taken else {}
    if place == "body":
        schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    return not_valid(refused(inner, schema, document.get("components", {}).get("schemas", {})))
