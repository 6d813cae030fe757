"""Quotes over HTTP: one question in a query, or a list of them in a body.

One question has to be answered quickly: `QuickQuotes` takes it before the framework does, and a question that was asked
before from the same book is a look-up, from its query to the bytes that are sent.
"""

import asyncio
import datetime as dt
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

from fastapi import APIRouter, Body, Header, Query, Request, Response
from pydantic import BaseModel, Field, WithJsonSchema

from catalog.errors import CatalogError, ShelfpriceError
from catalog.front_door import Application, Receive, Scope, Send
from connect.api.json_body import MEDIA_TYPE, JsonRoute
from connect.api.kept_desk import KEPT_ANSWERS, DeskInForce, KeptDesk
from connect.api.problems import Problem, ProblemDocument, problem_example, problem_of, problem_responses
from connect.api.questions import QuoteQuestion, question_of, question_of_query
from serving.quote import Answer, PriceQuestion
from serving.quote_desk import QuoteDesk

MOST_QUESTIONS = 10_000
"""Of one request."""
_PATH = "/v1/quotes"
_SLICE = 0.002  # seconds that a list of questions is worked on before other requests get their turn
_OPEN: dict[str, Any] = {"security": [{}, {"token": []}]}  # a token may be sent, and need not be
_TAG = '"0f343b0931126a20f133d67c2b018a3b"'
_ETAG = {"ETag": {"description": "Changes with the answer.", "schema": {"type": "string"}, "example": _TAG}}
_QUOTE = {
    "sku": "MILK",
    "stock": 8,
    "priced_as_stock": 8,
    "ticks_left": 12,
    "price": 2.12,
    "p_sale": 0.049,
    "expected_revenue": 0.104,
    "unit_value": 1.889,
    "binding_rule": "stock_value",
    "model_version": "7",
    "policy": "stock_aware",
    "made_for": "2026-03-02",
    "unconstrained_price": 2.12,
    "clamps": [],
    "clamp_cost": 0.0,
    "reason": "Raised Milk 1.35 -> 2.12: 8 left with 3 h to go, a unit kept is worth 1.89, chance of sale 5 %",
    "currency": "EUR",
    "holds_in": "every store",
    "candidates": [{"price": 2.12, "p_sale": 0.049, "expected_revenue": 0.104}],
}
_QUESTIONS = [{"sku": "MILK", "stock": 8}, {"sku": "EGGS", "stock": 3, "ticks_left": 4, "shown": 2.49}]
Text = TypeVar("Text", str, bytes)
router = APIRouter(prefix="/v1", tags=["quotes"], route_class=JsonRoute)


@dataclass(frozen=True)
class Quote(Answer):
    """A price with everything that led to it: what `shelfprice quote --json` prints."""

    passed_over: Annotated[
        list[dt.date],
        Field(description="Dates of damaged books that are newer than the one in force; left out without any."),
    ] = field(default_factory=list)


class Health(BaseModel):
    """Which price book the answers come from."""

    status: Literal["ready", "no price book", "lake unreadable"]
    made_for: str | None = Field(description="date of the book")
    policy: str | None
    model_version: str | None
    catalog: str | None = Field(description="fingerprint of the catalog")
    problem: str | None = Field(description="why newer prices are not in force")


def _example(value: Any) -> dict[str, Any]:
    return {"content": {MEDIA_TYPE: {"example": value}}}


@router.head("/quotes", include_in_schema=False)
@router.get(
    "/quotes",
    operation_id="quote",
    summary="Price one product at a stock level",
    response_description="The quote",
    response_model=Quote,
    responses={
        200: {"headers": _ETAG, **_example(_QUOTE)},
        304: {"description": "The answer at hand is still right", "headers": _ETAG},
        **problem_responses(
            "unknown-product", "unknown-store", "conflict", "not-valid", "no-price-book", "lake-unreadable"
        ),
    },
    openapi_extra=_OPEN,
)
async def quote(
    _question: Annotated[QuoteQuestion, Query()],
    _tag: Annotated[
        str | None,
        Header(
            alias="If-None-Match",
            description="ETag of an answer at hand; while it is right, the answer is 304.",
            examples=[_TAG],
        ),
    ] = None,
) -> Response:
    """Look a price up in the price book in force, under the guardrails.

    The answer is the same bytes as `shelfprice quote --json` prints for the same question.
    """
    raise AssertionError("`QuickQuotes` answers before it: this route is there for the document")


