"""What `shelfprice take-in` says: what each file brought, and what was refused of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flows.cli.console import emit, remark, say

if TYPE_CHECKING:
    from connect.intake.inbox import TakenFile

_MOST_SHOWN = 20


def show_files(files: "Sequence[TakenFile]", passed_over: Sequence[tuple[Path, str]] = (), *, as_json: bool) -> None:
    """Say what each file brought, and what lies there and is not taken in."""
    if as_json:
        left = [{"file": str(file), "reason": why} for file, why in passed_over]
        emit(
            {
                "files": [{**vars(own), "file": str(own.file)} for own in files],
                "passed_over": left,
            }
        )
        return
    for file, why in passed_over:
        remark_passed(file, why)
    for own in files:
        say(f"{own.file.name}: {own.taken:,} lines of {own.kind or 'nothing'} taken in, {own.known:,} known already")
        for line, why, expected, found in own.reasons[:_MOST_SHOWN]:
            remark(f"line {line}: {why}: expected {expected}, found {found}")
        if own.reasons:
            remark(f"refused {own.refused:,} lines; --json lists them")
        elif own.refused:
            remark(f"{own.file}: refused {own.refused:,} of its lines; {own.file.name}.reasons.csv beside it says why")
    if not files:
        say("No file is waiting.")


def remark_passed(file: Path, why: str) -> None:
    """Say of something in an inbox why it is not taken in."""
    remark(f"{file.name!r} is not taken in: it is {why}")
