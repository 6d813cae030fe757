"""Quotes over HTTP: one question in an address, or a list of them in a body.

The one question is the path that has to be quick: `QuickQuotes` takes it before the framework does, and what was
answered before from the same book is a look-up.
"""

import asyncio
import time

from fastapi import APIRouter, Request, Response

from catalog.errors import CatalogError, ShelfpriceError
from catalog.front_door import Application, Receive, Scope, Send
from catalog.json_text import json_text
from serving.api.documents import HEALTH, ONE_QUOTE, QUOTES
from serving.api.kept_desk import Kept, KeptDesk
from serving.api.problems import Problem, problem_of
from serving.api.questions import Asked, question_of, question_of_query, questions_of_body

ONE_PATH = "/v1/quotes"
_JSON = "application/json"
_AT_ONCE = 0.002  # seconds that a list of questions is worked on before others get their turn


def quotes_router(kept: KeptDesk) -> APIRouter:
    """Return the routes that answer from a desk."""
    router = APIRouter(prefix="/v1", tags=["quotes"])

    async def quote(request: Request) -> Response:  # `QuickQuotes` is there before it; this one documents it
        return await one_quote(kept, request.scope)

    async def quotes(request: Request) -> Response:
        found = request.headers.get("content-type", "")
        if found.partition(";")[0].strip().lower() != _JSON:
            raise Problem(
                "wrong-media-type",
                f"expected a body of type {_JSON}, found {found[:80] or 'none'}; nothing was done: name the type",
            )
        questions = questions_of_body(await request.body())
        now, parts, begun = await kept.current(), [], time.monotonic()
        for given in questions:
            parts.append(_answered_or_problem(now, given))
            if time.monotonic() - begun > _AT_ONCE:
                await asyncio.sleep(0)
                begun = time.monotonic()
        return Response(b"[" + b", ".join(parts) + b"]\n", media_type=_JSON)

    async def health() -> Response:
        return Response(json_text(await _health(kept)) + "\n", media_type=_JSON, headers={"Cache-Control": "no-store"})

    router.add_api_route("/quotes", quote, methods=["GET"], **ONE_QUOTE)
    router.add_api_route("/quotes", quote, methods=["HEAD"], include_in_schema=False)
    router.add_api_route("/quotes", quotes, methods=["POST"], **QUOTES)
    router.add_api_route("/health", health, methods=["GET"], **HEALTH)
    return router


async def one_quote(kept: KeptDesk, scope: Scope) -> Response:
    """Answer the question in the address of a request.

    Raises
    ------
    Problem, ShelfpriceError, OSError
        When it cannot be answered.
    """
    asked = question_of_query(scope["query_string"])
    now = await kept.current()
    body = answered(now, asked)
    etag = f'"{now.desk.tag_of(asked.store)}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if _is_known(scope, etag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=_JSON)


class QuickQuotes:
    """An ASGI application that answers single questions itself, past the framework's own way, which takes longer."""

    def __init__(self, application: Application, kept: KeptDesk) -> None:
        self._application, self._kept = application, kept

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a single question; hand everything else on."""
        if scope["type"] != "http" or scope["path"] != ONE_PATH or scope["method"] not in {"GET", "HEAD"}:
            await self._application(scope, receive, send)
            return
        try:
            response = await one_quote(self._kept, scope)
        except (Problem, ShelfpriceError, OSError) as error:
            response = problem_of(error).response()
        await response(scope, receive, send)


def answered(now: Kept, asked: Asked) -> bytes:
    """Return the answer to a question as it is sent.

    Raises
    ------
    Problem
        When the shelf does not have the product.
    ShelfpriceError
        When it cannot be answered for another reason.
    """
    try:
        return now.answer(asked.question, asked.store)
    except CatalogError as error:
        raise Problem(
            "unknown-product",
            f"expected a product of the shelf, such as {now.desk.catalog.skus[0]}, found {asked.question.sku!r}; "
            "nothing was quoted: ask for another sku",
        ) from error


def _answered_or_problem(now: Kept, given: object) -> bytes:
    try:
        return answered(now, question_of(given)).rstrip(b"\n")
    except (Problem, ShelfpriceError, OSError) as error:
        return problem_of(error).text.encode()


def _is_known(scope: Scope, etag: str) -> bool:
    """Tell whether who asks has this answer already."""
    given = [value.decode("latin-1") for name, value in scope["headers"] if name == b"if-none-match"]
    known = {one.strip().removeprefix("W/") for value in given for one in value.split(",")}
    return etag in known or "*" in known


async def _health(kept: KeptDesk) -> dict[str, str | None]:
    """Say which prices are answered; the server itself is well whenever this is sent."""
    try:
        desk = (await kept.current()).desk
    except (ShelfpriceError, OSError) as error:
        nothing = dict.fromkeys(("made_for", "policy", "model_version", "catalog"))
        return {"status": "lake unreadable", **nothing, "problem": str(error)}
    book = desk.found.book if desk.found else None
    passed_over = desk.passed_over.sentence if desk.passed_over else None
    return {
        "status": "ready" if book else "no price book",
        "made_for": f"{book.published_at:%Y-%m-%d}" if book else None,
        "policy": book.policy if book else None,
        "model_version": book.model_version if book else None,
        "catalog": desk.catalog.fingerprint,
        "problem": kept.problem or passed_over,
    }
