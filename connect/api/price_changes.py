"""Price changes over HTTP: read them without a token, ask for one with `propose`, decide with `approve`."""

import asyncio
import datetime as dt
from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from catalog.json_text import json_text
from catalog.records.fields import Price, Sku, StoreId
from catalog.records.store import Store
from connect.api.admission import Caller, refuse_without, requires
from connect.api.documents import problems
from connect.api.problems import Problem
from connect.api.strict_json import StrictRoute
from desk.price_changes.change import PriceChange
from desk.price_changes.desk import Wish, ask, decide, examined
from desk.price_changes.listing import rows_of
from desk.price_changes.record import all_changes, changes_named
from warehouse.workspace import Workspace

State = Literal["proposed", "rejected", "withdrawn", "scheduled", "in_force", "superseded", "expired"]
_JSON = "application/json"
_MOST = 10_000
_SELECTS = ("state", "sku", "store", "limit")
_SHOWN = 80  # characters of a name that is none


def _such_as(value: Any) -> dict[str, Any]:
    return {"one": {"summary": "For example", "value": value}}


_Name = Annotated[
    str, Path(min_length=1, max_length=200, description="Id of a price change.", openapi_examples=_such_as("h7"))
]
_States = Annotated[
    list[State] | None, Query(description="Only those in these states.", openapi_examples=_such_as(["proposed"]))
]
_OfSku = Annotated[
    str | None,
    Query(
        max_length=64, description="Only of one product; not those of every product.", openapi_examples=_such_as("MILK")
    ),
]
_OfStore = Annotated[
    str | None,
    Query(max_length=32, description="Only of one store; not those of every store.", openapi_examples=_such_as("S01")),
]
_AtMost = Annotated[
    int, Query(ge=1, le=_MOST, description="At most so many, the newest first.", openapi_examples=_such_as(100))
]


