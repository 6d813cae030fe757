"""Clients: which client asks, what its token permits, how often it asks, and how much it sends.

Without a token a client may read, where the server listens on loopback. An unknown token is refused even for reading.
"""

import asyncio
import math
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from catalog.errors import ServiceError
from plugins.connect.api.api_tokens import MAY, Scope, TokenBook
from plugins.connect.api.front_door import Application, Receive, Send
from plugins.connect.api.front_door import Scope as Connection
from plugins.connect.api.problems import Problem, problem_of

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="Shelfprice"'}
_MOST_CLIENTS = 10_000
MOST_BYTES = 8 * 1024 * 1024
"""Of a body."""
_MOST_READ = 4 * MOST_BYTES  # of a body that is too large: its sender reads no answer before it has sent all
_WHOLE_WITHIN = 30.0  # seconds, for a body
_SCOPES = "; ".join(f"`{scope}` may {what}" for scope, what in MAY.items())
_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    description="`shelfprice token add NAME --scope SCOPE` prints a token once; send it as "
    "`Authorization: Bearer TOKEN`. Where others can reach the server, reading needs one, too. "
    f"Scopes: {_SCOPES}.",
)


@dataclass(frozen=True)
class Caller:
    """The client of a request: the name of its token, None without one, its scopes, and its stores; None is all."""

    name: str | None
    scopes: tuple[Scope, ...]
    stores: tuple[str, ...] | None = None

    def own_places(self, items: Sequence[Any], field: str) -> list[int]:
        """Return the places of items of the token's stores; one without a store is among them, and refused as such."""
        values = [item.get(field) if isinstance(item, dict) else None for item in items]
        return [
            place
            for place, store in enumerate(values)
            if self.stores is None or store is None or str(store) in self.stores
        ]

    def refuse_other_store(self, store: str | None) -> None:
        """Refuse a request about a store that the token does not open, or about every store.

        Raises
        ------
        Problem
            When the token is bound to other stores.
        """
        if self.stores is not None and store not in self.stores:
            wanted = "none, which is every store" if store is None else repr(store[:80])
            raise Problem(
                "other-store",
                f"expected a store of the token {self.name}, which opens {', '.join(self.stores)}, found {wanted}; "
                "nothing was done: name a store of this token, or add a token with another --store",
            )


class RateLimit:
    """Admits requests by client: a bucket for each, which fills at a steady rate and holds a second's worth.

    Parameters
    ----------
    per_second
        Requests a second of one client in the long run, and at once after a pause.
    clock
        Seconds on a clock that never goes back.
    """

    def __init__(self, per_second: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_second, self._clock = per_second, clock
        self._full_at: dict[str, float] = {}  # when each bucket will be full again; a full one is forgotten

    def wait(self, client: str) -> float:
        """Count one request; return 0 when it is admitted, else the seconds after which the next one will be."""
        now = self._clock()
        full_at = max(self._full_at.get(client, now), now) + 1 / self.per_second
        too_early = full_at - now - 1.0  # the bucket holds what one second brings
        if too_early > 1e-9:  # noqa: PLR2004 - seconds, of decimals kept as binary
            return too_early
        if len(self._full_at) >= _MOST_CLIENTS and client not in self._full_at:  # forget those that are fullest
            in_use = sorted((full_at, client) for client, full_at in self._full_at.items() if full_at > now)
            self._full_at = {client: full_at for full_at, client in in_use[-_MOST_CLIENTS // 2 :]}
        self._full_at[client] = full_at
        return 0.0


class ClientAdmission:
    """ASGI middleware that identifies the client, and limits its rate and its bodies; refusals are problems."""

    def __init__(
        self, application: Application, tokens: TokenBook, rate_limit: RateLimit, *, anyone_reads: bool = True
    ) -> None:
        self._application, self._tokens, self._rate_limit = application, tokens, rate_limit
        self._anyone_reads = anyone_reads

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it with a problem."""
        if scope["type"] == "http":
            try:
                scope["user"] = self._caller(scope)
            except (Problem, ServiceError) as refusal:
                await problem_of(refusal).response()(scope, receive, send)
                return
            receive = _limited(receive)
        await self._application(scope, receive, send)

    def _caller(self, scope: Connection) -> Caller:
        credentials = [value for name, value in scope["headers"] if name == b"authorization"]
        host = str((scope.get("client") or ("unknown",))[0])
        if not credentials:
            self._count(host)
            if not self._anyone_reads:
                raise Problem(
                    "unknown-token",
                    "expected a token, for others can reach this server, found none; nothing was done: send one that "
                    "`shelfprice token add NAME` printed",
                    CHALLENGE,
                )
            return Caller(None, ("read",))
        kind, _, text = credentials[0].partition(b" ")
        is_bearer = len(credentials) == 1 and kind.lower() == b"bearer"
        token = self._tokens.find(text.strip().decode("latin-1")) if is_bearer else None
        self._count(f"token {token.name}" if token else host)
        if token is None:
            raise Problem(
                "unknown-token",
                "expected a token of this server, found another; nothing was done: make one with `shelfprice token "
                "add`, or leave the header out to read",
                _challenge("invalid_token"),
            )
        return Caller(token.name, token.scopes, token.stores)

    def _count(self, client: str) -> None:
        wait = self._rate_limit.wait(client)
        if wait > 0:
            raise Problem(
                "too-many-requests",
                f"expected at most {self._rate_limit.per_second} requests a second from {client}, found more; nothing "
                "was done: wait as long as Retry-After says",
                {"Retry-After": str(math.ceil(wait))},
            )


def _limited(receive: Receive) -> Receive:
    """Return what receives a body, and refuses one that is too large or too slow."""
    size, until = 0, time.monotonic() + _WHOLE_WITHIN

    async def received() -> Connection:
        nonlocal size
        while True:
            try:
                message = await asyncio.wait_for(receive(), until - time.monotonic())
            except TimeoutError:
                expected = f"expected the whole body within {_WHOLE_WITHIN:.0f} s, found a part"
                closing = {"Connection": "close"}
                raise Problem("unreadable", f"{expected}; nothing was done: send it again", closing) from None
            size += len(message.get("body", b""))
            if size <= MOST_BYTES:
                return message
            if size > _MOST_READ or not message.get("more_body"):
                too_much = f"expected a body of at most {MOST_BYTES:,} bytes, found more"
                raise Problem("too-large", f"{too_much}; nothing was done: send less at once")

    return received


async def authorised(
    request: Request, needed: SecurityScopes, _: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Caller:
    """Return the client of a request whose token has the scopes that a route declares by `Security`.

    Raises
    ------
    Problem
        When the request has no token, or one that lacks a scope.
    """
    caller: Caller = request.user
    for scope in needed.scopes:
        if caller.name is None:
            raise Problem(
                "unknown-token",
                f"expected a token with the scope {scope}, found none; nothing was done: send one that `shelfprice "
                f"token add NAME --scope {scope}` printed",
                CHALLENGE,
            )
        refuse_without(scope, caller.scopes)
    return caller


def refuse_without(scope: str, scopes: Collection[str]) -> None:
    """Refuse a token that lacks a scope; every token may read.

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
            _challenge("insufficient_scope", f', scope="{scope}"'),
        )


def _challenge(error: str, more: str = "") -> dict[str, str]:
    return {"WWW-Authenticate": f'{CHALLENGE["WWW-Authenticate"]}, error="{error}"{more}'}
