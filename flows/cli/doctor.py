"""The command that finds what a killed run left or mixed, and mends it. It starts no service."""

from typing import TYPE_CHECKING, Annotated

import typer

from catalog.errors import DataError
from flows.cli.console import emit, progress_bars, remark, show_table
from flows.cli.options import Catalog, Json, text_of
from flows.environment import prepare, set_defaults

if TYPE_CHECKING:
    from operate.doctor import Examined

Fix = Annotated[bool, typer.Option("--fix", help="Mend what is found; without it nothing is changed.")]


def doctor(fix: Fix = False, catalog: Catalog = None, as_json: Json = False) -> None:
    """Find what a killed run or a damaged disk left, and say what mends each; with --fix, mend it.

    Commits that were interrupted are finished, drafts removed, damaged files set aside. Days and price books of which a
    table is damaged or from another run are made again, as their decisions were. The model registry follows the lake.
    What other processes are doing right now is left alone.

    Exits 0 when all is well or all was mended, 1 when something remains.

    For example:
      shelfprice doctor
      shelfprice doctor --fix
    """
    folder = text_of(catalog)
    settings = prepare() if fix else set_defaults()
    with progress_bars():
        from operate.doctor import Home, examine, mend

        home = Home(settings, folder)
        examined = mend(home) if fix else examine(home)
    if as_json:
        emit({"fixed": fix, "found": [_as_json(one) for one in examined]})
    elif examined:
        last = "what was done, or remains" if fix else "what --fix does, or you do"
        show_table("What was found", ["what", "where", last], [_row(one) for one in examined])
    remain = [one for one in examined if one.remains]
    if remain and fix:
        for one in remain[1:]:
            remark(f"{one.fault.what}: {one.remains}")
        raise DataError(f"{len(remain)} of {len(examined)} remain: {remain[0].fault.what}: {remain[0].remains}")
    if remain:
        by_itself = sum(one.fault.mend is not None for one in remain)
        are = "1 thing is" if len(remain) == 1 else f"{len(remain)} things are"
        raise DataError(f"{are} out of order; `shelfprice doctor --fix` mends {by_itself} of them")
    lake = home.lake
    remark(_all_is_well(examined, mended=fix) if lake.exists() else f"{lake.address}: there is no lake yet")


def _all_is_well(examined: "list[Examined]", *, mended: bool) -> str:
    done = sum(one.done is not None for one in examined)
    were = "1 thing was" if done == 1 else f"{done} things were"
    return f"all is well: {were} mended" if mended and done else "all is well"


def _row(one: "Examined") -> list[str]:
    said = [text for text in (one.done, one.remains) if text] or [one.fault.remedy]
    return [one.fault.what, one.fault.where, "; ".join(said)]


def _as_json(one: "Examined") -> dict[str, object]:
    fault = one.fault
    return {
        "what": fault.what,
        "where": fault.where,
        "remedy": fault.remedy,
        "is_harm": fault.is_harm,
        "done": one.done,
        "remains": one.remains,
    }
