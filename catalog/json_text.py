"""JSON as the command line and the quote API write it: one definition, so that both give the same bytes."""

import json
import math
from collections import Counter
from typing import Any

_PLAIN = (str, int, type(None))  # `bool` is an `int`
_ENCODER = json.JSONEncoder(default=str, ensure_ascii=False, allow_nan=False)


def without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON from its fields, as the parser hands them over.

    Raises
    ------
    ValueError
        When one stands there twice: of two prices, nobody knows which was meant.
    """
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError(f"{Counter(name for name, _ in pairs).most_common(1)[0][0]!r} twice")
    return fields


def json_text(result: Any) -> str:
    """Return a result as JSON; a number that JSON does not have is null.

    Examples
    --------
    >>> json_text({"price": 1.5, "p_sale": float("nan")})
    '{"price": 1.5, "p_sale": null}'
    """
    return _ENCODER.encode(_in_json(result))


def _in_json(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, dict):
        return {name: _in_json(part) for name, part in value.items()}
    return [_in_json(part) for part in value] if isinstance(value, list | tuple) else value
