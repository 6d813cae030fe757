"""Where services listen, and whether one answers: a knock takes seconds, whatever the server does.

A port may be closed, accept and say nothing, or drip a byte a second; a name may take minutes to look up. So the
question is asked in a thread that is left behind when its time is over.
"""

import base64
import http.client
import re
import socket
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

from catalog.errors import ModelError

_LOGIN = re.compile(r"(?<=://)[^/\s]*@")


@dataclass(frozen=True)
class Address:
    """Where a service listens, and the environment variable that says so."""

    host: str
    port: int
    setting: str

    @property
    def url(self) -> str:
        """The service's address for a browser on this machine."""
        return f"http://{self.host}:{self.port}"


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach a host name or address."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def without_login(text: str) -> str:
    """Return a text without the user and the password of any address in it."""
    return _LOGIN.sub("", text)


def is_free(host: str, port: int) -> bool:
    """Tell whether a server could listen there now: the port is not in use and the address is this machine's."""
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
    except OSError:
        return False
    return True


PATIENCE = 4.0
"""Seconds until a server that does not answer is away."""


@dataclass
class KnockResult:
    """What came back: an HTTP status, or why there is none."""

    status: int | None = None
    problem: str = "no answer"

    @property
    def is_good(self) -> bool:
        """Whether something that speaks HTTP answered, and not that it is broken."""
        return self.status is not None and self.status < 500  # noqa: PLR2004 - servers' own errors begin there


class _WithoutRedirection(urllib.request.HTTPRedirectHandler):
    """Take a redirection as the answer: a credential goes nowhere else."""

    def redirect_request(self, *_: Any) -> None:
        """Follow none."""


def knock(url: str, headers: Mapping[str, str] | None = None, patience: float | None = None) -> KnockResult:
    """Ask for a page once, and say within `patience` seconds, by default `PATIENCE`, what came of it.

    Parameters
    ----------
    url
        An address with http or https; a user and a password in it are sent as a credential.
    """
    patience = PATIENCE if patience is None else patience
    answer = KnockResult(problem=f"no answer within {patience:.0f} s")
    thread = Thread(
        target=_ask, args=(url, headers or {}, patience, answer), name=f"knock {without_login(url)}", daemon=True
    )
    thread.start()
    thread.join(patience)
    return KnockResult(answer.status, answer.problem)  # as it is now, whatever the thread still does


def _ask(url: str, headers: Mapping[str, str], patience: float, answer: KnockResult) -> None:
    try:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            answer.problem = "it is not an http or https URL"
            return
        request = urllib.request.Request(without_login(url), headers=dict(headers))  # noqa: S310 - the scheme was looked at
        if parts.username:
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            request.add_header("Authorization", "Basic " + base64.b64encode(login.encode()).decode())
        with urllib.request.build_opener(_WithoutRedirection()).open(request, timeout=patience) as response:
            answer.status = response.status
    except urllib.error.HTTPError as error:
        answer.status = error.code
        answer.problem = f"it answers {error.code} {error.reason}"
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        if not isinstance(reason, TimeoutError):
            answer.problem = str(getattr(reason, "strerror", None) or reason or type(error).__name__).lower()


def refuse_absent_registry(uri: str) -> None:
    """Refuse a model registry on a server that does not answer; one in a file is there.

    Its own client would wait for minutes.

    Raises
    ------
    ModelError
        When it does not.
    """
    if not uri.startswith(("http://", "https://")):
        return
    answer, where = knock(f"{uri.rstrip('/')}/health"), without_login(uri)
    if not answer.is_good:
        raise ModelError(
            f"the model registry at {where} does not answer as it should ({answer.problem}); old prices hold: start it "
            "with `shelfprice up`, or set MLFLOW_TRACKING_URI to where it is"
        )
