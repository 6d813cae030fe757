"""Quotes over HTTP: one question in an address, or a list of them in a body.

The one question is the path that has to be quick: `QuickQuotes` takes it before the framework does, and what was
answered before from the same book is a look-up, from the address as it came to the bytes that are sent.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple, TypeVar

from fastapi import APIRouter, Request, Response

from catalog.errors import CatalogError, ShelfpriceError
from catalog.front_door import Application, Receive, Scope, Send
from catalog.json_text import json_text
from connect.api.documents import HEALTH, ONE_QUOTE, QUOTES
from connect.api.kept_desk import KEPT_ANSWERS, Kept, KeptDesk
from connect.api.problems import Problem, problem_of
from connect.api.questions import Asked, question_of, question_of_query, questions_of_body
from serving.quote import PriceQuestion
from serving.quote_desk import QuoteDesk

ONE_PATH = "/v1/quotes"
_JSON = "application/json"
_AT_ONCE = 0.002  # seconds that a list of questions is worked on before others get their turn
Text = TypeVar("Text", str, bytes)


def quotes_router(kept: KeptDesk) -> APIRouter:
    """Return the routes that answer from a desk."""
    router = APIRouter(prefix="/v1", tags=["quotes"])

    async def quote() -> Response:
        raise AssertionError("`QuickQuotes` answers before it: this route is there for the document")

    async def quotes(request: Request) -> Response:
        found = request.headers.get("content-type", "")
        if found.partition(";")[0].strip().lower() != _JSON:
            raise Problem(
                "wrong-media-type",
                f"expected a body of type {_JSON}, found {found[:80] or 'none'}; nothing was done: name the type",
            )
        questions = questions_of_body(await request.body())
        now = await kept.current()
        await _open_for(now.desk, [given.get("store") for given in questions if isinstance(given, dict)])
        parts, begun = [], time.monotonic()
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


class _Sent(NamedTuple):
    """An answer as it is sent, with the tag by which who has it already says so."""

    etag: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class QuickQuotes:
    """An ASGI application that answers single questions itself, past the framework's own way, which takes longer."""

    def __init__(self, application: Application, kept: KeptDesk) -> None:
        self._application, self._kept = application, kept
        self._now: Kept | None = None
        self._answers: OrderedDict[bytes, _Sent] = OrderedDict()  # of this desk, by the query as it came

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a single question; hand everything else on."""
        if scope["type"] != "http" or scope["path"] != ONE_PATH or scope["method"] not in {"GET", "HEAD"}:
            await self._application(scope, receive, send)
            return
        try:
            sent = await self._sent(scope["query_string"])
        except (Problem, ShelfpriceError, OSError) as error:
            await problem_of(error).response()(scope, receive, send)
            return
        if _is_known(scope, sent.etag):
            await Response(status_code=304, headers=_headers(sent.etag))(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": sent.headers})
        await send({"type": "http.response.body", "body": sent.body})

    async def _sent(self, query: bytes) -> _Sent:
        """Return the answer to the question in the query of an address.

        Raises
        ------
        Problem, ShelfpriceError, OSError
            When it cannot be answered.
        """
        try:
            now = await self._kept.current()
        except (ShelfpriceError, OSError):
            question_of_query(query)  # what is wrong with the question comes first
            raise
        if now is not self._now:
            self._now, self._answers = now, OrderedDict()
        answers = self._answers
        known = answers.get(query)
        if known is not None:
            answers.move_to_end(query)
            return known
        made = await _made(now, question_of_query(query, now.desk.catalog.store.money.smallest))
        answers[query] = made
        if len(answers) > KEPT_ANSWERS:
            answers.popitem(last=False)
        return made


async def _made(now: Kept, asked: Asked) -> _Sent:
    """Make an answer; the first one of a store reads its book, while others are answered."""
    await _open_for(now.desk, [asked.store])
    text = answered(now.desk, asked, now.desk.text)
    etag = f'"{now.desk.tag_of(asked.store)}"'
    answer = Response(text, headers=_headers(etag), media_type=_JSON)
    return _Sent(etag, tuple(answer.raw_headers), bytes(answer.body))


async def _open_for(desk: QuoteDesk, stores: Sequence[object]) -> None:
    """Read in a thread the books that some stores ask first, so that no other request waits for the files."""
    new = {store for store in stores if store is None or isinstance(store, str)}
    if wanted := [store for store in new if not desk.has_opened_for(store)]:
        await asyncio.to_thread(_open, desk, wanted)


def _open(desk: QuoteDesk, stores: Sequence[str | None]) -> None:
    for store in stores:
        with suppress(ShelfpriceError, OSError):  # said with the answer, after what is wrong with the product
            desk.tag_of(store)


def _headers(etag: str) -> dict[str, str]:
    return {"ETag": etag, "Cache-Control": "private, no-cache"}


def answered(desk: QuoteDesk, asked: Asked, answer: Callable[[PriceQuestion, str | None], Text]) -> Text:
    """Return the answer to a question.

    Raises
    ------
    Problem
        When the shelf does not have the product.
    ShelfpriceError
        When it cannot be answered for another reason.
    """
    try:
        return answer(asked.question, asked.store)
    except CatalogError as error:
        raise Problem(
            "unknown-product",
            f"expected a product of the shelf, such as {desk.catalog.skus[0]}, found {asked.question.sku!r}; "
            "nothing was quoted: ask for another sku",
        ) from error


def _answered_or_problem(now: Kept, given: object) -> bytes:
    try:
        return answered(now.desk, question_of(given, now.desk.catalog.store.money.smallest), now.answer).rstrip(b"\n")
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