class PriceWish(BaseModel):
    """What is asked for."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["override", "freeze", "kill_switch"] = Field(
        description="override: a price; freeze: the price that is shown; kill_switch: base prices"
    )
    reason: str = Field(min_length=1, max_length=1_000, description="why, in a sentence")
    sku: Sku | None = Field(default=None, description="product; needed for an override and a freeze")
    store: StoreId | None = Field(default=None, description="store; null is every store")
    price: Price | None = Field(default=None, description="price of an override, in the currency of the shelf")
    valid_from: dt.datetime | None = Field(
        default=None, description="from when; without a zone it is local time of the store; null is the next tick"
    )
    valid_until: dt.datetime | None = Field(default=None, description="until when; null is until it is withdrawn")
    announced: bool = Field(default=False, description="whether it is announced as a reduction")
    anyway: bool = Field(default=False, description="record it despite what speaks against it")
    below_cost: bool = Field(
        default=False,
        description="accept a price below the floor, and below cost plus the minimum margin as the cost is now; a "
        "higher cost asks anew",
    )

    def wish(self, store: Store) -> Wish:
        """Return it as the desk takes it; times without a zone are local times of the store."""
        given, clock = self.model_dump(), store.clock_of(self.store)
        for name in ("valid_from", "valid_until"):
            if given[name] is not None:
                given[name] = clock.moment_of_person(given[name])
        return Wish(**given)


class Decision(BaseModel):
    """What is decided about a price change."""

    model_config = ConfigDict(extra="forbid")

    event: Literal["approved", "rejected", "withdrawn"] = Field(description="what is decided")
    reason: str | None = Field(
        default=None, min_length=1, max_length=1_000, description="why; null keeps the reason that was given first"
    )


_Wish = Annotated[
    PriceWish,
    Body(
        openapi_examples=_such_as(
            {"kind": "override", "sku": "MILK", "store": "S01", "price": 1.29, "reason": "a competitor is cheaper"}
        )
    ),
]
_Decision = Annotated[Decision, Body(openapi_examples=_such_as({"event": "approved", "reason": "as agreed on Monday"}))]


def price_changes_router(opened: Callable[[], Workspace]) -> APIRouter:
    """Return the routes of price changes.

    Parameters
    ----------
    opened
        Returns the workspace as it is now, with the catalog in force.
    """
    router = APIRouter(prefix="/v1/price-changes", tags=["price changes"], route_class=StrictRoute)

    async def listed(
        request: Request, state: _States = None, sku: _OfSku = None, store: _OfStore = None, limit: _AtMost = 1_000
    ) -> Response:
        _refuse_other_parameters(request)
        return _answer(await asyncio.to_thread(_listed, opened(), state, sku, store, limit))

    async def asked(wish: _Wish, caller: Annotated[Caller, Depends(requires("propose"))]) -> Response:
        return _answer(await asyncio.to_thread(_asked, opened(), wish, str(caller.name)), 201)

    async def looked_at(wish: _Wish) -> Response:
        return _answer(await asyncio.to_thread(_looked_at, opened(), wish))

    async def decided(
        change: _Name, decision: _Decision, caller: Annotated[Caller, Depends(requires("approve"))]
    ) -> Response:
        return _answer(await asyncio.to_thread(_decided, opened(), change, decision, caller))

    router.add_api_route("", listed, methods=["GET"], **_LISTED)
    router.add_api_route("", asked, methods=["POST"], **_ASKED)
    router.add_api_route("/examined", looked_at, methods=["POST"], **_LOOKED_AT)
    router.add_api_route("/{change}/events", decided, methods=["POST"], **_DECIDED)
    return router


def _refuse_other_parameters(request: Request) -> None:
    """Refuse what would select nothing although it was meant to: a name that is none, and one that comes again."""
    names = [name for name, _ in request.query_params.multi_items()]
    odd = next((name for name in names if name not in _SELECTS), None)
    if odd is not None:
        found = repr(odd[:_SHOWN])
        raise Problem("not-valid", f"expected {', '.join(_SELECTS)}, found {found}; nothing was listed: leave it out")
    again = next((name for name in names if name != "state" and names.count(name) > 1), None)
    if again is not None:
        raise Problem("not-valid", f"expected {again} once, found it again; nothing was listed: ask for each alone")


def _listed(
    workspace: Workspace, states: list[State] | None, sku: str | None, store: str | None, limit: int
) -> dict[str, Any]:
    found = [
        change
        for change in all_changes(workspace.lake)
        if sku in {None, change.terms.sku} and store in {None, change.terms.store}
    ]
    rows = [row for row in rows_of(workspace, found) if states is None or row["state"] in states]
    return {"changes": rows[::-1][:limit], "count": len(rows)}


def _asked(workspace: Workspace, asked: PriceWish, by: str) -> dict[str, Any]:
    wish = asked.wish(workspace.catalog.store)
    _refuse_unknown(workspace, wish)
    answer = ask(workspace, wish, by)
    return _told(workspace, answer.changes, answer.conflicts, answer.consequence)


def _looked_at(workspace: Workspace, asked: PriceWish) -> dict[str, Any]:
    wish = asked.wish(workspace.catalog.store)
    _refuse_unknown(workspace, wish)
    answer = examined(workspace, wish)
    return _told(workspace, answer.changes, answer.conflicts, answer.consequence)


def _refuse_unknown(workspace: Workspace, wish: Wish) -> None:
    if wish.sku is not None and wish.sku not in workspace.catalog.skus:
        raise Problem(
            "unknown-product",
            f"expected a product of the shelf, such as {workspace.catalog.skus[0]}, found {wish.sku!r}; nothing was "
            "recorded: ask for another sku",
        )
    stores = workspace.catalog.store.stores
    if wish.store is not None and wish.store not in stores:
        raise Problem(
            "unknown-store",
            f"expected a store of this catalog, such as {stores[0]}, found {wish.store!r}; nothing was recorded: ask "
            "for another store",
        )


def _decided(workspace: Workspace, change: str, decision: Decision, caller: Caller) -> dict[str, Any]:
    terms = next((own.terms for own in changes_named(workspace.lake, [change])), None)
    if terms is None:
        said = f"expected the id of a price change, found {change!r}; nothing was changed: /v1/price-changes lists them"
        raise Problem("unknown-change", said)
    if terms.kind == "kill_switch" and terms.store is None:
        refuse_without("propose", caller.scopes)  # who may not turn it on for every store does not turn it off
    changed = decide(workspace, [change], decision.event, str(caller.name), decision.reason)
    return {"changes": rows_of(workspace, changed)}


def _told(
    workspace: Workspace, changes: tuple[PriceChange, ...], conflicts: tuple[str, ...], consequence: Any
) -> dict[str, Any]:
    return {
        "changes": rows_of(workspace, changes),
        "conflicts": list(conflicts),
        "consequence": None if consequence is None else vars(consequence),
    }


def _answer(said: dict[str, Any], status: int = 200) -> Response:
    return Response(json_text(said) + "\n", status, {"Cache-Control": "no-store"}, _JSON)


_EXAMPLE = {
    "change": "h7",
    "state": "in_force",
    "kind": "override",
    "sku": "MILK",
    "store": "S01",
    "old_price": 1.19,
    "new_price": 1.29,
    "valid_from": "2026-03-02T13:00:00+00:00",
    "valid_until": "2026-03-02T18:00:00+00:00",
    "what": "override of MILK, S01",
    "when": "from 2026-03-02 13:00 to 18:00",
    "time_zone": "UTC",
    "reason": "a competitor",
    "by": "anna",
    "approved_by": "anna",
    "expected_cost": 1.65,
    "announced": False,
    "prior_price": None,
    "events": [],
    "currency": "EUR",
}
_WEIGHED = {
    "price": 1.29,
    "policy_price": 1.26,
    "p_sale": 0.71,
    "units": 76.0,
    "revenue": 97.61,
    "profit": 29.51,
    "cost": 1.65,
}


def _said(description: str, example: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {_JSON: {"schema": {"type": "object"}, "example": example}}}


_UNKNOWN = ("unknown-product", "unknown-store")
_ANSWER = {"changes": [_EXAMPLE], "conflicts": [], "consequence": _WEIGHED}
_LISTED: dict[str, Any] = {
    "operation_id": "price_changes",
    "summary": "List price changes",
    "description": "What people and policies want to change about prices, the newest first, with who did what.",
    "responses": {
        200: _said("The price changes", {"changes": [_EXAMPLE], "count": 1}),
        **problems("not-valid", "lake-unreadable"),
    },
}
_ASKED: dict[str, Any] = {
    "operation_id": "ask_for_price",
    "summary": "Ask for a price, a freeze, or base prices",
    "description": "Needs a token with the scope propose. It counts from the next tick, unless somebody else has to "
    "approve it first. What speaks against it is answered as a conflict, and nothing is recorded.",
    "status_code": 201,
    "responses": {
        201: _said("It is recorded", _ANSWER),
        **problems("unknown-token", "missing-scope", *_UNKNOWN, "conflict", "not-valid", "lake-unreadable"),
    },
    "openapi_extra": {"requestBody": {"description": "What is asked for"}},
}
_LOOKED_AT: dict[str, Any] = {
    "operation_id": "examine_price",
    "summary": "See what would become of it",
    "description": "The same question; nothing is recorded. Conflicts are named, and what is expected a store day.",
    "responses": {
        200: _said("What would become of it", _ANSWER),
        **problems(*_UNKNOWN, "not-valid", "lake-unreadable"),
    },
    "openapi_extra": {"requestBody": {"description": "What would be asked for"}},
}
_DECIDED: dict[str, Any] = {
    "operation_id": "decide_on_price",
    "summary": "Approve, reject or withdraw",
    "description": "Needs a token with the scope approve.",
    "responses": {
        200: _said("It is recorded", {"changes": [_EXAMPLE]}),
        **problems("unknown-token", "missing-scope", "unknown-change", "conflict", "not-valid", "lake-unreadable"),
    },
    "openapi_extra": {"requestBody": {"description": "What is decided"}},
}
