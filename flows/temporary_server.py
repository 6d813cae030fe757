"""A Prefect server for one command, where none is configured and none runs.

Prefect would start one itself, but only after it was imported, and under load it was seen to stay for good after the
command had ended. This one starts first of all, so that it gets ready on another core while the command imports what
it needs. It wants a credential, and it ends with the command, see `operate.up.prefect_server`.
"""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from tempfile import TemporaryFile
from typing import IO

from catalog.errors import ServiceError
from catalog.front_door import LOOPBACK_NAMES

_START_TIMEOUT = 300.0  # seconds; the machine may be busy
_SAY_EVERY = 10.0  # seconds
_POLL_INTERVAL = 0.05  # seconds
_END_TIMEOUT = 1.0  # seconds
_BACKLOG = 128
_LONGEST = 200  # characters
_NAMES_AN_ERROR = re.compile(r"[\w.]*(Error|Exception)\b")
_ENVIRONMENT = {"PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1"}
"""As Prefect starts its own: neither its pages nor its background services are needed."""


@dataclass(frozen=True)
class TemporaryServer:
    """A server that was started; `api` is the address of its API, `errors` the file of what it complained of."""

    api: str
    process: subprocess.Popen[bytes]
    errors: IO[bytes]

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
        self.errors.seek(0)
        lines = [line.strip() for line in self.errors.read().decode(errors="replace").splitlines() if line.strip()]
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
    with ExitStack() as stack:
        errors = stack.enter_context(TemporaryFile())
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG))
        process = subprocess.Popen(  # noqa: S603 - the command is our own
            _command(listening.fileno()),
            env={**os.environ, **_ENVIRONMENT, **(database or {}), "PREFECT_SERVER_API_AUTH_STRING": login},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
            pass_fds=[listening.fileno()],
        )
        stack.callback(_end, process)
        api = f"http://127.0.0.1:{listening.getsockname()[1]}/api"
        listening.close()  # it is the server's alone, so that nobody waits at it for one that has ended
        yield TemporaryServer(api, process, errors)


def _command(descriptor: int) -> tuple[str, ...]:
    options = ("--socket", str(descriptor), "--names", ",".join(LOOPBACK_NAMES))
    return (sys.executable, "-m", "operate.up.prefect_server", *options)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let the server end by itself, or end it; its database bears both."""
    assert process.stdin is not None  # noqa: S101 - it was asked for
    process.stdin.close()
    with suppress(subprocess.TimeoutExpired):
        process.wait(_END_TIMEOUT)
        return
    process.kill()
    process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - the address is our own
            return True
    except (OSError, HTTPException):
        return False
