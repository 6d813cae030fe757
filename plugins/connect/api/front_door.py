"""What stands in front of a server that was not made to meet web pages: it lets no other site in.

A browser hands a page's requests to any address of this machine, also when the page came from elsewhere. Two headers
tell: `Host` names the site that the browser believes to be at, and `Origin` the one whose page asks. Both must be the
server's own. So neither a name that was mapped to 127.0.0.1 (DNS rebinding) nor a page on another port gets an answer.
"""

import base64
import hmac
import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = Iterable[tuple[bytes, bytes]]
Refuse = Callable[[Scope, Send, str, int], Awaitable[None]]

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
"""Names of this machine for itself."""

_PLACE = re.compile(r"(\[[0-9a-f:]+\]|[^:\[\]]+)(?::([0-9]{1,5}))?")
_FOREIGN_SITES = {"cross-site", "same-site"}  # of the header Sec-Fetch-Site
_VIOLATES_POLICY = 1008  # why a websocket is closed, RFC 6455
_UNAUTHORIZED, _FORBIDDEN = 401, 403
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
"""Pages that are not ours run scripts of their own kind, but load nothing from and tell nothing to another host."""
_HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    (b"referrer-policy", b"same-origin"),
    (b"x-content-type-options", b"nosniff"),
)


class FrontDoor:
    """An ASGI application that refuses what comes from elsewhere, and hands everything else to another one.

    Parameters
    ----------
    application
        The server behind the door.
    names
        Host names that are its own, without a port.
    closed
        Beginnings of paths that nobody may ask for.
    login
        `user:password` that is asked for, as HTTP's basic authentication; None for a server that asks itself.
    open_to_all
        Paths that are answered without it.
    headers
        Sent with every answer; by default those for pages that are not ours.
    refuse
        Tells a request why it is refused, by a sentence and a status; by default as plain text.
    """

    def __init__(
        self,
        application: Application,
        names: Iterable[str],
        closed: Iterable[str] = (),
        *,
        login: str | None = None,
        open_to_all: Iterable[str] = (),
        headers: Headers = _HEADERS,
        refuse: Refuse | None = None,
    ) -> None:
        self._application = application
        self._names = frozenset(name.lower() for name in names)
        self._closed = tuple(closed)
        self._login = login
        self._open_to_all = frozenset(open_to_all)
        self._headers, self._refuse = tuple(headers), refuse or _refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it with one sentence."""
        if scope["type"] not in {"http", "websocket"}:
            await self._application(scope, receive, send)
            return
        why, status = self._refusal(scope), _FORBIDDEN
        if why is None and not self._admits(scope):
            why, status = "This server wants its user and password.", _UNAUTHORIZED
        if why is not None:
            await self._refuse(scope, send, why, status)
        elif scope["type"] == "http":
            await self._application(scope, receive, _with_headers(send, self._headers))
        else:
            await self._application(scope, receive, send)

    def _refusal(self, scope: Scope) -> str | None:
        """Say why a request is refused; None when it is not."""
        hosts = [self._port_at_own_name(host) for host in _values(scope, b"host")]
        if len(hosts) != 1 or hosts[0] is None:
            return f"This server answers to {', '.join(sorted(self._names))} alone; the request named another host."
        pages = [self._port_at_own_name(origin.partition("://")[2]) for origin in _values(scope, b"origin")]
        if any(port != hosts[0] for port in pages):  # the page may have been opened by another of the server's names
            return "This request comes from a page of another site and is refused."
        if self._is_embedded_elsewhere(scope):
            return "This request comes from a page of another site and is refused."
        if any(str(scope["path"]).startswith(beginning) for beginning in self._closed):
            return "This part of the server is switched off."
        return None

    def _admits(self, scope: Scope) -> bool:
        """Tell whether the credential is right, or none is wanted; one that is no text is always wrong."""
        given = [_decoded(value) for name, value in scope["headers"] if name.lower() == b"authorization"]
        if self._login is None or scope["path"] in self._open_to_all:
            return all(login is not None for login in given)
        return len(given) == 1 and given[0] is not None and hmac.compare_digest(given[0], self._login)

    def _port_at_own_name(self, place: str) -> str | None:
        """Return the port of a `host:port`, empty where it names none; None when the host is not one of our own."""
        parts = _PLACE.fullmatch(place)
        return parts[2] or "" if parts and parts[1] in self._names else None

    def _is_embedded_elsewhere(self, scope: Scope) -> bool:
        """Tell whether another site's page loads this as its script or picture; following a link to here is fine."""
        if not _FOREIGN_SITES.intersection(_values(scope, b"sec-fetch-site")):
            return False
        return scope["type"] != "http" or scope["method"] != "GET" or _values(scope, b"sec-fetch-mode") != ["navigate"]


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1").strip().lower() for header, value in scope["headers"] if header.lower() == name]


def _decoded(value: bytes) -> str | None:
    """Return `user:password` of a header, empty for another scheme; None for what is no plain text."""
    scheme, _, rest = value.strip().partition(b" ")
    try:
        if scheme.lower() != b"basic":
            return ""
        return base64.b64decode(rest.strip(), validate=True).decode("ascii")
    except ValueError:
        return None


def _with_headers(send: Send, headers: Headers) -> Send:
    async def send_with_headers(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *headers]
        await send(message)

    return send_with_headers


async def _refuse(scope: Scope, send: Send, why: str, status: int) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": _VIOLATES_POLICY, "reason": why})
        return
    body = f"{why}\n".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    if status == _UNAUTHORIZED:
        headers.append((b"www-authenticate", b'Basic realm="Shelfprice"'))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
