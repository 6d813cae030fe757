"""Bodies of requests that record something: JSON in which each field of an object stands once.

A parser that takes the last of two prices, behind a gateway that looked at the first, records what nobody checked.
"""

import json
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute

_UNREADABLE = 400
_SHOWN = 80  # characters of a name


class _StrictRequest(Request):
    async def json(self) -> Any:
        try:
            return json.loads(await self.body(), object_pairs_hook=_each_once)
        except json.JSONDecodeError:
            raise  # the framework's own problem
        except (ValueError, RecursionError) as error:
            said = "expected JSON in UTF-8 of sensible depth and size, found another body; nothing was done: send less"
            raise HTTPException(_UNREADABLE, said) from error


class StrictRoute(APIRoute):
    """A route whose body is read so."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request."""
        answer = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            return await answer(_StrictRequest(request.scope, request.receive))

        return strictly


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        again = next(name for name, count in counts.items() if count > 1)
        said = f"expected each field once, found {again[:_SHOWN]!r} again; nothing was done: send it once"
        raise HTTPException(_UNREADABLE, said)
    return found
