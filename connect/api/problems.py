"""What goes wrong, as `application/problem+json` (RFC 9457): one kind each, and our one-line sentence as its detail."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, NamedTuple

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from catalog.errors import CatalogError, Declined, LakeError, ServiceError, ShelfpriceError
from catalog.json_text import json_text
from serving.quote_desk import NoBookError, StoresDifferError, UnknownStoreError

MEDIA_TYPE = "application/problem+json"
PAGE = "/docs"
"""Where each kind is explained: its `type` is an address on this page."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_CUT = 200  # characters of a detail that comes from elsewhere


class Kind(NamedTuple):
    """A kind of problem: its name in the address, its status, its title, and an example of its detail."""

    name: str
    status: int
    title: str
    example: str


_ALL = (
    Kind(
        "unreadable",
        400,
        "The request cannot be read",
        "expected a list of questions as JSON, found no JSON; nothing was quoted: send [{...}, ...]",
    ),
    Kind(
        "unknown-token",
        401,
        "The token is missing or not known",
        "expected a token of this server, found another; nothing was done: make one with `shelfprice token add`, or "
        "leave the header out to read",
    ),
    Kind(
        "missing-scope",
        403,
        "The token lacks a scope",
        "expected a token with the scope propose, found one with read; nothing was done: add a token that has it",
    ),
    Kind("foreign-site", 403, "The request comes from another site", "This server answers to 127.0.0.1 alone."),
    Kind("no-such-page", 404, "There is nothing here", "expected a path of /openapi.json, found /v2; look there"),
    Kind(
        "unknown-product",
        404,
        "The shelf has no such product",
        "expected a product of the shelf, such as MILK, found 'MLIK'; nothing was quoted: ask for another sku",
    ),
    Kind(
        "unknown-store",
        404,
        "The catalog has no such store",
        "expected a store of this catalog, such as S01, found 'X9'; nothing was quoted",
    ),
    Kind(
        "unknown-change",
        404,
        "There is no such price change",
        "expected the id of a price change, found 'h999'; nothing was changed: /v1/price-changes lists them",
    ),
    Kind(
        "wrong-method",
        405,
        "The method is not one of this path",
        "expected one of GET, POST on /v1/quotes, found PUT; nothing was done: use one of these",
    ),
    Kind(
        "conflict",
        409,
        "The request does not fit the state of the lake",
        "expected a store, for MILK has several prices (1.50 EUR in S01; 1.63 EUR in S02, S03), found none; nothing "
        "was quoted: name one, such as S01",
    ),
    Kind(
        "too-large",
        413,
        "The body is too large",
        "expected a body of at most 2,097,152 bytes, found more; nothing was done: send fewer questions at once",
    ),
    Kind(
        "wrong-media-type",
        415,
        "The body is of another type",
        "expected a body of type application/json, found text/plain; nothing was done: name the type",
    ),
    Kind(
        "not-valid",
        422,
        "A value cannot be used",
        "stock: expected a whole number from 0 to 2147483647, found 'many'; nothing was quoted: give another",
    ),
    Kind(
        "too-many-requests",
        429,
        "Too many requests at once",
        "expected at most 5000 requests a second from 127.0.0.1, found more; nothing was done: wait as long as "
        "Retry-After says",
    ),
    Kind("failed", 500, "The server failed", "the answer could not be made; nothing was changed: see the server's log"),
    Kind(
        "no-price-book",
        503,
        "No price book is in force",
        "expected a price book, found none; MILK keeps its base price, 1.35 EUR: run `shelfprice demo`",
    ),
    Kind(
        "lake-unreadable",
        503,
        "The lake cannot be read",
        "price_book: cannot be read; nothing was quoted: run `shelfprice verify`",
    ),
)
KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _ALL}

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
_OF_STATUS = {404: "no-such-page", 405: "wrong-method", 413: "too-large", 415: "wrong-media-type"}
_WAIT = {"no-price-book": "30", "lake-unreadable": "30"}  # seconds after which it may be otherwise


class Problem(Exception):  # noqa: N818 - the standard's name
    """A request that is answered with a problem.

    Parameters
    ----------
    kind
        Name of one of `KINDS`.
    detail
        What was expected, found, what happens now and what to do.
    headers
        Further headers of the answer.
    """

    def __init__(self, kind: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.kind, self.detail = KINDS[kind], detail
        wait = {"Retry-After": _WAIT[kind]} if kind in _WAIT else {}
        ends = {"Connection": "close"} if kind == "failed" else {}  # as the server does after it
        self.headers = {**wait, **ends, **(headers or {})}

    @property
    def text(self) -> str:
        """The problem as JSON."""
        kind = self.kind
        return json_text(
            {"type": f"{PAGE}#{kind.name}", "title": kind.title, "status": kind.status, "detail": self.detail}
        )

    def response(self) -> Response:
        """Return the answer."""
        return Response(f"{self.text}\n", self.kind.status, self.headers, MEDIA_TYPE)


def problem_of(error: Exception) -> Problem:
    """Return the problem that an error of ours is."""
    if isinstance(error, Problem):
        return error
    kind = next((name for known, name in _OF_ERRORS if isinstance(error, known)), "failed")
    return Problem(kind, str(error) if kind != "failed" else KINDS["failed"].example)


async def send_problem(send: Callable[[MutableMapping[str, Any]], Awaitable[None]], problem: Problem) -> None:
    """Answer an ASGI request with a problem."""
    answer = problem.response()
    await send({"type": "http.response.start", "status": answer.status_code, "headers": answer.raw_headers})
    await send({"type": "http.response.body", "body": answer.body})


def answer_with_problems(app: FastAPI) -> None:
    """Let an application answer every error as a problem, those of its framework among them."""

    async def ours(_: Request, error: Exception) -> Response:
        return problem_of(error).response()

    async def of_framework(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
        return _of_status(app, request, error).response()

    async def of_validation(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - the same
        return _of_validation(error).response()

    for known in (Problem, ShelfpriceError, OSError, Exception):
        app.add_exception_handler(known, ours)
    app.add_exception_handler(HTTPException, of_framework)
    app.add_exception_handler(RequestValidationError, of_validation)


def _of_status(app: FastAPI, request: Request, error: HTTPException) -> Problem:
    kind, path = _OF_STATUS.get(error.status_code, "unreadable"), request.url.path[:_CUT]
    if kind == "no-such-page":
        return Problem(kind, f"expected a path of /openapi.json, found {path!r}; nothing was done: look there")
    if kind == "wrong-method":
        allowed = ", ".join(_methods_of(app, request))
        found = request.method[:_CUT]
        said = f"expected one of {allowed} on {path}, found {found}; nothing was done: use one of these"
        return Problem(kind, said, {"Allow": allowed})
    return Problem(kind, str(error.detail)[:_CUT], error.headers)


def _methods_of(app: FastAPI, request: Request) -> list[str]:
    """Return the methods that a path takes, over all of its routes."""
    scopes = ((method, {**request.scope, "method": method}) for method in sorted(_METHODS))
    return [
        method for method, scope in scopes if any(route.matches(scope)[0] is Match.FULL for route in app.router.routes)
    ]


def _of_validation(error: RequestValidationError) -> Problem:
    """Say the first thing that is wrong; a body that is no JSON cannot be read at all."""
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return Problem("unreadable", "expected JSON, found none; nothing was done: send an object as JSON")
    where = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
    found = repr(first.get("input"))[:_CUT]
    return Problem("not-valid", f"{where}: {first['msg']}, found {found}; nothing was done: give another")
