"""Commands about past days: history and replay. They need no orchestrator."""

import datetime as dt
from typing import Annotated, Any

import typer

from catalog.errors import DataError
from catalog.settings import read_settings
from flows.cli.console import emit, progress_bars, remark, show_table
from flows.cli.options import Json

SHORT = 8  # characters of a fingerprint that people are shown

Date = Annotated[dt.datetime, typer.Option(formats=["%Y-%m-%d"], help="Business date.")]
Days = Annotated[int, typer.Option(min=1, max=36_500, help="How many business dates, from that one on.")]


def history(date: Date, as_json: Json = False) -> None:
    """Show which catalog, data, model version and price book were in force on a past day.

    One row for each batch, and for each change of prices on a day that was sold live; --json shows whole fingerprints.
    """
    from warehouse.history import past_day

    rows = past_day(read_settings(), date.date())
    if as_json:
        emit(rows)
        return

    table = [
        [
            row["batch"],
            row["since"],
            row["policy"],
            row["model_version"],
            row["champion"],
            row["book_made_for"],
            _short(row["book_sha256"]),
            _short(row["catalog"]),
            _short(row["decisions_sha256"]),
            _short(row["cells_sha256"]),
            row["seed"],
            row["code_version"],
        ]
        for row in rows
    ]
    names = ["batch", "from tick", "policy", "model", "champion", "book made for", "book", "catalog"]
    show_table(f"In force on {date:%Y-%m-%d}", [*names, "decisions", "features", "seed", "code"], table)


def replay(date: Date, days: Days = 1, as_json: Json = False) -> None:
    """Rebuild past days' prices, decisions and features, and compare every byte with what is on record.

    Nothing in the lake is changed. Exits 1 when a part differs, and names the first that does and why.
    """
    from flows.environment import prepare

    settings = prepare()
    with progress_bars():
        from flows.progress import tell
        from serving.replay.day import replay as play_again

        dates = [date.date() + dt.timedelta(days=day) for day in range(days)]
        parts = [(day, part) for day in dates for part in play_again(settings, day, tell)]
    if as_json:
        emit({"parts": [{"date": day, **vars(part), "is_same": part.is_same} for day, part in parts]})
    else:
        show_table(
            "Replayed", ["day", "part", "of", "rebuilt", "recorded", "same", "remark"], [_row(*one) for one in parts]
        )
    differing = [(day, part) for day, part in parts if part.is_same is False]
    if differing:
        day, first = differing[0]
        raise DataError(
            f"expected the bytes on record, found others in {len(differing)} of {len(parts)} parts, first in the "
            f"{first.part} of {day}, {first.batch}: {first.remark}"
        )
    remark(f"{sum(part.is_same is True for _, part in parts)} of {len(parts)} parts rebuilt, every byte the same")


def _row(day: dt.date, part: Any) -> list[Any]:
    shas = [_short(part.rebuilt), _short(part.recorded)]
    return [str(day), part.part, part.batch, *shas, part.is_same, part.remark]


def _short(fingerprint: str | None) -> str | None:
    return fingerprint[:SHORT] if fingerprint else None
