"""Prove the lake: every file has a receipt, every receipt its file, and every byte and note is as it was published.

What was committed together is held against the record of its commit. A commit that a kill interrupted is finished
first, as by anyone who opens the lake.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from warehouse.finding import Finding, Strays
from warehouse.lake import Lake
from warehouse.locks import is_held
from warehouse.mixed import what_does_not_belong
from warehouse.sealed_notes import unproven_notes


@dataclass(frozen=True)
class Inspection:
    """What was checked and what was found; the lake is sound when `findings` is empty.

    `finished` names the commits that a kill had interrupted and that were finished before. `strays` are no fault.
    """

    files: int
    rows: int
    being_written: int
    findings: tuple[Finding, ...]
    finished: tuple[str, ...] = ()
    strays: Strays = field(default_factory=Strays)


def verify(lake: Lake, on_file: Callable[[int, int], None] = lambda _done, _total: None) -> Inspection:
    """Finish the commits that a kill interrupted, then check every file of the lake: see `inspect`."""
    finished = tuple(lake.finish_interrupted())
    return replace(inspect(lake, on_file), finished=finished)


def inspect(lake: Lake, on_file: Callable[[int, int], None] = lambda _done, _total: None) -> Inspection:
    """Check every file of the lake against its receipt, and change nothing.

    Partitions being written right now are left out and counted.

    Parameters
    ----------
    on_file
        Called with (files done, files in all) for progress.
    """
    names = lake.store.names()
    findings: list[Finding] = []
    rows = busy = 0
    for done, name in enumerate(names, start=1):
        if is_held(lake.locks, _lock_name(name)):
            busy += 1
        else:
            found, counted = lake.store.check(name)
            if found:  # a writer may have replaced it between receipt and bytes: check once more
                found, counted = lake.store.check(name)
            findings.extend(found)
            rows += counted
        on_file(done, len(names))
    known = {finding.name for finding in findings}
    findings.extend(unproven_notes(lake.notes))
    findings.extend(found for found in what_does_not_belong(lake) if found.name not in known)
    return Inspection(len(names), rows, busy, tuple(findings), strays=lake.store.strays())


def set_aside(lake: Lake, inspection: Inspection) -> list[str]:
    """Take damaged and orphaned files, and receipts without a file, out of the lake; readers go on with the others.

    What is mixed or unfinished stays: those are whole files, which are made again together with what they belong to.

    Returns
    -------
    list of str
        Where each file went; in a folder, under `set-aside/` beside the lake. Nothing is deleted.
    """
    wrong = [one for one in inspection.findings if one.kind not in {"mixed", "unfinished"}]
    return [place for one in wrong for place in lake.store.set_aside(one.name)]


def _lock_name(name: str) -> str:
    table, *day, file = name.split("/")
    date = [part.removeprefix("business_date=") for part in day]
    return "-".join([table, *date, file.removeprefix("part-").removesuffix(".parquet")])
