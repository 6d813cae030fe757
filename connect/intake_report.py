"""What `shelfprice take-in` says: each file, what it brought, and where it is now."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flows.cli.console import emit, remark, say

if TYPE_CHECKING:
    from connect.intake.inbox import TakenFile


def show_files(files: "Sequence[TakenFile]", *, as_json: bool) -> None:
    """Say what each file brought."""
    if as_json:
        emit({"files": [{**vars(own), "file": str(own.file)} for own in files]})
        return
    for own in files:
        say(f"{own.file.name}: {own.taken:,} lines of {own.kind or 'nothing'} taken in, {own.known:,} known already")
        if own.refused:
            remark(f"{own.file}: refused {own.refused:,} of its lines; {own.file.name}.reasons.csv beside it says why")
    if not files:
        say("No file is waiting.")
