"""The commands that put right: find and mend what a killed run left, and rebuild past days to compare their bytes."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any

import typer

from catalog.errors import DataError
from flows.cli.command import RUN_AGAIN, command
from flows.cli.console import abbreviated, emit, progress_bars, remark, show_table
from flows.cli.options import Catalog, Days, Json, date_option, refuse_beyond_calendar, text_of

if TYPE_CHECKING:
    from operate.doctor import CheckUpResult

Fix = Annotated[bool, typer.Option("--fix", help="Mend what is found; without it nothing is changed.")]
Date = Annotated[dt.datetime, date_option(help="First business date.")]


@command("lake", when_stopped=RUN_AGAIN)
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
    from flows.environment import prepare, set_defaults

    settings = prepare() if fix else set_defaults()
    with progress_bars():
        from operate.doctor import Home, examine, mend

        home = Home(settings, folder)
        examined = mend(home) if fix else examine(home)
    if as_json:
        emit({"fixed": fix, "found": [_finding(one) for one in examined]})
    elif examined:
        last = "what was done, or remains" if fix else "what --fix does, or you do"
        show_table("What was found", ["what", "where", last], [_found(one) for one in examined])
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


def _all_is_well(examined: "list[CheckUpResult]", *, mended: bool) -> str:
    done = sum(one.done is not None for one in examined)
    were = "1 thing was" if done == 1 else f"{done} things were"
    return f"all is well: {were} mended" if mended and done else "all is well"


def _found(one: "CheckUpResult") -> list[str]:
    said = [text for text in (one.done, one.remains) if text] or [one.fault.remedy]
    return [one.fault.what, one.fault.where, "; ".join(said)]


def _finding(one: "CheckUpResult") -> dict[str, object]:
    fault = {name: getattr(one.fault, name) for name in ("what", "where", "remedy", "is_harm")}
    return {**fault, "done": one.done, "remains": one.remains}


@command("lake")
def replay(date: Date, days: Days = 1, as_json: Json = False) -> None:
    """Rebuild past days' prices, decisions and features, and compare every byte with what is on record.

    Nothing in the lake is changed. Exits 1 when a part differs, and names the first that does and why.

    For example:
      shelfprice replay --date 2026-01-12 --days 3
    """
    refuse_beyond_calendar(date, days)
    from flows.environment import prepare

    settings = prepare()
    with progress_bars():
        from flows.progress import tell
        from operate.replay.day import replay as rebuild

        dates = [date.date() + dt.timedelta(days=day) for day in range(days)]
        parts = [(day, part) for day in dates for part in rebuild(settings, day, tell)]
    if as_json:
        emit({"parts": [{"date": day, **vars(part), "is_same": part.is_same} for day, part in parts]})
    else:
        columns = ["day", "part", "of", "rebuilt", "recorded", "same", "remark"]
        show_table("Replayed", columns, [_row(day, part) for day, part in parts])
    differing = [(day, part) for day, part in parts if part.is_same is False]
    if differing:
        day, first = differing[0]
        where = f"the {first.part} of {day}, {first.batch}: {first.remark}"
        if all(part.rebuilt is None for _, part in differing):
            raise DataError(f"{len(differing)} of {len(parts)} parts could not be rebuilt, first {where}")
        raise DataError(
            f"expected the bytes on record, found others in {len(differing)} of {len(parts)} parts, first in {where}"
        )
    remark(f"{sum(part.is_same is True for _, part in parts)} of {len(parts)} parts rebuilt, every byte the same")


def _row(day: dt.date, part: Any) -> list[Any]:
    hashes = [abbreviated(part.rebuilt), abbreviated(part.recorded)]
    return [str(day), part.part, part.batch, *hashes, part.is_same, part.remark]


COMMANDS = (doctor, replay)
