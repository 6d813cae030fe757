"""JSON as the command line and the quote API write it: one definition, so that both give the same bytes."""

import json
import math
from typing import Any

_PLAIN = (str, int, type(None))  # `bool` is an `int`
_ENCODER = json.JSONEncoder(default=str, ensure_ascii=False, allow_nan=False)


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
