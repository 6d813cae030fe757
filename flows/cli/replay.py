"""The command that rebuilds past days and compares the bytes. It needs no orchestrator."""

import datetime as dt
from typing import Annotated, Any

import typer

from catalog.errors import DataError
from flows.cli.console import abbreviated, emit, progress_bars, remark, show_table
from flows.cli.options import Json, in_calendar, refuse_beyond_calendar
from flows.environment import prepare

Date = Annotated[
    dt.datetime, typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="First business date.", callback=in_calendar)
]
Days = Annotated[int, typer.Option(min=1, max=36_500, help="Number of business dates.")]


def replay(date: Date, days: Days = 1, as_json: Json = False) -> None:
    """Rebuild past days' prices, decisions and features, and compare every byte with what is on record.

    Nothing in the lake is changed. Exits 1 when a part differs, and names the first that does and why.

    For example:
      shelfprice replay --date 2026-01-12 --days 3
    """
    refuse_beyond_calendar(date, days)
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
