"""What stands in front of a server that was not made to meet web pages: it lets no other site in.

A browser hands a page's requests to any address of this machine, also when the page came from elsewhere. Two headers
tell: `Host` names the site that the browser believes to be at, and `Origin` the one whose page asks. Both must be the
server's own. So neither a name that was mapped to 127.0.0.1 (DNS rebinding) nor a page on another port gets an answer.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
"""Names of this machine for itself."""

_PLACE = re.compile(r"(\[[0-9a-f:]+\]|[^:\[\]]+)(?::([0-9]{1,5}))?")
_FOREIGN_SITES = {"cross-site", "same-site"}  # of the header Sec-Fetch-Site
_VIOLATES_POLICY = 1008  # why a websocket is closed, RFC 6455


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
    """

    def __init__(self, application: Application, names: Iterable[str], closed: Iterable[str] = ()) -> None:
        self._application = application
        self._names = frozenset(name.lower() for name in names)
        self._closed = tuple(closed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it with one sentence."""
        why = self._refusal(scope) if scope["type"] in {"http", "websocket"} else None
        if why is None:
            await self._application(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": _VIOLATES_POLICY, "reason": why})
        else:
            body = f"{why}\n".encode()
            headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": body})

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
