"""Price changes over HTTP: read them without a token, ask for one with `propose`, decide with `approve`."""

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Path, Query, Request, Response, Security
from pydantic import BaseModel, ConfigDict, Field

from catalog.records.fields import Price, Sku, StoreId
from plugins.connect.api.clients import Caller, authorised, refuse_without
from plugins.connect.api.kept_desk import OpenWorkspace
from plugins.connect.api.problems import Problem, problem_responses, refuse_repeated
from plugins.desk.price_changes import decision as deciding
from plugins.desk.price_changes import request as asking
from plugins.desk.price_changes.consequence import Consequence
from plugins.desk.price_changes.listing import rows_of
from plugins.desk.price_changes.record import changes_named, listed_changes
from plugins.desk.price_changes.request import examined
from serving.limits.orders import Kind
from warehouse.workspace import Workspace

State = Literal["proposed", "rejected", "withdrawn", "scheduled", "in_force", "superseded", "expired"]
router = APIRouter(prefix="/v1/price-changes", tags=["price changes"])


class Selection(BaseModel):
    """Which price changes are listed."""

    model_config = ConfigDict(extra="forbid")

    state: list[State] | None = Field(
        default=None, description="Only those in these states; may be repeated.", examples=[["proposed"]]
    )
    sku: str | None = Field(
        default=None, max_length=64, description="Only of one product; not those of every product.", examples=["MILK"]
    )
    store: str | None = Field(
        default=None, max_length=32, description="Only of one store; not those of every store.", examples=["S01"]
    )
    limit: int = Field(default=1_000, ge=1, le=10_000, description="At most so many, the newest first.", examples=[100])


class PriceChangeBody(BaseModel):
    """A price change that is asked for."""

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


class DecisionBody(BaseModel):
    """A decision about a price change."""

    model_config = ConfigDict(extra="forbid")

    event: Literal["approved", "rejected", "withdrawn"] = Field(description="what is decided")
    reason: str | None = Field(
        default=None, min_length=1, max_length=1_000, description="why; null keeps the reason that was given first"
    )


class PriceChangeRow(BaseModel):
    """A price change as `shelfprice changes --json` has it. Money in `currency`; times ISO 8601, UTC."""

    model_config = ConfigDict(extra="allow")

    change: str
    state: State
    kind: str
    sku: str | None
    store: str | None
    old_price: float | None
    new_price: float | None
    valid_from: str
    valid_until: str | None
    what: str
    when: str
    time_zone: str
    reason: str | None
    by: str | None
    approved_by: str | None
    expected_cost: float | None
    announced: bool
    prior_price: float | None
    events: list[dict[str, Any]]
    currency: str


class ListedChanges(BaseModel):
    """Price changes, the newest first, and how many there are."""

    changes: list[PriceChangeRow]
    count: int


class DecidedChanges(BaseModel):
    """Price changes about which something was decided."""

    changes: list[PriceChangeRow]


class AskedChanges(BaseModel):
    """Price changes that were asked for, what speaks against them, and what they are expected to bring a store day."""

    changes: list[PriceChangeRow]
    conflicts: tuple[str, ...]
    consequence: Consequence | None


_ASKED = {"kind": "override", "sku": "MILK", "store": "S01", "price": 1.29, "reason": "a competitor is cheaper"}
_Change = Annotated[PriceChangeBody, Body(openapi_examples={"one": {"summary": "An override", "value": _ASKED}})]
_Decision = Annotated[
    DecisionBody,
    Body(openapi_examples={"one": {"summary": "An approval", "value": {"event": "approved", "reason": "as agreed"}}}),
]

_NEEDS_SCOPE, _UNKNOWN = ("unknown-token", "missing-scope"), ("unknown-product", "unknown-store")


def _problems(*names: str) -> dict[int | str, dict[str, Any]]:
    return problem_responses(*names, "other-store", "not-valid", "lake-unreadable")


@router.get(
    "",
    operation_id="price_changes",
    summary="List price changes",
    responses=_problems(),
)
def listed(
    workspace: OpenWorkspace, request: Request, response: Response, selection: Annotated[Selection, Query()]
) -> ListedChanges:
    """List what people and policies want to change about prices, the newest first, with who did what.

    Of more than 10,000 prices that pass by the rules, `count` says how many there are: ask for one product.
    """
    caller: Caller = request.user
    caller.refuse_other_store(selection.store)
    refuse_repeated(request, but="state")
    changes, left_out = listed_changes(workspace.lake, selection.sku, selection.store)
    rows = [row for row in rows_of(workspace, changes) if selection.state is None or row["state"] in selection.state]
    response.headers["Cache-Control"] = "no-store"
    return ListedChanges(
        changes=rows[::-1][: selection.limit], count=len(rows) + (left_out if selection.state is None else 0)
    )


