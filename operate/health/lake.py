"""Check the lake: every file is as it was published, and the newest decisions are what they claim to be."""

import datetime as dt
from collections.abc import Callable

from catalog.errors import Check, LakeError
from warehouse.advice import situation_of
from warehouse.assertions.run import broken_assertions
from warehouse.origin import origin_of
from warehouse.proof import verify
from warehouse.sold import sold_on
from warehouse.workspace import Workspace


def check_origin(workspace: Workspace) -> list[Check]:
    """Fail where nobody can tell whose decisions the lake holds."""
    try:
        origin_of(workspace.lake.store)
    except LakeError as error:
        return [Check("origin", "failed", str(error), "shelfprice doctor --fix")]
    return []


def check_files(workspace: Workspace, on_file: Callable[[int, int], None]) -> Check:
    """Hold what changed against its receipt, and some of what was proven longest ago.

    `on_file` is called with (files done, files in all).
    """
    found = verify(workspace.lake, on_file, only_changed=True)
    if found.findings:
        first = found.findings[0]
        said = f"{len(found.findings)} of {found.files} are not as published, such as {first.file}: {first.kind}"
        return Check("files", "failed", said, _remedy(workspace))
    return Check(
        "files", "ok", f"{found.files:,} files that changed or were due, with {found.rows:,} rows, are as published"
    )


def _remedy(workspace: Workspace) -> str:
    """Say how what is damaged is made again: the twin's days are played, a retailer's log is read."""
    try:
        is_a_retailers = situation_of(workspace.settings).is_a_retailers
    except LakeError:  # its origin is what is damaged, which is a check of its own
        is_a_retailers = False
    return "shelfprice doctor --fix" + (", then ingest your files again" if is_a_retailers else "")


def check_assertions(workspace: Workspace, newest: dt.date) -> Check:
    """Run the SQL assertions on the newest closed date; a day that is being sold is not over yet."""
    broken = broken_assertions(workspace.settings, [newest] if any(sold_on(workspace.lake, newest)) else [])
    if broken:
        return Check(
            "assertions", "failed", "; ".join(map(str, broken)), "mend what wrote the rows, then transform again"
        )
    return Check("assertions", "ok", f"all hold on {newest}")
