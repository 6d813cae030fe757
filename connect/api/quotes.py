"""The routes of quotes: one question in a query, or a list of them in a body; and the health of the answers."""

import asyncio
import datetime as dt
import time
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Header, Query, Request, Response
from pydantic import BaseModel, Field, WithJsonSchema

from catalog.errors import ShelfpriceError
from connect.api.clients import Caller
from connect.api.json_body import MEDIA_TYPE, JsonRoute
from connect.api.kept_desk import KeptDesk
from connect.api.problems import Problem, ProblemDocument, problem_example, problem_of, problem_responses
from connect.api.quick_quotes import answer_to, open_books
from connect.api.quote_questions import QuoteQuestion, question_of
from serving.quote import PriceQuote

MOST_QUESTIONS = 10_000
"""Of one request."""
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
_QUESTIONS = [
    {"sku": "MILK", "stock": 8},
    {"sku": "EGGS", "stock": 3, "ticks_left": 4, "shown": 2.49, "candidates": False},
]
router = APIRouter(prefix="/v1", tags=["quotes"], route_class=JsonRoute)


@dataclass(frozen=True)
class Quote(PriceQuote):
    """A price with everything that led to it: what `shelfprice quote --json` prints."""

    candidates: Annotated[
        list[dict[str, float | None]],
        Field(description="The prices that were weighed; left out where the question has `candidates: false`."),
    ] = field(default_factory=list)
    drawn: Annotated[
        dict[str, Any] | None,
        Field(
            description="Of a store that sells by itself, what its price was drawn from: the owner's price, chance, "
            "design, whether the store is held, and the response of sales. Each candidate then has units and profit "
            "expected in the draw's slot. Null where the product is not drawn there; left out of the twin's quotes."
        ),
    ] = None
    passed_over: Annotated[
        list[dt.date],
        Field(description="Dates of damaged books that are newer than the one in force; left out without any."),
    ] = field(default_factory=list)


class QuoteHealth(BaseModel):
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
            "unknown-product",
            "unknown-store",
            "other-store",
            "conflict",
            "not-valid",
            "no-price-book",
            "lake-unreadable",
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

    A question that cannot be answered has its problem in its place; the others are answered. A long answer is
    compressed where `Accept-Encoding` has gzip.
    """
    request.app.state.metrics.quotes.inc(len(questions))
    caller: Caller = request.user
    now = await request.app.state.desk.current()
    await open_books(now.desk, (fields.get("store") for fields in questions if isinstance(fields, dict)))
    parts, begun = list[bytes](), time.monotonic()
    refused = dict[QuoteQuestion | None, bytes]()  # to find that there is no answer takes as long each time
    for fields in questions:
        question = None
        try:
            question = question_of(fields, now.desk.catalog.store.money.smallest)
            caller.refuse_other_store(question.store)
            parts.append(refused.get(question) or answer_to(now.desk, question, now.answer).rstrip(b"\n"))
        except (Problem, ShelfpriceError, OSError) as error:
            refused[question] = problem_of(error).text.encode()
            parts.append(refused[question])
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
async def health(request: Request, response: Response) -> QuoteHealth:
    """Answer 200 whenever the server runs; `status` says whether it has prices."""
    response.headers["Cache-Control"] = "no-store"
    kept: KeptDesk = request.app.state.desk
    try:
        desk = (await kept.current()).desk
    except (ShelfpriceError, OSError) as error:
        nothing = dict.fromkeys(("made_for", "policy", "model_version", "catalog"))
        return QuoteHealth(status="lake unreadable", **nothing, problem=str(error))
    book = desk.found.book if desk.found else None
    return QuoteHealth(
        status="ready" if book else "no price book",
        made_for=f"{book.published_at:%Y-%m-%d}" if book else None,
        policy=book.policy if book else None,
        model_version=book.model_version if book else None,
        catalog=desk.catalog.fingerprint,
        problem=kept.problem or (desk.passed_over.sentence if desk.passed_over else None),
    )
