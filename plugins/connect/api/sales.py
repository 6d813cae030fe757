"""Sales, stock, visitors and rivals' prices over HTTP: who sends them has a token that opens nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request, Security
from pydantic import WithJsonSchema

from plugins.connect.api.clients import Caller, authorised
from plugins.connect.api.kept_desk import OpenWorkspace
from plugins.connect.api.problems import problem_responses
from plugins.connect.intake.intake import ServedIntake
from plugins.connect.intake.rival_prices import RivalPrice
from plugins.connect.intake.sale_lines import MOST_LINES, IntakeResult, Kind, LineRefusal, SaleLine
from plugins.connect.intake.stock_and_visitors import ProductVisits, StockEvent, VisitorCount
from warehouse.workspace import Workspace

_SALES: list[dict[str, Any]] = [
    {"store_id": "S01", "event_id": "9f2", "sku": "MILK", "sold_at": "2026-01-19T08:31:07Z", "units": 2, "price": 1.29},
    {"store_id": "S01", "event_id": "9f3", "sku": "MILK", "sold_at": "2026-01-19T08:35:00Z", "voids": "9f2"},
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
_PROBLEMS = problem_responses(
    "unknown-token", "missing-scope", "other-store", "conflict", "wrong-media-type", "not-valid", "lake-unreadable"
)


def _without_references(schema: Any) -> Any:
    """Return a schema with its definitions in place: in the document, a reference would lead elsewhere."""
    definitions = schema.pop("$defs", {})

    def placed(part: Any) -> Any:
        if isinstance(part, list):
            return [placed(item) for item in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            return placed(definitions[part["$ref"].rsplit("/", 1)[1]])
        return {name: placed(item) for name, item in part.items()}

    return placed(schema)


router = APIRouter(prefix="/v1", tags=["sales"])


def _route(
    kind: Kind, path: str, operation: str, summary: str, items: tuple[dict[str, Any], Sequence[Mapping[str, Any]]]
) -> None:
    """Add the route of one kind of lines; `items` are the schema of a line, and an example of a body."""
    schema, example = items
    examples = {"some": {"summary": "Two of them" if len(example) > 1 else "One of them", "value": example}}
    body = Annotated[
        list[Annotated[Any, WithJsonSchema(schema)]], Body(max_length=MOST_LINES, openapi_examples=examples)
    ]

    def take(
        request: Request,
        workspace: OpenWorkspace,
        lines: body,
        caller: Annotated[Caller, Security(authorised, scopes=["sell"])],
    ) -> IntakeResult:
        return _take(request, workspace, kind, lines, caller)

    router.add_api_route(
        path,
        take,
        methods=["POST"],
        operation_id=operation,
        summary=summary,
        description=_SAID,
        responses=_PROBLEMS,
    )


_COUNT = {"anyOf": [VisitorCount.model_json_schema(), ProductVisits.model_json_schema()]}
_SAID = """Take in each line that can be used, and say why the others cannot; needs a token with the scope sell.

The lines that were taken are on the disk when the answer is sent. A line that is sent again is known, and counts once.
Of an hour's visitors, what is said last holds. A rival's price counts from the next opening on.
"""
_SOLD = (_without_references(SaleLine.model_json_schema()), _SALES)
_route("sales", "/sales", "sell", f"Say what was sold: up to {MOST_LINES:,} lines of receipts", _SOLD)
_MOVED = (StockEvent.model_json_schema(), _STOCK)
_route("stock", "/stock", "stock", "Say what was counted, delivered or thrown away", _MOVED)
_CAME = "Say how many visitors came in an hour, or how many looked at a product"
_route("traffic", "/traffic", "traffic", _CAME, (_COUNT, _VISITORS))
_ASKED = (RivalPrice.model_json_schema(), _RIVALS)
_route("rivals", "/competitor-prices", "competitor_prices", "Say what rivals ask for products of the shelf", _ASKED)


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
    mine = caller.own_places(lines, "store_id")
    result = intake.take(workspace, kind, [lines[place] for place in mine], str(caller.name))
    result = _with_others(result, mine, lines, caller.stores or ())
    for name, count in ("taken", result.taken), ("known", result.known), ("refused", len(result.refused)):
        request.app.state.metrics.lines.labels(kind, name).inc(count)
    return result
