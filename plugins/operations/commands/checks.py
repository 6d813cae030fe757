"""The commands that check a store and put it right, and that rebuild past days to compare their bytes."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any

import typer

from catalog.errors import DataError, LakeError
from catalog.settings import read_settings
from flows.cli.command import RUN_AGAIN, Catalog, Days, Json, command, date_option, refuse_beyond_calendar, text_of
from flows.cli.console import abbreviated, emit, progress_bars, remark, show_table

if TYPE_CHECKING:
    from plugins.operations.checks.doctor import CheckUpResult

Files = Annotated[
    bool, typer.Option("--files", help="Check every file of the lake against its receipt, and nothing else.")
]
Fix = Annotated[bool, typer.Option("--fix", help="Mend what is found; without it nothing is changed.")]
Vacuum = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=30,
        metavar="DAYS",
        help="Remove objects of a Delta lake that nothing has named for so many days, and do nothing else.",
    ),
]
Date = Annotated[dt.datetime, date_option(help="First business date.")]


@command()
def health(files: Files = False, catalog: Catalog = None, as_json: Json = False) -> None:
    """Check that decisions, cells, prices and champion are fresh, the registry answers and every file is proven.

    Of the files, those that changed are checked, and some of what was proven longest ago; with --files, every one is.
    Exits 1 when a check failed, or when there is nothing to check yet; warnings alone exit 0.
    `shelfprice up` runs the checks on a schedule.

    For example:
      shelfprice health --files
    """
    if files:
        _check_every_file(as_json=as_json)
        return
    folder = text_of(catalog)
    from flows.environment import prepare

    prepare()
    with progress_bars():
        from etl.calendar import newest_sold
        from flows.progress import tell
        from flows.runs import registry_of
        from flows.workspace import open_workspace
        from plugins.operations.checks.check_up import check_up, first_steps

        workspace = open_workspace(folder)
        checks = check_up(workspace, registry_of(workspace), lambda done, total: tell("checking files", done, total))
    is_empty = newest_sold(workspace.lake) is None
    failed = [check.name for check in checks if check.state == "failed"]
    if as_json:
        emit({"healthy": not failed and not is_empty, "checks": [vars(check) for check in checks]})
    else:
        rows = [[check.name, check.state, check.found, check.remedy] for check in checks]
        show_table("Health of the store", ["check", "state", "found", "what to do"], rows)
    if is_empty:
        raise DataError(
            "expected decisions to check, found none: there is nothing to check yet, and nothing to sell from; "
            f"run {' or '.join(f'`{step}`' for step in first_steps(workspace))}"
        )
    if failed:
        raise DataError(f"{len(failed)} of {len(checks)} checks failed: {', '.join(failed)}; each says what to do")
    remark("everything is in order" if all(check.state == "ok" for check in checks) else "nothing failed")


def _check_every_file(*, as_json: bool) -> None:
    from flows.progress import tell
    from plugins.operations.checks.proving import verify
    from warehouse.lake import Lake
    from warehouse.query.advice import remedy

    settings = read_settings()
    lake = Lake(settings)
    if not lake.exists():
        raise LakeError(f"{lake.address}: expected a lake, found none; nothing was checked: {remedy(settings)}")
    with progress_bars():
        verdict = verify(lake, lambda done, total: tell("checking files", done, total))
    findings = [
        {"file": f"lake/{finding.name}", "kind": finding.kind, "message": finding.message}
        for finding in verdict.findings
    ]
    counts = {"files": verdict.files, "rows": verdict.rows, "being_written": verdict.being_written}
    strays = verdict.strays
    if as_json:
        emit({**counts, "strays": vars(strays), "findings": findings})
    elif findings:
        show_table("Findings", ["file", "kind", "what to do"], [list(finding.values()) for finding in findings])
    remark(", ".join(f"{value:,} {name.replace('_', ' ')}" for name, value in counts.items()))
    if strays.objects:
        remark(
            f"note: {strays.objects:,} objects ({strays.bytes / 1e6:,.1f} MB) that nothing in force names: replaced, "
            "being written, or left by a kill; `shelfprice doctor --vacuum 7` removes the old ones"
        )
    if findings:
        raise LakeError(
            f"{len(findings)} of {verdict.files} files are not as they were published; `shelfprice doctor --fix` sets "
            "them aside and makes again what can be"
        )


@command("lake", when_stopped=RUN_AGAIN)
def doctor(fix: Fix = False, vacuum: Vacuum = None, catalog: Catalog = None, as_json: Json = False) -> None:
    """Find what a killed run or a damaged disk left, and say what mends each; with --fix, mend it.

    Commits that were interrupted are finished, drafts removed, damaged files set aside. Days and price books of which a
    table is damaged or from another run are made again, as their decisions were. The model registry follows the lake.
    What other processes are doing right now is left alone.

    With --vacuum, objects of a Delta lake go that were replaced long ago, or left by a process that was killed. What is
    in force stays, as does what was in force within the time given. A plain folder replaces files in place.

    Exits 0 when all is well or all was mended, 1 when something remains.

    For example:
      shelfprice doctor --fix
      shelfprice doctor --vacuum 7
    """
    if vacuum is not None:
        _remove_old_objects(vacuum, as_json=as_json)
        return
    folder = text_of(catalog)
    from flows.environment import prepare, set_defaults

    settings = prepare() if fix else set_defaults()
    with progress_bars():
        from plugins.operations.checks.doctor import Home, examine, mend

        home = Home(settings, folder)
        examined = mend(home) if fix else examine(home)
    if as_json:
        emit({"fixed": fix, "found": [_finding(result) for result in examined]})
    elif examined:
        last = "what was done, or remains" if fix else "what --fix does, or you do"
        show_table("What was found", ["what", "where", last], [_found(result) for result in examined])
    remain = [result for result in examined if result.remains]
    if remain and fix:
        for one in remain[1:]:
            remark(f"{one.fault.what}: {one.remains}")
        raise DataError(f"{len(remain)} of {len(examined)} remain: {remain[0].fault.what}: {remain[0].remains}")
    if remain:
        by_itself = sum(result.fault.mend is not None for result in remain)
        are = "1 thing is" if len(remain) == 1 else f"{len(remain)} things are"
        raise DataError(f"{are} out of order; `shelfprice doctor --fix` mends {by_itself} of them")
    lake = home.lake
    remark(_all_is_well(examined, mended=fix) if lake.exists() else f"{lake.address}: there is no lake yet")


def _all_is_well(examined: "list[CheckUpResult]", *, mended: bool) -> str:
    done = sum(result.done is not None for result in examined)
    were = "1 thing was" if done == 1 else f"{done} things were"
    return f"all is well: {were} mended" if mended and done else "all is well"


def _found(check_up_result: "CheckUpResult") -> list[str]:
    texts = [text for text in (check_up_result.done, check_up_result.remains) if text] or [check_up_result.fault.remedy]
    return [check_up_result.fault.what, check_up_result.fault.where, "; ".join(texts)]


def _finding(check_up_result: "CheckUpResult") -> dict[str, object]:
    fault = {name: getattr(check_up_result.fault, name) for name in ("what", "where", "remedy", "is_harm")}
    return {**fault, "done": check_up_result.done, "remains": check_up_result.remains}


def _remove_old_objects(days: int, *, as_json: bool) -> None:
    settings = read_settings()
    if settings.lake_address is None:
        where, objects, size = str(settings.lake), 0, 0
        remark(f"{where} is a plain folder, which keeps no replaced files: there is nothing to remove in it")
    else:
        from plugins.operations.delta.open import open_delta

        store = open_delta(settings)
        from plugins.operations.delta.vacuum import time_there
        from plugins.operations.delta.vacuum import vacuum as remove

        removed = remove(store, dt.timedelta(days=days), time_there(store))
        where, objects, size = store.address, removed.objects, removed.bytes
        remark(f"{where}: removed {objects:,} objects, {size / 1e6:,.1f} MB, that nothing has named for {days} days")
    if as_json:
        emit({"lake": where, "objects": objects, "bytes": size})


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
        from plugins.operations.replay.day import replay as rebuild

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


COMMANDS = (health, doctor, replay)
