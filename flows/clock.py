"""What time it is: this machine's clock, or in a rehearsal a time that its operator set.

A rehearsal plays months of sales in an hour through the real intake, export and nights. Its clock needs two keys. Only
an operator who starts the process has both, so nobody can turn it over HTTP: `rehearsal: true` in `store.yaml`, and
`SHELFPRICE_NOW` in the environment. Who takes a request or a file asks once, and hands the moment down.
"""

import datetime as dt
from pathlib import Path

from catalog.errors import Declined
from warehouse.workspace import Workspace


def now_of(workspace: Workspace) -> dt.datetime:
    """Return the time, UTC.

    Raises
    ------
    Declined
        When `SHELFPRICE_NOW` is set and the catalog is no rehearsal, or holds no moment.
    """
    said = workspace.settings.now
    if said is None:
        return dt.datetime.now(dt.UTC)
    if not workspace.catalog.store.rehearsal:
        raise Declined(
            f"SHELFPRICE_NOW: expected none where store.yaml does not say `rehearsal: true`, found {said}; nothing was "
            "done, for a real store's clock is this machine's: unset it"
        )
    try:
        moment = _moment_in(said)
    except (OSError, ValueError) as error:
        raise Declined(
            f"SHELFPRICE_NOW: expected a moment with an offset such as 2026-01-19T08:00:00Z, or a file that holds one, "
            f"found {said} ({error}); nothing was done: write one"
        ) from error
    return moment.astimezone(dt.UTC)


def _moment_in(said: str) -> dt.datetime:
    """Return the moment that a text, or the file that it names, says; a file is read each time."""
    try:
        moment = dt.datetime.fromisoformat(said)
    except ValueError:
        moment = dt.datetime.fromisoformat(Path(said).read_text(encoding="utf-8").strip())
    if moment.tzinfo is None:
        raise ValueError("it has no offset")
    return moment
