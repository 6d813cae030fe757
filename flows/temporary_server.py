"""A Prefect server for one command, where none is configured and none runs.

Prefect would start one itself, but only after it was imported, and under load it was seen to stay for good after the
command had ended. This one starts first of all, so that it gets ready on another core while the command imports what it
needs. It wants a credential, and it ends with the command, see `catalog.child_process`.

Whether the services that a command needs are there is asked before anything slow, by a knock of seconds at each:
Prefect and MLflow would wait for minutes. Neither is imported here.
"""

import os
import re
import socket
import sys
import time
import urllib.request
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException

from catalog.addresses import KnockResult, knock, refuse_absent_registry, without_login
from catalog.child_process import ChildProcess
from catalog.errors import ServiceError
from catalog.front_door import LOOPBACK_NAMES
from catalog.settings import Settings
from catalog.wings import needed
from warehouse.files import prefect_credential
from warehouse.services import refuse_unusable, sqlite_file

_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND = 401, 403, 404


def refuse_absent_services(settings: Settings, *, uses_registry: bool, uses_prefect: bool = True) -> None:
    """Refuse work for which a service is away, within seconds.

    Raises
    ------
    ModelError
        When the model registry is away.
    ServiceError
        When Prefect or PostgreSQL is, or a database file of either cannot be used.
    """
    refuse_absent_database(settings)
    api = os.environ.get("PREFECT_API_URL")
    if uses_prefect and api:
        _refuse_absent_prefect(api)
    elif uses_prefect and settings.database is None:
        refuse_unusable(settings.prefect_home / "prefect.db", "move it away: Prefect then begins a new one")
    if uses_registry:
        refuse_absent_registry(settings.tracking_uri)
        file = sqlite_file(settings.tracking_uri)
        if file is not None:
            refuse_unusable(file, "mend it, or set MLFLOW_TRACKING_URI to another registry")


def refuse_absent_database(settings: Settings) -> None:
    """Refuse work for which the database that the settings name is away.

    Raises
    ------
    ServiceError
        When it is.
    """
    if settings.database is not None:
        needed("database", "SHELFPRICE_DATABASE").refuse_absent_database(settings.database)


def _refuse_absent_prefect(api: str) -> None:
    answer, where = knock(f"{api.rstrip('/')}/health", prefect_credential(os.environ)), without_login(api)
    if answer.status in {_UNAUTHORIZED, _FORBIDDEN}:
        raise ServiceError(
            f"Prefect at {where} wants a credential ({answer.problem}); nothing was done and old prices hold: set "
            "PREFECT_API_AUTH_STRING to its user:password, or unset PREFECT_API_URL to run without it"
        )
    if not answer.is_good or _is_another(answer):
        found = "something else answers there" if _is_another(answer) else answer.problem
        raise ServiceError(
            f"expected Prefect at {where}, found: {found}; nothing was done and old prices hold: start it with "
            "`shelfprice up`, or unset PREFECT_API_URL to run without it"
        )


def _is_another(answer: KnockResult) -> bool:
    """Tell whether what answers is not Prefect; its cloud has no such page, and is known by its key."""
    return answer.status == _NOT_FOUND and not os.environ.get("PREFECT_API_KEY")


_START_TIMEOUT = 300.0  # seconds; the machine may be busy
_SAY_EVERY = 10.0  # seconds
_POLL_INTERVAL = 0.05  # seconds
_END_TIMEOUT = 1.0  # seconds
_BACKLOG = 128
_LONGEST, _LINES_KEPT = 200, 200  # characters of a line, and lines
_NAMES_AN_ERROR = re.compile(r"[\w.]*(Error|Exception)\b")
_ENVIRONMENT = {"PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1"}
"""As Prefect starts its own: neither its pages nor its background services are needed."""


@dataclass(frozen=True)
class TemporaryServer:
    """A server that was started; `api` is the address of its API, `said` what it complained of, line by line."""

    api: str
    process: ChildProcess
    said: deque[str]

    def wait_until_ready(self, say: Callable[[str], None] = lambda _: None) -> None:
        """Return when it answers.

        Parameters
        ----------
        say
            Told now and then that it is still starting.

        Raises
        ------
        ServiceError
            When it exits or does not answer in time.
        """
        start = time.monotonic()
        say_at = start + _SAY_EVERY
        while not _answers(f"{self.api}/health"):
            code, now = self.process.poll(), time.monotonic()
            if code is not None or now - start > _START_TIMEOUT:
                why = f"exited with code {code}" if code is not None else f"no answer within {_START_TIMEOUT:.0f} s"
                raise ServiceError(
                    f"Prefect's temporary server at {self.api}: {why}{self._last_error()}; nothing was run: see that "
                    "there is space and memory, and try again"
                )
            if now > say_at:
                say(f"Prefect is still starting, {now - start:.0f} s so far: this machine is busy")
                say_at = now + _SAY_EVERY
            time.sleep(_POLL_INTERVAL)

    def _last_error(self) -> str:
        """Return the last line that names an error, or else the last line."""
        lines = [line.strip() for line in tuple(self.said) if line.strip()]
        named = [line for line in lines if _NAMES_AN_ERROR.match(line)]
        return f", it said {(named or lines)[-1][:_LONGEST]!r}" if lines else ""


@contextmanager
def temporary_server(login: str, database: Mapping[str, str] | None = None) -> Iterator[TemporaryServer]:
    """Start a server with the environment of this process; it is stopped in the end. It may not be ready yet.

    Parameters
    ----------
    login
        `user:password`, which its clients must give.
    database
        Environment that tells it of a database; by default it has a file of its own.
    """
    said = deque[str](maxlen=_LINES_KEPT)
    with socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG) as listening:
        api = f"http://127.0.0.1:{listening.getsockname()[1]}/api"
        environment = {**_ENVIRONMENT, **(database or {}), "PREFECT_SERVER_API_AUTH_STRING": login}
        process = ChildProcess(_command(listening.fileno()), environment, said.append, (listening.fileno(),))
    # The socket is the server's alone now, so that nobody waits at it for one that has ended.
    try:
        yield TemporaryServer(api, process, said)
    finally:
        process.end(_END_TIMEOUT)  # its database bears to be killed


def _command(descriptor: int) -> tuple[str, ...]:
    options = ("--socket", str(descriptor), "--names", ",".join(LOOPBACK_NAMES))
    return (sys.executable, "-m", "flows.prefect_server", *options)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - the address is our own
            return True
    except (OSError, HTTPException):
        return False
