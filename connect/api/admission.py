"""Who asks, how often, and how much: settled before a request reaches the application.

A request without a token may read, where the server is open to its own machine alone. One with a token that is not
known is refused, not taken for one without. Bodies are taken in whole up to a limit, whether their length is told or
they come in pieces.
"""

import math
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from catalog.errors import ServiceError
from catalog.front_door import Application, Receive, Send
from catalog.front_door import Scope as Connection
from connect.api.problems import Problem, problem_of, send_problem
from connect.api.rates import Rates
from connect.api.tokens import Scope, TokenBook

MOST_BYTES = 2 * 1024 * 1024
"""Of a body."""
_DRAINED = 16 * MOST_BYTES  # of a body that is too large, so that its sender hears the answer
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="Shelfprice"'}
_CALLER = "shelfprice.caller"


@dataclass(frozen=True)
class Caller:
    """Who asks: the name of a token, None without one, what it opens, and the address that the request came from."""

    name: str | None
    scopes: tuple[Scope, ...]
    host: str


class _LeftError(Exception):
    """Who asked has left before the request was whole: what there is of it is not what was meant."""


class Admission:
    """An ASGI application that settles these, answers refusals itself, and hands everything else to another one."""

    def __init__(self, application: Application, tokens: TokenBook, rates: Rates, *, anyone_reads: bool = True) -> None:
        self._application, self._tokens, self._rates = application, tokens, rates
        self._anyone_reads = anyone_reads

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it with a problem."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        try:
            scope[_CALLER] = self._caller(scope)
            if any(name in {b"content-length", b"transfer-encoding"} for name, _ in scope["headers"]):
                receive = await _whole(scope, receive)
        except _LeftError:
            return
        except (Problem, ServiceError) as refusal:
            await send_problem(send, problem_of(refusal))
            return
        await self._application(scope, receive, send)

    def _caller(self, scope: Connection) -> Caller:
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        host = str((scope.get("client") or ("unknown",))[0])
        if not given:
            self._count(host)
            if not self._anyone_reads:
                raise Problem(
                    "unknown-token",
                    "expected a token, for others can reach this server, found none; nothing was done: send one that "
                    "`shelfprice token add NAME` printed",
                    _CHALLENGE,
                )
            return Caller(None, ("read",), host)
        kind, _, text = given[0].partition(b" ")
        token = None
        if len(given) == 1 and kind.lower() == b"bearer":
            token = self._tokens.find(text.strip().decode("latin-1"))
        self._count(f"token {token.name}" if token else host)
        if token is None:
            raise Problem(
                "unknown-token",
                "expected a token of this server, found another; nothing was done: make one with `shelfprice token "
                "add`, or leave the header out to read",
                {"WWW-Authenticate": f'{_CHALLENGE["WWW-Authenticate"]}, error="invalid_token"'},
            )
        return Caller(token.name, token.scopes, host)

    def _count(self, client: str) -> None:
        wait = self._rates.wait(client)
        if wait > 0:
            raise Problem(
                "too-many-requests",
                f"expected at most {self._rates.per_second} requests a second from {client}, found more; nothing was "
                "done: wait as long as Retry-After says",
                {"Retry-After": str(math.ceil(wait))},
            )


def caller_of(request: Request) -> Caller:
    """Return who asks."""
    caller: Caller = request.scope[_CALLER]
    return caller


_bearer = HTTPBearer(auto_error=False, scheme_name="token", description="A token that `shelfprice token add` printed.")


def requires(scope: Scope) -> Callable[..., Awaitable[Caller]]:
    """Return a dependency that lets in who has a scope, and hands over who that is.

    Raises
    ------
    Problem
        Of the dependency: when the request has no token, or one that lacks the scope.
    """

    async def caller(
        request: Request,
        _: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    ) -> Caller:
        found = caller_of(request)
        if found.name is None:
            raise Problem(
                "unknown-token",
                f"expected a token with the scope {scope}, found none; nothing was done: send one that `shelfprice "
                f"token add NAME --scope {scope}` printed",
                _CHALLENGE,
            )
        refuse_without(scope, found.scopes)
        return found

    return caller


def refuse_without(scope: Scope, scopes: Collection[Scope]) -> None:
    """Refuse a token that lacks a scope.

    Raises
    ------
    Problem
        When it does.
    """
    if scope != "read" and scope not in scopes:
        raise Problem(
            "missing-scope",
            f"expected a token with the scope {scope}, found one with {', '.join(scopes) or 'none'}; nothing was done: "
            "add a token that has it",
            {"WWW-Authenticate": f'{_CHALLENGE["WWW-Authenticate"]}, error="insufficient_scope", scope="{scope}"'},
        )


async def _whole(scope: Connection, receive: Receive) -> Receive:
    """Take in the whole body; return what hands it over.

    Raises
    ------
    Problem
        When it is too large. What is left of it is read, within reason, so that its sender hears that.
    _LeftError
        When its sender leaves before it is whole.
    """
    told = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    parts: list[bytes] = []
    size, is_over = 0, told.isdigit() and int(told) > MOST_BYTES
    if told.isdigit() and int(told) > _DRAINED:
        raise _too_large()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise _LeftError
        part = message.get("body", b"")
        size += len(part)
        is_over = is_over or size > MOST_BYTES
        if is_over:
            parts.clear()
        else:
            parts.append(part)
        if size > _DRAINED or not message.get("more_body", False):
            break
    if is_over:
        raise _too_large()
    message_left: list[MutableMapping[str, Any]] = [
        {"type": "http.request", "body": b"".join(parts), "more_body": False}
    ]

    async def hand_over() -> MutableMapping[str, Any]:
        return message_left.pop() if message_left else await receive()

    return hand_over


def _too_large() -> Problem:
    return Problem(
        "too-large",
        f"expected a body of at most {MOST_BYTES:,} bytes, found more; nothing was done: send fewer questions at once",
        {"Connection": "close"},
    )
