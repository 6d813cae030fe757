"""Commands about past days: history and replay. They need no orchestrator."""

import datetime as dt
from typing import Annotated, Any

import typer

from catalog.errors import DataError
from catalog.settings import read_settings
from flows.commands.options import Json
from flows.console import emit, progress_bars, remark, show_table

Date = Annotated[dt.datetime, typer.Option(formats=["%Y-%m-%d"], help="Business date.")]


def history(date: Date, as_json: Json = False) -> None:
    """Show which catalog, data, model version and price book were in force on a past day.

    One row for each batch, and for each change of prices on a day that was sold live; --json shows whole fingerprints.
    """
    from flows.past import SHORT, past_day

    rows = past_day(read_settings(), date.date())
    if as_json:
        emit(rows)
        return

    def short(value: Any) -> str | None:
        return str(value)[:SHORT] if value else None

    table = [
        [
            row["batch"],
            row["since"],
            row["policy"],
            row["model_version"],
            row["champion"],
            row["book_made_for"],
            short(row["book_sha256"]),
            short(row["catalog"]),
            short(row["decisions_sha256"]),
            short(row["cells_sha256"]),
            row["seed"],
            row["code_version"],
        ]
        for row in rows
    ]
    names = ["batch", "from tick", "policy", "model", "champion", "book made for", "book", "catalog"]
    show_table(f"In force on {date:%Y-%m-%d}", [*names, "decisions", "features", "seed", "code"], table)


def replay(date: Date, as_json: Json = False) -> None:
    """Rebuild a past day's prices, decisions and features, and compare every byte with what is on record.

    Nothing in the lake is changed. Exits 1 when a part differs and names the first that does.
    """
    from flows.environment import prepare

    settings = prepare()
    with progress_bars():
        from flows.replay import replay as play_again

        parts = play_again(settings, date.date())
    if as_json:
        emit({"date": f"{date:%Y-%m-%d}", "parts": [{**vars(part), "is_same": part.is_same} for part in parts]})
    else:
        from flows.past import SHORT

        rows = [
            [
                part.part,
                part.batch,
                (part.rebuilt or "-")[:SHORT],
                (part.recorded or "-")[:SHORT],
                part.is_same,
                part.remark,
            ]
            for part in parts
        ]
        show_table(f"Replay of {date:%Y-%m-%d}", ["part", "of", "rebuilt", "recorded", "same", "remark"], rows)
    differing = [part for part in parts if part.is_same is False]
    if differing:
        first = differing[0]
        raise DataError(
            f"{len(differing)} of {len(parts)} parts of {date:%Y-%m-%d} differ, first the {first.part} of "
            f"{first.batch}: {first.remark}"
        )
    remark(f"{sum(part.is_same is True for part in parts)} of {len(parts)} parts rebuilt, every byte the same")
