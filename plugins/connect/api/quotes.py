"""The routes of quotes: one question in a query, or a list of them in a body; and the health of the answers."""

import asyncio
import datetime as dt
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError, WithJsonSchema

from catalog.bounds import HIGHEST_NUMBER, HIGHEST_PRICE, LOWEST_PRICE
from catalog.errors import CatalogError, ShelfpriceError
from catalog.records.refusals import refused, schema_of
from plugins.connect.api.clients import Caller
from plugins.connect.api.kept_desk import KeptDesk
from plugins.connect.api.problems import (
    JSON_TYPE,
    Problem,
    ProblemDocument,
    not_valid,
    problem_of,
    problem_responses,
    refuse_repeated,
)
from serving.quote import PriceQuestion, PriceQuote, QuoteDesk

MOST_QUESTIONS = 10_000
"""Of one request."""
_SLICE = 0.002  # seconds that a list of questions is worked on before other requests get their turn
_OPEN: dict[str, Any] = {"security": [{}, {"token": []}]}  # a token may be sent, and need not be
_TAG = '"0f343b0931126a20f133d67c2b018a3b"'
_ETAG = {"ETag": {"description": "Changes with the answer.", "schema": {"type": "string"}, "example": _TAG}}
_QUESTIONS = [
    {"sku": "MILK", "stock": 8},
    {"sku": "EGGS", "stock": 3, "ticks_left": 4, "shown": 2.49, "candidates": False},
]
router = APIRouter(prefix="/v1", tags=["quotes"])


_Name = Annotated[str, Field(min_length=1, max_length=200)]
_Price = Annotated[float, Field(ge=LOWEST_PRICE, le=HIGHEST_PRICE)]


class QuoteQuestion(BaseModel):
    """A question about the price of one product. Money in the currency of the shelf."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    sku: _Name = Field(description="Stock-keeping unit.", examples=["MILK"])
    stock: int = Field(ge=0, le=HIGHEST_NUMBER, description="Units on the shelf.", examples=[8])
    ticks_left: Annotated[int, Field(ge=1, le=HIGHEST_NUMBER)] | None = Field(
        default=None, description="Ticks until closing, this one included; else the whole day.", examples=[12]
    )
    shown: _Price | None = Field(
        default=None, description="Price on the shelf now, for limits on steps.", examples=[1.35]
    )
    opening: _Price | None = Field(default=None, description="Price at opening; by default `shown`.", examples=[1.35])
    store: _Name | None = Field(
        default=None,
        description="The store that asks: the answer follows its own sales of the day, what people ordered there, or "
        "the old price that it keeps this week. Without it the answer holds in every store, or is refused.",
        examples=["S01"],
    )
    candidates: bool = Field(
        default=True, description="Whether the prices that were weighed are in the answer.", examples=[False]
    )


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


@router.head("/quotes", include_in_schema=False)
@router.get(
    "/quotes",
    operation_id="quote",
    summary="Price one product at a stock level",
    response_model=Quote,
    responses={
        200: {"headers": _ETAG},
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
    request: Request,
    question: Annotated[QuoteQuestion, Query()],
    tag: Annotated[
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
    refuse_repeated(request)
    request.app.state.metrics.quotes.inc()
    caller: Caller = request.user
    caller.refuse_other_store(question.store)
    now = await request.app.state.desk.current()
    await _open_books(now.desk, [question.store])
    text = _answer_to(now.desk, question, now.answer)
    etag = f'"{now.desk.tag}"'
    tags = {part.strip().removeprefix("W/") for part in (tag or "").split(",")}
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if tags & {etag, "*"}:
        return Response(status_code=304, headers=headers)
    return Response(text, headers=headers, media_type=JSON_TYPE)


@router.post(
    "/quotes",
    operation_id="quotes",
    summary=f"Price up to {MOST_QUESTIONS:,} products at once",
    response_model=list[Quote | ProblemDocument],
    responses=problem_responses("wrong-media-type", "not-valid", "lake-unreadable"),
    openapi_extra=_OPEN,
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
    await _open_books(now.desk, (fields.get("store") for fields in questions if isinstance(fields, dict)))
    parts, begun = list[bytes](), time.monotonic()
    for fields in questions:
        try:
            question = question_of(fields)
            caller.refuse_other_store(question.store)
            parts.append(_answer_to(now.desk, question, now.answer).rstrip(b"\n"))
        except (Problem, ShelfpriceError, OSError) as error:
            parts.append(problem_of(error).text.encode())
        if time.monotonic() - begun > _SLICE:
            await asyncio.sleep(0)
            begun = time.monotonic()
    return Response(b"[" + b", ".join(parts) + b"]\n", media_type=JSON_TYPE)


@router.get(
    "/health",
    operation_id="health",
    summary="Which prices are answered",
    responses=problem_responses(),
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
    book = desk.book.book if desk.book else None
    return QuoteHealth(
        status="ready" if book else "no price book",
        made_for=f"{book.published_at:%Y-%m-%d}" if book else None,
        policy=book.policy if book else None,
        model_version=book.model_version if book else None,
        catalog=desk.catalog.fingerprint,
        problem=kept.problem or (desk.passed_over.sentence if desk.passed_over else None),
    )


def question_of(fields: object) -> QuoteQuestion:
    """Check one question of a list.

    Raises
    ------
    Problem
        When it is not an object, or a value cannot be used.
    """
    try:
        return QuoteQuestion.model_validate(fields, strict=True)
    except ValidationError as error:
        raise not_valid(refused(error, schema_of(QuoteQuestion))) from error


async def _open_books(desk: QuoteDesk, stores: Iterable[object]) -> None:
    """Read in a thread the books of stores that ask first, so that no other request waits for the files."""
    new = {store for store in stores if store is None or isinstance(store, str)}

    def read() -> None:
        for store in unread:
            with suppress(ShelfpriceError, OSError):  # said with the answer, after what is wrong with the product
                desk.open_for(store)

    if unread := [store for store in new if store not in desk.opened]:
        await asyncio.to_thread(read)


def _answer_to(desk: QuoteDesk, question: QuoteQuestion, answer: Callable[..., bytes]) -> bytes:
    """Answer a question by `answer`, which takes what `QuoteDesk.text` takes.

    Raises
    ------
    Problem
        When a price is below the smallest unit of the currency, or the shelf does not have the product.
    ShelfpriceError
        When it cannot be answered for another reason.
    """
    lowest = desk.catalog.store.money.smallest
    for name, price in ("shown", question.shown), ("opening", question.opening):
        if price is not None and price < lowest:
            expected = f"{name}: expected a number from {lowest:g}, found {price}"
            raise Problem("not-valid", f"{expected}; nothing was quoted: give another")
    price_question = PriceQuestion(question.sku, question.stock, question.ticks_left, question.shown, question.opening)
    try:
        return answer(price_question, question.store, candidates=question.candidates)
    except CatalogError as error:
        raise Problem(
            "unknown-product",
            f"expected a product of the shelf, such as {desk.catalog.skus[0]}, found {question.sku!r}; nothing was "
            "quoted: ask for another sku",
        ) from error
