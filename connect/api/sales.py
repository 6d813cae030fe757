"""Sales, stock, visitors and rivals' prices over HTTP: who sends them has a token that opens nothing else."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request, Security
from pydantic import WithJsonSchema

from connect.api.clients import Caller, authorised
from connect.api.kept_desk import OpenWorkspace
from connect.api.problems import JSON_TYPE, problem_responses
from connect.intake.intake import ServedIntake
from connect.intake.rival_prices import RivalPrice
from connect.intake.sale_lines import MOST_LINES, IntakeResult, Kind, LineRefusal, RefusedLine, SaleLine, is_of_stores
from connect.intake.stock_and_visitors import ProductVisits, StockEvent, VisitorCount
from warehouse.workspace import Workspace

_SALES = [
    {
        "store_id": "S01",
        "receipt": "70412",
        "line": 1,
        "sku": "MILK",
        "sold_at": "2026-01-19T09:31:07+01:00",
        "units": 2,
        "price": 1.29,
    },
    {
        "store_id": "S01",
        "event_id": "9f2c",
        "sku": "MILK",
        "sold_at": "2026-01-19T08:35:00Z",
        "voids": {"receipt": "70412", "line": 1},
    },
]
_STOCK = [{"store_id": "S01", "sku": "MILK", "happened_at": "2026-01-19T06:10:00Z", "kind": "delivery", "units": 40}]
_VISITORS = [
    {"store_id": "S01", "hour_at": "2026-01-19T08:00:00Z", "visitors": 112},
    {"store_id": "S01", "sku": "MILK", "hour_at": "2026-01-19T08:00:00Z", "visits": 31},
]
_RIVALS = [
    {"rival": "Corner", "ean": "4006381333931", "price": 1.19, "seen_at": "2026-01-19T07:30:00Z", "source": "leaflet"},
    {"rival": "Corner", "sku": "CHEESE", "price": 9.9, "unit": "kg", "seen_at": "2026-01-19T07:30:00Z"},
]
_REFUSED = RefusedLine(3, "unknown_product", "sku: a product of products.yaml, such as MILK", "MLIK")
_ANSWER = asdict(IntakeResult(2, 1, (_REFUSED,)))
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"content": {JSON_TYPE: {"example": _ANSWER}}},
    **problem_responses(
        "unknown-token", "missing-scope", "other-store", "conflict", "wrong-media-type", "not-valid", "lake-unreadable"
    ),
}


def _some(summary: str, value: list[dict[str, Any]]) -> dict[str, Any]:
    return {"some": {"summary": summary, "value": value}}


def _without_references(schema: Any) -> Any:
    """Return a schema with its definitions in place: in the document, a reference would lead elsewhere."""
    definitions = schema.pop("$defs", {})

    def placed(part: Any) -> Any:
        if isinstance(part, list):
            return [placed(one) for one in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            return placed(definitions[part["$ref"].rsplit("/", 1)[1]])
        return {name: placed(one) for name, one in part.items()}

    return placed(schema)


_Sender = Annotated[Caller, Security(authorised, scopes=["sell"])]
router = APIRouter(prefix="/v1", tags=["sales"])


_Line = Annotated[Any, WithJsonSchema(_without_references(SaleLine.model_json_schema()))]
_Event = Annotated[Any, WithJsonSchema(StockEvent.model_json_schema())]
_Count = Annotated[
    Any, WithJsonSchema({"anyOf": [VisitorCount.model_json_schema(), ProductVisits.model_json_schema()]})
]
_Price = Annotated[Any, WithJsonSchema(RivalPrice.model_json_schema())]


@router.post(
    "/sales",
    operation_id="sell",
    summary=f"Say what was sold: up to {MOST_LINES:,} lines of receipts",
    response_description="What was taken, and why the rest was not",
    responses=_RESPONSES,
    openapi_extra={"requestBody": {"description": "The lines"}},
)
def sell(
    request: Request,
    workspace: OpenWorkspace,
    lines: Annotated[list[_Line], Body(max_length=MOST_LINES, openapi_examples=_some("A sale and a void", _SALES))],
    caller: _Sender,
) -> IntakeResult:
    """Take in each line that can be used, and say why the others cannot; needs a token with the scope sell.

    The lines that were taken are on the disk when the answer is sent. A line that is sent again is known, and counts
    once.
    """
    return _take(request, workspace, "sales", lines, caller)


@router.post(
    "/stock",
    operation_id="stock",
    summary="Say what was counted, delivered or thrown away",
    response_description="What was taken, and why the rest was not",
    responses=_RESPONSES,
    openapi_extra={"requestBody": {"description": "The events"}},
)
def tell_stock(
    request: Request,
    workspace: OpenWorkspace,
    events: Annotated[list[_Event], Body(max_length=MOST_LINES, openapi_examples=_some("A delivery", _STOCK))],
    caller: _Sender,
) -> IntakeResult:
    """Take in each event that can be used, as `/v1/sales` takes lines; needs a token with the scope sell."""
    return _take(request, workspace, "stock", events, caller)


@router.post(
    "/traffic",
    operation_id="traffic",
    summary="Say how many visitors came in an hour, or how many looked at a product",
    response_description="What was taken, and why the rest was not",
    responses=_RESPONSES,
    openapi_extra={"requestBody": {"description": "The counts"}},
)
def tell_visitors(
    request: Request,
    workspace: OpenWorkspace,
    counts: Annotated[list[_Count], Body(max_length=MOST_LINES, openapi_examples=_some("An hour", _VISITORS))],
    caller: _Sender,
) -> IntakeResult:
    """Take in each count that can be used; what is said last of an hour holds. Needs a token with the scope sell."""
    return _take(request, workspace, "traffic", counts, caller)


@router.post(
    "/competitor-prices",
    operation_id="competitor_prices",
    summary="Say what rivals ask for products of the shelf",
    response_description="What was taken, and why the rest was not",
    responses=_RESPONSES,
    openapi_extra={"requestBody": {"description": "The prices"}},
)
def tell_rivals(
    request: Request,
    workspace: OpenWorkspace,
    prices: Annotated[list[_Price], Body(max_length=MOST_LINES, openapi_examples=_some("By EAN and sku", _RIVALS))],
    caller: _Sender,
) -> IntakeResult:
    """Take in each price that can be used; it counts from the next opening on. Needs a token with the scope sell.

    A price is told from others by rival, product and `seen_at`: one that is sent again is known, and counts once.
    """
    return _take(request, workspace, "rivals", prices, caller)


def _with_others(
    result: IntakeResult, mine: Sequence[int], lines: Sequence[Any], stores: Sequence[str]
) -> IntakeResult:
    """Return a result of some lines as one of all: those of stores that the token does not open are refused."""
    expected = f"store_id: one of the token's stores, {', '.join(stores)}"
    others = sorted(set(range(len(lines))).difference(mine))
    refused = [
        *(replace(line, index=mine[line.index]) for line in result.refused),
        *(LineRefusal("other_store", expected, lines[place]["store_id"]).at(place) for place in others),
    ]
    return replace(result, refused=tuple(sorted(refused, key=lambda line: line.index)))


def _take(request: Request, workspace: Workspace, kind: Kind, lines: list[Any], caller: Caller) -> IntakeResult:
    intake: ServedIntake = request.app.state.intake
    if kind == "rivals":
        caller.refuse_other_store(None)  # they count in every store
    stores = caller.stores
    mine = [place for place, line in enumerate(lines) if stores is None or is_of_stores(line, stores)]
    result = intake.take(workspace, kind, [lines[place] for place in mine], str(caller.name))
    if stores is not None:
        result = _with_others(result, mine, lines, stores)
    for name, count in ("taken", result.taken), ("known", result.known), ("refused", len(result.refused)):
        request.app.state.metrics.lines.labels(kind, name).inc(count)
    return result
