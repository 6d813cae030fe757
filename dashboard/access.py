"""Who may open the monitor: this machine by default, trusted hosts only, and a password for anyone further away."""

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from flask import Flask, Response, has_request_context, request

from catalog.errors import Declined
from catalog.settings import ROLES, Role, Settings
from dashboard.listening import credential_for

_POLICY = (
    "default-src 'self'; script-src 'self'{scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
"""The browser itself refuses to speak to another host, and runs no script but our files and those that are named by
their hash. Styles may stand in the page: Mantine and Plotly place theirs there."""
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

_READS = {"GET", "HEAD", "OPTIONS"}
_FOREIGN_SITES = {"cross-site", "same-site"}  # of the header Sec-Fetch-Site; the latter is another port, or a sibling


@dataclass(frozen=True)
class Access:
    """Host names that are answered, and the user and password that are asked for; both None on this machine alone."""

    trusted_hosts: tuple[str, ...]
    user: str | None = None
    password: str | None = None

    @property
    def guarded(self) -> bool:
        """Whether a password is asked for."""
        return self.user is not None and self.password is not None

    def admits(self, user: str | None, password: str | None) -> bool:
        """Compare a credential in constant time."""
        if not self.guarded:
            return True
        right_user = hmac.compare_digest((user or "").encode(), (self.user or "").encode())
        right_password = hmac.compare_digest((password or "").encode(), (self.password or "").encode())
        return right_user & right_password


def access_to(host: str, settings: Settings) -> Access:
    """Decide who may come in when the monitor listens on `host`.

    Raises
    ------
    DataError
        When others could reach the host and no user and password are set.
    """
    user, password = credential_for(host, settings)
    allowed = () if host in {"0.0.0.0", "::"} else (host,)  # noqa: S104 - compared with, not bound to
    trusted = ("127.0.0.1", "localhost", "[::1]", *allowed, *settings.monitor_hosts)
    return Access(trusted, user, password)


def _is_of_another_site() -> bool:
    """Tell whether the page that asks is another site's; people may still follow a link from there to here."""
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    if origin is not None and origin.partition("://")[2] != request.host:
        return True
    follows_a_link = request.method in _READS and request.headers.get("Sec-Fetch-Mode") == "navigate"
    return site in _FOREIGN_SITES and not follows_a_link


def _says_where_it_is_from() -> bool:
    """Tell whether a request that may change something names our page as the one that asks.

    Browsers send `Origin` with every POST of a script, and `Sec-Fetch-Site` to this machine or over TLS. No page can
    leave out or choose either. Where both are missing a browser may be too old, so nobody can tell whose page it was.
    """
    return (
        request.method in _READS
        or "Origin" in request.headers
        or (request.headers.get("Sec-Fetch-Site") == "same-origin")
    )


def guard(server: Flask, access: Access, inline_scripts: Callable[[], Sequence[str]] = tuple) -> None:
    """Refuse foreign hosts and origins, ask for the credential, and keep the browser on this host.

    Parameters
    ----------
    inline_scripts
        Returns the hashes of the scripts that stand in the page itself, as a policy names them: `'sha256-...'`. It is
        asked once, after the first request: Dash adds some of its own then.
    """

    @cache
    def policy() -> str:
        return _POLICY.format(scripts="".join(f" {digest}" for digest in inline_scripts()))

    server.config["TRUSTED_HOSTS"] = list(access.trusted_hosts)

    @server.before_request
    def refuse_strangers() -> Response | None:
        if "Host" not in request.headers:
            return Response("The request names no host.\n", 400, mimetype="text/plain")
        if _is_of_another_site():
            return Response("This request comes from another site and is refused.\n", 403, mimetype="text/plain")
        if not _says_where_it_is_from():
            sentence = (
                "This request does not say that a page of the monitor makes it, as browsers do, and is refused.\n"
            )
            return Response(sentence, 403, mimetype="text/plain")
        login = request.authorization
        if access.admits(login.username if login else None, login.password if login else None):
            return None
        ask = {"WWW-Authenticate": 'Basic realm="Shelfprice monitor", charset="UTF-8"'}
        return Response("The monitor wants a user and a password.\n", 401, ask, mimetype="text/plain")

    @server.after_request
    def keep_the_browser_here(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = policy()
        response.headers.update(_HEADERS)
        return response


_NOBODY = "nobody"
_LONGEST = 200


@dataclass(frozen=True)
class Person:
    """Who asks, and in which role."""

    name: str
    role: Role

    def may(self, role: Role) -> bool:
        """Tell whether the person may do what a role may."""
        return ROLES.index(self.role) >= ROLES.index(role)


def person_asking(settings: Settings) -> Person:
    """Return who asks in the request at hand."""
    if settings.user_header is None or not has_request_context():
        return Person(settings.user, "admin")
    name = _as_text(request.headers.get(settings.user_header, "")).strip()[:_LONGEST] or _NOBODY
    roles = dict(settings.roles)
    return Person(name, roles.get(name, roles.get("*", "viewer")) if name != _NOBODY else "viewer")


def _as_text(header: str) -> str:
    """Return a header as its proxy wrote it: servers take its bytes for Latin-1, and proxies write UTF-8."""
    try:
        return header.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return header


def allowed(settings: Settings, role: Role) -> str:
    """Return the name of who asks, who may do what a role may.

    Raises
    ------
    Declined
        When they may not.
    """
    person = person_asking(settings)
    if not person.may(role):
        raise Declined(
            f"expected a person who is {role}, found {person.name}, who is {person.role}; nothing was changed: "
            "SHELFPRICE_ROLES says who is what"
        )
    return person.name


def refusal(settings: Settings, role: Role) -> str | None:
    """Return why who asks may not do what a role may; None when they may."""
    try:
        allowed(settings, role)
    except Declined as error:
        return str(error)
    return None
