"""What people see in the terminal: tables on stdout, progress and remarks on stderr, or one JSON object."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape

from catalog.decisions.reasons import json_text
from flows.progress import listening

_PIPE_WIDTH = 200
_REMEMBERED = 300.0  # seconds of work from which the time that is left is estimated
_FINGERPRINT_LENGTH = 8
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\t\n"}
OUT = Console() if sys.stdout.isatty() else Console(width=_PIPE_WIDTH)
ERR = Console(stderr=True)


@contextmanager
def progress_bars() -> Iterator[None]:
    """Show a bar and the time left for every stage that is under way; on a pipe, a line for each stage that ends."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    left = TimeRemainingColumn(compact=True, elapsed_when_finished=True)
    columns = (TextColumn("{task.description}"), BarColumn(None), MofNCompleteColumn(), left, TextColumn("left"))
    shown_on: Any = {"console": ERR, "transient": True, "disable": not ERR.is_terminal, "expand": True}
    with Progress(*columns, speed_estimate_period=_REMEMBERED, **shown_on) as progress:
        bars: dict[str, TaskID] = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in bars:
                bars[stage] = progress.add_task(stage, total=total)
            progress.update(bars[stage], completed=done, total=total, visible=done < total)
            if done == total and not ERR.is_terminal:
                ERR.print(f"{stage}: {done} of {total}", highlight=False)

        with listening(show):
            yield


def show_table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    caption: str | None = None,
    money: Sequence[str] = (),
    digits: int = 2,
) -> None:
    """Print a table: numbers right-aligned, columns of money with so many digits, text from data taken literally."""
    from rich.table import Table

    title, caption = harmless(title), caption and harmless(caption)
    table = Table(title=title, caption=caption, title_justify="left", caption_justify="left", title_style="bold")
    for position, name in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[position], int | float | None) for row in rows)
        table.add_column(escape(harmless(name)), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        named = zip(columns, row, strict=True)
        texts = (f"{cell:,.{digits}f}" if name in money else harmless(shown(cell)) for name, cell in named)
        table.add_row(*map(escape, texts))
    OUT.print(table)


def shown(value: Any) -> str:
    """Return a value as people write it: thousands separated, at most four decimals."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.2f}" if abs(value) >= 100 else f"{value:.4f}".rstrip("0").rstrip(".") or "0"  # noqa: PLR2004
    return str(value)


def harmless(text: str) -> str:
    """Return text from data with each control character written out, so that it steers no terminal."""
    return text.translate(_CONTROLS)


def abbreviated(fingerprint: str | None) -> str | None:
    """Return the first characters of a fingerprint, which are enough to compare by eye."""
    return fingerprint[:_FINGERPRINT_LENGTH] if fingerprint else None


def say(text: str) -> None:
    """Print text from data on stdout as it is."""
    OUT.print(harmless(text), markup=False, highlight=False, soft_wrap=True)


def emit(result: Any) -> None:
    """Print one JSON object on stdout."""
    sys.stdout.write(json_text(result) + "\n")


def show_record(title: str, record: dict[str, Any], *, as_json: bool) -> None:
    """Print a record as one JSON object, or as a table of one row."""
    if as_json:
        emit(record)
    else:
        show_table(title, list(record), [list(record.values())])


def remark(text: str) -> None:
    """Print a message on stderr."""
    ERR.print(escape(harmless(text)), highlight=False, soft_wrap=True)
