"""Bodies: of requests, JSON in UTF-8 without duplicate keys, at most 2 MB, or 8 MB of sales; of responses, with gzip.

A parser that takes the last of two prices, behind a gateway that checked the first, would record what nobody checked.
The framework's own limit answers a body that is too large in plain text and does not read the rest of it, so a client
that is still sending would never receive the answer.
"""

import asyncio
import gzip
import json
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope

from catalog.json_text import json_text, without_duplicates
from connect.api.problems import Problem

MEDIA_TYPE = "application/json"
MOST_BYTES = 2 * 1024 * 1024
"""Of a body."""
_MOST_OF_SALES = 4 * MOST_BYTES
_MOST_DRAINED = 16 * MOST_BYTES  # of a body that is too large, so the client receives the response
_LEAST_COMPRESSED = 64 * 1024  # bytes of a body; a smaller one fits in few packets as it is
_LEVEL = 1  # of gzip: prices repeat so much that more effort saves little
_LONGEST_DETAIL = 80  # characters of a text that is not ours


class JsonLine(JSONResponse):
    """A response as the command line prints it: one line of JSON, in which a number that JSON does not have is null."""

    def render(self, content: Any) -> bytes:
        """Return the body."""
        return f"{json_text(content)}\n".encode()


class JsonRoute(APIRoute):
    """A route whose body, where it has one, is read as such JSON, and whose long answers are compressed."""

    most_bytes = MOST_BYTES

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request."""
        answer = super().get_route_handler()

        async def handle(request: Request) -> Response:
            response = await answer(_JsonRequest(request.scope, request.receive, self.most_bytes))
            if len(response.body) >= _LEAST_COMPRESSED:
                response.headers["Vary"] = "Accept-Encoding"
                if _accepts_gzip(request):
                    await _compress(response)
            return response

        return handle


class LargeJsonRoute(JsonRoute):
    """A route that takes a body of what a store sold."""

    most_bytes = _MOST_OF_SALES


class _JsonRequest(Request):
    def __init__(self, scope: Scope, receive: Receive, most_bytes: int) -> None:
        super().__init__(scope, receive)
        self._most_bytes = most_bytes

    async def body(self) -> bytes:
        if not hasattr(self, "_body"):
            given = self.headers.get("content-type", "")
            if given.partition(";")[0].strip().lower() != MEDIA_TYPE:
                raise Problem(
                    "wrong-media-type",
                    f"expected a body of type {MEDIA_TYPE}, found {given[:_LONGEST_DETAIL] or 'none'}; nothing was "
                    "done: name the type",
                )
            self._body = await _whole_body(self, self._most_bytes)
            if not self._body:
                raise _unreadable("an empty body")
        return self._body

    async def json(self) -> Any:
        body = await self.body()
        try:
            return json.loads(body, object_pairs_hook=without_duplicates, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise _unreadable(str(error)[:_LONGEST_DETAIL]) from error


def _accepts_gzip(request: Request) -> bool:
    """Tell whether the client names gzip, or anything, without the weight 0."""
    weights = dict[str, str]()
    for given in ",".join(request.headers.getlist("accept-encoding")).lower().split(","):
        name, _, weight = given.partition(";")
        weights[name.strip()] = weight.partition("=")[2].strip() or "1"
    weight = weights.get("gzip", weights.get("*", "0"))
    return weight.strip("0") not in {"", "."}


async def _compress(response: Response) -> None:
    """Compress a body in a thread, so that other requests are answered meanwhile."""
    response.body = await asyncio.to_thread(gzip.compress, bytes(response.body), _LEVEL, mtime=0)
    response.headers["Content-Encoding"] = "gzip"
    response.headers["Content-Length"] = str(len(response.body))


async def _whole_body(request: Request, most_bytes: int) -> bytes:
    """Return the body; one that is too large is read to its end, within reason, before it is refused."""
    declared = request.headers.get("content-length", "")
    size, parts = 0, list[bytes]()
    if not declared.isdecimal() or int(declared) <= _MOST_DRAINED:
        async for part in request.stream():
            size += len(part)
            if size <= most_bytes:
                parts.append(part)
            elif size > _MOST_DRAINED:
                break
        if size <= most_bytes:
            return b"".join(parts)
    raise Problem(
        "too-large",
        f"expected a body of at most {most_bytes:,} bytes, found more; nothing was done: send less at once",
    )


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(constant)


def _unreadable(found: str) -> Problem:
    return Problem(
        "unreadable",
        "expected JSON in UTF-8 without duplicate keys and of sensible depth and size, found another body "
        f"({found}); nothing was done: send it as JSON",
    )
