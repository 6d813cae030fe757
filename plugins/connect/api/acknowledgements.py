"""Acknowledgements over HTTP: tills and labels say what they show, with a token that opens nothing else."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Security
from pydantic import WithJsonSchema

from plugins.connect.api.clients import Caller, authorised
from plugins.connect.api.kept_desk import OpenWorkspace
from plugins.connect.api.problems import problem_responses
from plugins.connect.labels.acknowledge import MOST_AT_ONCE, AckMessage, AckResult, RefusedAck, acknowledge

_ONE = {"batch": "5f0c8d1e2a3b4c5d6e7f8091", "store": "S01", "device": "label", "at": "2026-01-19T09:15:04Z"}
_EXAMPLES: dict[str, Any] = {"one": {"summary": "A label follows", "value": [_ONE]}}
router = APIRouter(prefix="/v1", tags=["acknowledgements"])


@router.post(
    "/acknowledgements",
    operation_id="acknowledge",
    summary="Say what tills and labels show",
    responses=problem_responses("unknown-token", "missing-scope", "wrong-media-type", "not-valid", "lake-unreadable"),
)
def take(
    workspace: OpenWorkspace,
    messages: Annotated[
        list[Annotated[Any, WithJsonSchema(AckMessage.model_json_schema())]],
        Body(max_length=MOST_AT_ONCE, openapi_examples=_EXAMPLES),
    ],
    caller: Annotated[Caller, Security(authorised, scopes=["acknowledge"])],
) -> AckResult:
    """Record each acknowledgement that can be used, and say why the others cannot.

    Needs a token with the scope acknowledge. What was recorded before is recorded once.
    """
    mine = caller.own_places(messages, "store")
    taken = acknowledge(workspace, [messages[place] for place in mine], str(caller.name))
    why = f"store: expected one of the token's, {', '.join(caller.stores or ())}, found another"
    others = [RefusedAck(place, why) for place in sorted(set(range(len(messages))).difference(mine))]
    refused = [RefusedAck(mine[ack.position], ack.reason) for ack in taken.refused]
    return AckResult(taken.recorded, taken.known, tuple(sorted([*refused, *others], key=lambda ack: ack.position)))
