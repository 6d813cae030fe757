"""How each service of `shelfprice up` is, in a file of the home that the monitor and `health` read.

What the file says holds only while `up` runs, which its lock tells: the kernel frees it however `up` ended.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from catalog.errors import ServiceError
from catalog.settings import Settings
from warehouse.commits.locks import UP, is_held
from warehouse.files import write_durably

RECENT = dt.timedelta(hours=1)
"""How long a restart is counted."""

Condition = Literal["starting", "answers", "silent", "restarting"]


@dataclass(frozen=True)
class ServiceState:
    """How one service is.

    Attributes
    ----------
    address
        Where it listens; None for one that does not.
    condition, since
        How it is, and when that began (UTC).
    restarts
        When it was started again (UTC), the newest last; at least those of the last hour.
    reason
        Why it was started again the last time; None when it never was.
    """

    name: str
    purpose: str
    address: str | None
    condition: Condition
    since: dt.datetime
    restarts: tuple[dt.datetime, ...] = ()
    reason: str | None = None

    def recent_restarts(self, now: dt.datetime) -> int:
        """Return how often it was started again within the last hour."""
        return sum(now - restart <= RECENT for restart in self.restarts)


@dataclass(frozen=True)
class RunningServices:
    """All services, and the id of the process that runs them."""

    process: int
    services: tuple[ServiceState, ...]


_FILE = TypeAdapter(RunningServices)


def write_service_states(settings: Settings, process: int, services: Sequence[ServiceState]) -> None:
    """Say how the services are, for whoever reads it."""
    running = RunningServices(process, tuple(services))
    write_durably(_file_of(settings), _FILE.dump_json(running, indent=1).decode() + "\n")


def forget_service_states(settings: Settings) -> None:
    """Remove what an earlier `up` said."""
    _file_of(settings).unlink(missing_ok=True)


def running_services(settings: Settings) -> RunningServices | None:
    """Return how the services are; None when `up` does not run, or has said nothing yet.

    Raises
    ------
    ServiceError
        When the file cannot be read.
    """
    file = _file_of(settings)
    try:
        return _FILE.validate_json(file.read_bytes()) if is_held(settings.locks, UP) else None
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        why = "it holds something else" if isinstance(error, ValidationError) else error.strerror
        raise ServiceError(
            f"{file}: expected how the services are, {why}; the services go on unseen: stop `shelfprice up` and start "
            "it again"
        ) from error


def _file_of(settings: Settings) -> Path:
    return settings.home / "services.json"
