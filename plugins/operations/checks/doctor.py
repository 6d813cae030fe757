"""What a killed run left or mixed, and how it is mended. Each folder finds what it owns.

To look changes nothing: the lake is not opened, for that would finish what was interrupted. Mending goes from the
ground up: first commits and drafts, then damaged files, then what the registry has to follow. After each step it is
looked again, for one that is mended may show another.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import import_module
from pathlib import Path

import duckdb

from catalog.addresses import knock
from catalog.errors import ModelError, ShelfpriceError, first_line
from catalog.settings import Settings
from flows.progress import tell
from flows.workspace import open_workspace
from plugins.operations.checks.proving import inspect
from plugins.operations.repair.books import books_to_make_again, days_to_play_again
from plugins.operations.repair.damage import (
    Damage,
    damaged_cells,
    damaged_exports,
    damaged_files,
    damages,
    set_findings_aside,
)
from plugins.operations.repair.kills import Fault, interrupted_commits, killed_commands, left_drafts, left_staged
from plugins.operations.repair.models import books_to_price_anew, faults_of_registry
from warehouse.commits.locks import UP, is_held
from warehouse.files import prefect_credential
from warehouse.lake import Lake
from warehouse.workspace import Workspace

_ROUNDS = 4  # a damaged record hides a mixed day, which hides a price book


@dataclass(frozen=True)
class CheckUpResult:
    """A fault and what became of it.

    Attributes
    ----------
    done
        What was done; None where nothing was.
    remains
        What is left to do, and for whom; None where nothing is.
    """

    fault: Fault
    done: str | None = None
    remains: str | None = None


@dataclass(frozen=True)
class Home:
    """A home that is looked at; its workspace is opened when something has to be mended in it.

    Attributes
    ----------
    catalog_dir
        Folder of another shelf, None for the default one.
    """

    settings: Settings
    catalog_dir: str | None = None

    @property
    def lake(self) -> Lake:
        """The lake, as it is."""
        return Lake(self.settings)

    def opened(self) -> Workspace:
        """Return the workspace, ready for work."""
        return self._workspace

    @cached_property
    def _workspace(self) -> Workspace:
        return open_workspace(self.catalog_dir)

    def left_by_kills(self) -> Iterator[Fault]:
        """Yield commits that were interrupted, and what was staged in vain."""
        yield from interrupted_commits(self.lake)
        yield from left_drafts(self.settings)
        yield from left_staged(self.settings)

    def damaged(self) -> Iterator[Fault]:
        """Yield files that are not as published, and what is not of one run."""
        lake = self.lake
        if not lake.exists():
            return
        damages = self._damages()
        yield from damaged_files(lake, damages)
        yield from damaged_exports(lake, damages)
        yield from days_to_play_again(damages, self.opened)
        yield from damaged_cells(damages, self.opened)
        yield from books_to_make_again(lake, damages, self.opened)
        yield from books_to_price_anew(lake, damages, self.opened)

    def set_damaged_aside(self) -> None:
        """Move every damaged file out of the lake."""
        for damage in self._damages():
            set_findings_aside(self.lake, damage.findings)

    def _damages(self) -> list[Damage]:
        return damages(self.lake, inspect(self.lake, lambda done, total: tell("checking files", done, total)).findings)

    def registry(self) -> Iterator[Fault]:
        """Yield what the model registry has to follow; one that is away is said, and is no harm."""
        try:
            yield from faults_of_registry(self.lake, self.settings, self.opened)
        except ModelError as error:
            yield Fault("the model registry was not looked at", "registry", str(error), is_harm=False)

    def runs(self) -> Iterator[Fault]:
        """Yield the runs that Prefect believes to be running, where a server of it answers."""
        yield from killed_commands(self.lake)
        api = os.environ.get("PREFECT_API_URL")
        if not api or not knock(f"{api.rstrip('/')}/health", prefect_credential(os.environ)).is_good:
            return
        zombies = import_module("plugins.operations.up.zombie_runs")
        marks = "`shelfprice up` marks it as crashed"
        marks += " within a minute" if is_held(self.settings.locks, UP) else " when it is started"
        for name in zombies.gone_runs(self.settings):
            yield Fault("a run of Prefect whose process is gone", f"run {name}", marks, is_harm=False)


def examine(home: Home) -> list[CheckUpResult]:
    """Look at everything, and change nothing."""
    looks = (home.left_by_kills, home.damaged, home.registry, home.runs)
    return [CheckUpResult(fault, remains=_unmended(fault)) for look in looks for fault in _looked(look)]


def mend(home: Home) -> list[CheckUpResult]:
    """Mend what can be mended, and return everything that was found with what became of it."""
    examined: dict[tuple[str, str], CheckUpResult] = {}
    for look in (home.left_by_kills, home.damaged, home.registry, home.runs):
        for _ in range(_ROUNDS):
            faults = {_key_of(fault): fault for fault in _looked(look)}
            examined |= {key: _still_there(examined[key]) for key in faults if key in examined}
            new = {key: fault for key, fault in faults.items() if key not in examined}
            if not new:
                break
            if look == home.damaged:
                home.set_damaged_aside()  # all of it: one damaged file fails every query of its table
            examined |= {key: _mended(fault) for key, fault in new.items()}
    return list(examined.values())


def _key_of(fault: Fault) -> tuple[str, str]:
    """Return what tells a fault from others; what was damaged and is set aside is missing then, and no other fault."""
    return fault.what.rpartition(": ")[2], fault.where


def _still_there(check_up_result: CheckUpResult) -> CheckUpResult:
    """Return a fault that was mended and is found again as one that remains."""
    return (
        replace(
            check_up_result, remains=check_up_result.remains or f"it is found again: {check_up_result.fault.remedy}"
        )
        if check_up_result.done
        else check_up_result
    )


def _looked(look: Callable[[], Iterable[Fault]]) -> list[Fault]:
    """Return what was found; where a look fails, why, for the rest goes on."""
    faults: list[Fault] = []
    try:
        faults.extend(look())
    except (ShelfpriceError, OSError) as error:
        part = look.__name__.replace("_", " ")
        faults.append(Fault(f"not looked at to its end: {part}", _file_of(error), first_line(error)))
    return faults


def _file_of(error: Exception) -> str:
    file = getattr(error, "filename", None)
    return str(Path(str(file)).name) if file else "-"


def _mended(fault: Fault) -> CheckUpResult:
    if fault.mend is None:
        return CheckUpResult(fault, remains=_unmended(fault))
    try:
        done = fault.mend()
    except (ShelfpriceError, OSError, duckdb.Error) as error:
        return CheckUpResult(fault, remains=f"it could not be mended: {first_line(error)}")
    return CheckUpResult(fault, done, fault.afterwards)


def _unmended(fault: Fault) -> str | None:
    """Return what is left of a fault while nothing is done about it; what is only to be known leaves nothing."""
    return fault.remedy if fault.is_harm else None