@router.post(
    "",
    operation_id="ask_for_price",
    summary="Ask for a price, a freeze, or base prices",
    status_code=201,
    responses=_problems(*_NEEDS_SCOPE, *_UNKNOWN, "conflict", "wrong-media-type"),
)
def ask(
    workspace: OpenWorkspace, body: _Change, caller: Annotated[Caller, Security(authorised, scopes=["propose"])]
) -> AskedChanges:
    """Record a price change; needs a token with the scope propose.

    The kill switch of every store needs the scope approve, too.
    It counts from the next tick, unless somebody else has to approve it first. What speaks against it is answered as a
    conflict, and nothing is recorded.
    """
    _refuse_switching_all(body.kind, body.store, caller)
    caller.refuse_other_store(body.store)
    answer = asking.ask(workspace, _price_request(workspace, body), str(caller.name))
    return AskedChanges(
        changes=rows_of(workspace, answer.changes), conflicts=answer.conflicts, consequence=answer.consequence
    )


@router.post(
    "/examined",
    operation_id="examine_price",
    summary="See what would become of it",
    responses=_problems(*_UNKNOWN, "wrong-media-type"),
)
def examine(request: Request, workspace: OpenWorkspace, body: _Change) -> AskedChanges:
    """Say what speaks against a price change, and what it is expected to bring a store day; nothing is recorded."""
    caller: Caller = request.user
    caller.refuse_other_store(body.store)
    answer = examined(workspace, _price_request(workspace, body))
    return AskedChanges(changes=[], conflicts=answer.conflicts, consequence=answer.consequence)


@router.post(
    "/{change}/events",
    operation_id="decide_on_price",
    summary="Approve, reject or withdraw",
    responses=_problems(*_NEEDS_SCOPE, "unknown-change", "conflict", "wrong-media-type"),
)
def decide(
    workspace: OpenWorkspace,
    change: Annotated[str, Path(min_length=1, max_length=200, description="Id of a price change.", examples=["h7"])],
    decision: _Decision,
    caller: Annotated[Caller, Security(authorised, scopes=["approve"])],
) -> DecidedChanges:
    """Record a decision about a price change; needs a token with the scope approve.

    The kill switch of every store needs the scope propose, too.
    """
    terms = next((found.terms for found in changes_named(workspace.lake, [change])), None)
    if terms is None:
        raise Problem(
            "unknown-change",
            f"expected the id of a price change, found {change!r}; nothing was changed: /v1/price-changes lists them",
        )
    _refuse_switching_all(terms.kind, terms.store, caller)
    caller.refuse_other_store(terms.store)
    changes = deciding.decide(workspace, [change], decision.event, str(caller.name), decision.reason)
    return DecidedChanges(changes=rows_of(workspace, changes))


def _refuse_switching_all(kind: Kind, store: str | None, caller: Caller) -> None:
    """Refuse to turn the kill switch of every store on, or off, without both scopes."""
    if kind == "kill_switch" and store is None:
        for scope in ("propose", "approve"):
            refuse_without(scope, caller.scopes)


def _price_request(workspace: Workspace, body: PriceChangeBody) -> asking.PriceRequest:
    """Return a price change as the desk takes it; times without a zone are local times of the store."""
    store, fields = workspace.catalog.store, body.model_dump()
    _refuse_unknown("product", body.sku, workspace.catalog.skus, "of the shelf")
    _refuse_unknown("store", body.store, store.stores, "of this catalog")
    clock = store.clock_of(body.store)
    for name in ("valid_from", "valid_until"):
        if fields[name] is not None:
            fields[name] = clock.moment_of_person(fields[name])
    return asking.PriceRequest(ignore_conflicts=fields.pop("anyway"), **fields)


def _refuse_unknown(what: str, name: str | None, names: Sequence[str], where: str) -> None:
    if name is not None and name not in names:
        raise Problem(
            f"unknown-{what}",
            f"expected a {what} {where}, such as {names[0]}, found {name!r}; nothing was recorded: ask for another",
        )
