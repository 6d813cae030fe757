"""What the OpenAPI document says of each operation: summaries, parameters, bodies, answers and problems, by example."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from pydantic import TypeAdapter

from connect.api.problems import KINDS, MEDIA_TYPE, PAGE
from connect.api.questions import FIELDS, MOST_QUESTIONS, REQUIRED, Field
from serving.quote import Answer

_JSON = "application/json"
_EXAMPLES: Mapping[str, Any] = {
    "store": "S01",
    "sku": "MILK",
    "stock": 8,
    "ticks_left": 12,
    "shown": 1.35,
    "opening": 1.35,
}
_QUESTION = {"sku": "MILK", "stock": 8}
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
_EVERYWHERE = ("unreadable", "unknown-token", "foreign-site", "too-large", "too-many-requests", "failed")


def problem_example(name: str) -> dict[str, Any]:
    """Return a problem of a kind, as it is sent."""
    kind = KINDS[name]
    return {"type": f"{PAGE}#{name}", "title": kind.title, "status": kind.status, "detail": kind.example}


def problems(*names: str) -> dict[int | str, dict[str, Any]]:
    """Return what an operation may answer instead, by status: the kinds named, and those of every operation."""
    found: dict[int | str, dict[str, Any]] = {}
    for name in (*_EVERYWHERE, *names):
        kind = KINDS[name]
        said = found.setdefault(
            kind.status,
            {
                "description": HTTPStatus(kind.status).phrase,
                "content": {MEDIA_TYPE: {"schema": _ref("Problem"), "examples": {}}},
            },
        )
        said["content"][MEDIA_TYPE]["examples"][name] = {"summary": kind.title, "value": problem_example(name)}
    return found


def schemas() -> dict[str, Any]:
    """Return the shapes of questions, quotes and problems."""
    quote = TypeAdapter(Answer).json_schema()
    quote["description"] = "A price with everything that led to it: what `shelfprice quote --json` prints."
    quote["properties"]["passed_over"] = {
        "type": "array",
        "items": {"type": "string", "format": "date"},
        "description": "Dates of damaged books that are newer than the one in force; left out where there are none.",
    }
    texts = {"title": "Title of the kind", "detail": "Expected, found, what happens now, what to do"}
    return {
        "Quote": quote,
        "Question": {
            "type": "object",
            "required": list(REQUIRED),
            "properties": {name: _may_be_null(field) for name, field in FIELDS.items()},
            "additionalProperties": False,
            "example": _QUESTION,
        },
        "Problem": {
            "type": "object",
            "description": "A problem (RFC 9457).",
            "required": ["type", "title", "status", "detail"],
            "properties": {
                "type": {"type": "string", "format": "uri-reference", "description": "Kind of the problem"},
                "status": {"type": "integer", "minimum": 400, "maximum": 599},
                **{name: {"type": "string", "description": said} for name, said in texts.items()},
            },
        },
        "Health": {
            "type": "object",
            "required": ["status", "made_for", "policy", "model_version", "catalog", "problem"],
            "properties": {
                "status": {"type": "string", "enum": ["ready", "no price book", "lake unreadable"]},
                **{
                    name: {"type": ["string", "null"]}
                    for name in ("made_for", "policy", "model_version", "catalog", "problem")
                },
            },
        },
    }


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _shape(field: Field) -> dict[str, Any]:
    if field.kind is str:
        return {"type": "string", "minLength": int(field.lowest), "maxLength": int(field.highest)}
    kind = {int: "integer", float: "number"}[field.kind]
    return {"type": kind, "minimum": field.lowest, "maximum": field.highest}


def _may_be_null(field: Field) -> dict[str, Any]:
    shape = _shape(field)
    null = {} if field.name in REQUIRED else {"type": [shape["type"], "null"]}
    return {**shape, **null, "description": field.said, "examples": [_EXAMPLES[field.name]]}


_PARAMETERS = [
    {
        "name": name,
        "in": "query",
        "required": name in REQUIRED,
        "description": field.said,
        "schema": _shape(field),
        "example": _EXAMPLES[name],
    }
    for name, field in FIELDS.items()
    if name != "store"
] + [
    {
        "name": "store",
        "in": "query",
        "required": False,
        "description": FIELDS["store"].said,
        "schema": _shape(FIELDS["store"]),
        "examples": {"S01": {"summary": "One store", "value": "S01"}},
    }
]
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of an answer that is at hand: while it is still right, the answer is 304 without a body.",
    "schema": {"type": "string"},
    "example": '"0f343b0931126a20f133d67c2b018a3b"',
}
_ETAG = {
    "ETag": {
        "description": "Another one whenever the book, the catalog, or what is sold or ordered is another one.",
        "schema": {"type": "string"},
        "example": '"0f343b0931126a20f133d67c2b018a3b"',
    }
}
_OPEN = [{}, {"token": []}]  # type: ignore[var-annotated] # a token may be sent, and need not be

ONE_QUOTE: dict[str, Any] = {
    "operation_id": "quote",
    "summary": "Price one product at a stock level",
    "description": "A look-up in the price book in force, under the guardrails: the same bytes as `shelfprice quote "
    "--json` prints for the same question.",
    "responses": {
        200: {
            "description": "The quote",
            "headers": _ETAG,
            "content": {_JSON: {"schema": _ref("Quote"), "example": _QUOTE}},
        },
        304: {"description": "The answer at hand is still right", "headers": _ETAG},
        **problems("unknown-product", "unknown-store", "conflict", "not-valid", "no-price-book", "lake-unreadable"),
    },
    "openapi_extra": {"parameters": [*_PARAMETERS, _IF_NONE_MATCH], "security": _OPEN},
}
QUOTES: dict[str, Any] = {
    "operation_id": "quotes",
    "summary": f"Price up to {MOST_QUESTIONS:,} products at once",
    "description": "Answers stand in the order of the questions. A question that cannot be answered has its problem in "
    "its place; the others are answered.",
    "responses": {
        200: {
            "description": "A quote or a problem for each question",
            "content": {
                _JSON: {
                    "schema": {"type": "array", "items": {"anyOf": [_ref("Quote"), _ref("Problem")]}},
                    "example": [_QUOTE, problem_example("unknown-product")],
                }
            },
        },
        **problems("wrong-media-type", "not-valid", "lake-unreadable"),
    },
    "openapi_extra": {
        "requestBody": {
            "required": True,
            "description": "The questions",
            "content": {
                _JSON: {
                    "schema": {"type": "array", "items": _ref("Question"), "maxItems": MOST_QUESTIONS},
                    "example": [_QUESTION, {"sku": "EGGS", "stock": 3, "ticks_left": 4, "shown": 2.49}],
                }
            },
        },
        "security": _OPEN,
    },
}
HEALTH: dict[str, Any] = {
    "operation_id": "health",
    "summary": "Which prices are answered",
    "description": "Answers 200 whenever the server runs; `status` says whether it has prices.",
    "responses": {
        200: {
            "description": "How it is",
            "content": {
                _JSON: {
                    "schema": _ref("Health"),
                    "example": {
                        "status": "ready",
                        "made_for": "2026-03-02",
                        "policy": "stock_aware",
                        "model_version": "7",
                        "catalog": "5d41402abc4b2a76b9719d911017c592",
                        "problem": None,
                    },
                }
            },
        },
        **problems(),
    },
    "openapi_extra": {"security": _OPEN},
}