@router.post(
    "/quotes",
    operation_id="quotes",
    summary=f"Price up to {MOST_QUESTIONS:,} products at once",
    response_description="A quote or a problem for each question",
    response_model=list[Quote | ProblemDocument],
    responses={
        200: _example([_QUOTE, problem_example("unknown-product")]),
        **problem_responses("wrong-media-type", "not-valid", "lake-unreadable"),
    },
    openapi_extra=_OPEN | {"requestBody": {"description": "The questions"}},
)
async def quotes(
    request: Request,
    questions: Annotated[
        list[Annotated[Any, WithJsonSchema(QuoteQuestion.model_json_schema())]],
        Body(max_length=MOST_QUESTIONS, openapi_examples={"two": {"summary": "Two products", "value": _QUESTIONS}}),
    ],
) -> Response:
    """Answer questions in their order.

    A question that cannot be answered has its problem in its place; the others are answered.
    """
    now = await request.app.state.desk.current()
    await _open_books(now.desk, (fields.get("store") for fields in questions if isinstance(fields, dict)))
    parts, begun = list[bytes](), time.monotonic()
    for fields in questions:
        try:
            question = question_of(fields, now.desk.catalog.store.money.smallest)
            parts.append(_answer(now.desk, question, now.answer).rstrip(b"\n"))
        except (Problem, ShelfpriceError, OSError) as error:
            parts.append(problem_of(error).text.encode())
        if time.monotonic() - begun > _SLICE:
            await asyncio.sleep(0)
            begun = time.monotonic()
    return Response(b"[" + b", ".join(parts) + b"]\n", media_type=MEDIA_TYPE)


@router.get(
    "/health",
    operation_id="health",
    summary="Which prices are answered",
    response_description="The price book in force",
    responses={
        200: _example(
            {
                "status": "ready",
                "made_for": "2026-03-02",
                "policy": "stock_aware",
                "model_version": "7",
                "catalog": "5d41402abc4b2a76b9719d911017c592",
                "problem": None,
            }
        ),
        **problem_responses(),
    },
    openapi_extra=_OPEN,
)
async def health(request: Request, response: Response) -> Health:
    """Answer 200 whenever the server runs; `status` says whether it has prices."""
    response.headers["Cache-Control"] = "no-store"
    kept: KeptDesk = request.app.state.desk
    try:
        desk = (await kept.current()).desk
    except (ShelfpriceError, OSError) as error:
        nothing = dict.fromkeys(("made_for", "policy", "model_version", "catalog"))
        return Health(status="lake unreadable", **nothing, problem=str(error))
    book = desk.found.book if desk.found else None
    return Health(
        status="ready" if book else "no price book",
        made_for=f"{book.published_at:%Y-%m-%d}" if book else None,
        policy=book.policy if book else None,
        model_version=book.model_version if book else None,
        catalog=desk.catalog.fingerprint,
        problem=kept.problem or (desk.passed_over.sentence if desk.passed_over else None),
    )


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
        if scope["type"] != "http" or scope["path"] != _PATH or scope["method"] not in {"GET", "HEAD"}:
            await self._application(scope, receive, send)
            return
        try:
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
        await _open_books(now.desk, [question.store])
        text = _answer(now.desk, question, now.desk.text)
        etag = f'"{now.desk.tag_of(question.store)}"'
        response = Response(text, headers=_headers(etag), media_type=MEDIA_TYPE)
        quotes[query] = _SentQuote(etag, tuple(response.raw_headers), bytes(response.body))
        if len(quotes) > KEPT_ANSWERS:
            quotes.popitem(last=False)
        return quotes[query]


async def _open_books(desk: QuoteDesk, stores: Iterable[object]) -> None:
    """Read in a thread the books of stores that ask first, so that no other request waits for the files."""
    new = {store for store in stores if store is None or isinstance(store, str)}

    def read() -> None:
        for store in unread:
            with suppress(ShelfpriceError, OSError):  # said with the answer, after what is wrong with the product
                desk.tag_of(store)

    if unread := [store for store in new if not desk.has_opened_for(store)]:
        await asyncio.to_thread(read)


def _answer(desk: QuoteDesk, question: QuoteQuestion, answer: Callable[[PriceQuestion, str | None], Text]) -> Text:
    try:
        return answer(question.of_product, question.store)
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
