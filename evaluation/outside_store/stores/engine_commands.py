"""The engine beside an outside store, as far as time passes for it: nights and exports, by commands of the user."""

import datetime as dt
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from evaluation.outside_store.stores.sales_client import RefusedRequestError

_LONGEST_COMMAND = 3_600  # s


class EngineBeside(Protocol):
    """What a store's week does to the engine beside it."""

    def at(self, moment: dt.datetime) -> None:
        """Let it be so late, UTC."""
        ...

    def before_week(self, monday: dt.date) -> None:
        """Do what is done before a week begins: the night."""
        ...

    def export(self, monday: dt.date) -> None:
        """Hand over the prices of a week."""
        ...


@dataclass(frozen=True)
class CommandedEngine:
    """An engine that commands drive.

    Attributes
    ----------
    nights, exports
        Commands that are run before each week, and each time before prices are fetched; `{date}` in them is its Monday.
    clock
        File that the time is written into: the clock of a rehearsal.
    environ
        Environment of the commands; None is this process's.
    """

    nights: tuple[str, ...] = ()
    exports: tuple[str, ...] = ()
    clock: Path | None = None
    environ: Mapping[str, str] | None = None

    def at(self, moment: dt.datetime) -> None:
        """See `EngineBeside`."""
        if self.clock is not None:
            set_clock(self.clock, moment)

    def before_week(self, monday: dt.date) -> None:
        """See `EngineBeside`."""
        for command in self.nights:
            run_command(command, monday, self.environ)

    def export(self, monday: dt.date) -> None:
        """See `EngineBeside`."""
        for command in self.exports:
            run_command(command, monday, self.environ)


def set_clock(clock: Path, moment: dt.datetime) -> None:
    """Write the time into a file, unless it is later there: a run that is begun again does not go back in time."""
    if clock.exists() and dt.datetime.fromisoformat(clock.read_text(encoding="utf-8")) >= moment:
        return
    draft = clock.with_name(f".{clock.name}")
    draft.write_text(moment.isoformat(), encoding="utf-8")
    draft.replace(clock)


def run_command(command: str, monday: dt.date, environ: Mapping[str, str] | None = None) -> None:
    """Run a command of the user.

    Raises
    ------
    RefusedRequestError
        When it fails.
    """
    words = shlex.split(command.replace("{date}", monday.isoformat()))
    done = subprocess.run(  # noqa: S603 - the user's own command
        words, capture_output=True, text=True, timeout=_LONGEST_COMMAND, check=False, env=environ
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise RefusedRequestError(f"{words[0]}: expected a command that succeeds, found {said[-1:] or done.returncode}")
