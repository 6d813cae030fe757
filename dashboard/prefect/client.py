"""A client of Prefect's API that fails at once where nothing listens, and never takes longer than it was given."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from httpx import ReadTimeout, Request
from prefect.client.orchestration import SyncPrefectClient
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

Login = Callable[[], str | None]
_PORTS = {"http": 80, "https": 443}


@contextmanager
def client_within(seconds: float, api: str, login: Login = lambda: None) -> Iterator[SyncPrefectClient]:
    """Open a client whose requests together have some seconds; it tries nothing twice, since a page asks again soon.

    Parameters
    ----------
    login
        Finds the credential, `user:password`, where the environment names none.

    Raises
    ------
    OSError, httpx.HTTPError, prefect.exceptions.PrefectException
        When Prefect does not answer at the address `api`, or not in time.
    """
    _knock(api, seconds)
    settings: dict[str, Any] = _all_within(seconds)
    auth_string = PREFECT_API_AUTH_STRING.value() or login()
    with (
        temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}),
        SyncPrefectClient(api, auth_string=auth_string, httpx_settings=settings) as client,
    ):
        yield client


def _knock(api: str, seconds: float) -> None:
    """Fail at once where nothing listens: Prefect's own client would try again for a second and a half."""
    address = urlsplit(api)
    with socket.create_connection((address.hostname or "", address.port or _PORTS[address.scheme]), timeout=seconds):
        pass


def _all_within(seconds: float) -> dict[str, Any]:
    """Return client settings under which all requests together have some seconds."""
    end = monotonic() + seconds

    def allow_the_rest(request: Request) -> None:
        left = end - monotonic()
        if left <= 0:
            raise ReadTimeout("no time is left", request=request)
        request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), left)

    return {"timeout": seconds, "event_hooks": {"request": [allow_the_rest]}}
