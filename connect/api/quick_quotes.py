"""The quick way to a single quote: past the framework, whose own way takes several times as long.

A question that was asked before from the same book is a look-up, from its query to the bytes that are sent.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import NamedTuple, TypeVar

from fastapi import Response

from catalog.errors import CatalogError, ShelfpriceError
from catalog.front_door import Application, Receive, Scope, Send
from connect.api.clients import Caller
from connect.api.json_body import MEDIA_TYPE
from connect.api.kept_desk import KEPT_ANSWERS, DeskInForce, KeptDesk
from connect.api.problems import Problem, problem_of
from connect.api.quote_questions import QuoteQuestion, question_of_query
from serving.quote_desk import QuoteDesk

PATH = "/v1/quotes"
Text = TypeVar("Text", str, bytes)


class _SentQuote(NamedTuple):
    """A quote as it is sent."""

    etag: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class QuickQuotes:
    """ASGI middleware that answers single questions itself: the framework's own way takes longer."""

    def __init__(self, application: Application, kept: KeptDesk) -> None:
        self._application, self._kept = application, kept
        self._now: DeskInForce | None = None
        self._quotes: OrderedDict[bytes, _SentQuote] = OrderedDict()  # of this desk, by query

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a single question; hand everything else on."""
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] not in {"GET", "HEAD"}:
            await self._application(scope, receive, send)
            return
        try:
            caller: Caller = scope["user"]
            if caller.stores is not None:
                caller.refuse_other_store(question_of_query(scope["query_string"]).store)
            sent = await self._sent(scope["query_string"])
        except (Problem, ShelfpriceError, OSError) as error:
            await problem_of(error).response()(scope, receive, send)
            return
        if _is_at_hand(scope, sent.etag):
            await Response(status_code=304, headers=_headers(sent.etag))(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": sent.headers})
        await send({"type": "http.response.body", "body": sent.body})

    async def _sent(self, query: bytes) -> _SentQuote:
        """Return the answer to the question in a query.

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
            self._now, self._quotes = now, OrderedDict()
        quotes = self._quotes
        if (sent := quotes.get(query)) is not None:
            quotes.move_to_end(query)
            return sent
        question = question_of_query(query, now.desk.catalog.store.money.smallest)
        await open_books(now.desk, [question.store])
        text = answer_to(now.desk, question, now.desk.text)
        etag = f'"{now.desk.tag_of(question.store)}"'
        response = Response(text, headers=_headers(etag), media_type=MEDIA_TYPE)
        quotes[query] = _SentQuote(etag, tuple(response.raw_headers), bytes(response.body))
        if len(quotes) > KEPT_ANSWERS:
            quotes.popitem(last=False)
        return quotes[query]


async def open_books(desk: QuoteDesk, stores: Iterable[object]) -> None:
    """Read in a thread the books of stores that ask first, so that no other request waits for the files."""
    new = {store for store in stores if store is None or isinstance(store, str)}

    def read() -> None:
        for store in unread:
            with suppress(ShelfpriceError, OSError):  # said with the answer, after what is wrong with the product
                desk.tag_of(store)

    if unread := [store for store in new if not desk.has_opened_for(store)]:
        await asyncio.to_thread(read)


def answer_to(desk: QuoteDesk, question: QuoteQuestion, answer: Callable[..., Text]) -> Text:
    """Answer a question by `QuoteDesk.text`, or by what is asked as it is.

    Raises
    ------
    Problem
        When the shelf does not have the product.
    ShelfpriceError
        When it cannot be answered for another reason.
    """
    try:
        return answer(question.of_product, question.store, candidates=question.candidates)
    except CatalogError as error:
        raise Problem(
            "unknown-product",
            f"expected a product of the shelf, such as {desk.catalog.skus[0]}, found {question.sku!r}; nothing was "
            "quoted: ask for another sku",
        ) from error


def _headers(etag: str) -> dict[str, str]:
    return {"ETag": etag, "Cache-Control": "private, no-cache"}


def _is_at_hand(scope: Scope, etag: str) -> bool:
    """Tell whether the client has this answer already."""
    given = [value.decode("latin-1") for name, value in scope["headers"] if name == b"if-none-match"]
    tags = {tag.strip().removeprefix("W/") for value in given for tag in value.split(",")}
    return etag in tags or "*" in tags
