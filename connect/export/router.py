"""The route by which tills and labels acknowledge over HTTP; the quote API takes it in."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends

from connect.api.documents import problems
from connect.api.strict_json import StrictRoute
from connect.export.acknowledge import MOST_AT_ONCE, Ack, acknowledge
from warehouse.workspace import Workspace

_ONE = {
    "batch": "5f0c8d1e2a3b4c5d6e7f8091",
    "store": "S01",
    "sku": "MILK",
    "device": "label",
    "price": 1.29,
    "at": "2026-01-19T09:15:04Z",
}
_EXAMPLES: dict[str, Any] = {"one": {"summary": "A label follows", "value": [_ONE]}}
_TAKEN = {"recorded": 1, "known": 0, "refused": []}


def acknowledgements_router(open_workspace: Callable[[], Workspace], who: Callable[..., Any]) -> APIRouter:
    """Return the route.

    Parameters
    ----------
    open_workspace
        Opens the workspace whose batches are acknowledged, at each request.
    who
        A dependency that lets in who may acknowledge, and returns something with a `name`.
    """
    router = APIRouter(prefix="/v1", route_class=StrictRoute)

    def take(
        acks: Annotated[list[dict[str, Any]], Body(max_length=MOST_AT_ONCE, openapi_examples=_EXAMPLES)],
        caller: Annotated[Any, Depends(who)],
    ) -> dict[str, Any]:
        return asdict(acknowledge(open_workspace(), acks, caller.name))

    router.add_api_route(
        "/acknowledgements",
        take,
        methods=["POST"],
        summary="Say what tills and labels show",
        description="Needs a token with the scope acknowledge. Records each acknowledgement that can be used, and says "
        "why the others cannot. One that was recorded before is recorded once.",
        operation_id="acknowledge",
        responses={
            200: {"description": "What was recorded", "content": {"application/json": {"example": _TAKEN}}},
            **problems("unknown-token", "missing-scope", "not-valid", "lake-unreadable"),
        },
        openapi_extra={
            "requestBody": {
                "description": "The acknowledgements",
                "content": {"application/json": {"schema": {"items": Ack.model_json_schema()}}},
            }
        },
    )
    return router
