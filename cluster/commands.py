"""The command for lakes on an object store: remove objects that no version in use names."""

import datetime as dt
import re
from typing import Annotated

import typer

from catalog.settings import read_settings
from flows.cli.command import RUN_AGAIN, command
from flows.cli.console import emit, remark
from flows.cli.options import Json

_LENGTH = re.compile(r"(\d{1,4})([hd])")
_UNITS = {"h": "hours", "d": "days"}

OlderThan = Annotated[
    str,
    typer.Option(
        metavar="7d", help="How old the versions are that nobody reads any more: 1h to 30d, in hours (h) or days (d)."
    ),
]


@command("lake", when_stopped=RUN_AGAIN)
def vacuum(older_than: OlderThan = "7d", as_json: Json = False) -> None:
    """Remove objects of a Delta lake that were replaced long ago, or left by a process that was killed.

    What is in force stays, as does what was in force within the time given. A plain folder replaces files in place, so
    there is nothing to remove in it.

    For example:
      shelfprice vacuum --older-than 7d
    """
    limit = _length(older_than)
    settings = read_settings()
    if settings.lake_address is None:
        if as_json:
            emit({"lake": str(settings.lake), "objects": 0, "bytes": 0})
        remark(f"{settings.lake} is a plain folder, which keeps no replaced files: there is nothing to remove in it")
        return
    from cluster.delta.open import open_delta

    store = open_delta(settings)
    from cluster.delta.vacuum import time_there
    from cluster.delta.vacuum import vacuum as remove

    removed = remove(store, limit, time_there(store))
    if as_json:
        emit({"lake": store.address, "objects": removed.objects, "bytes": removed.bytes})
    remark(
        f"{store.address}: removed {removed.objects:,} objects, {removed.bytes / 1e6:,.1f} MB, that nothing has named "
        f"for {older_than}"
    )


def _length(text: str) -> dt.timedelta:
    found = _LENGTH.fullmatch(text)
    length = dt.timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else None
    if length is None or not dt.timedelta(hours=1) <= length <= dt.timedelta(days=30):
        raise typer.BadParameter(
            f"expected 1h to 30d, in hours (h) or days (d), found {text!r}", param_hint="'--older-than'"
        )
    return length


COMMANDS = (vacuum,)
