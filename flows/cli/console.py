"""What people see in the terminal: tables on stdout, progress and remarks on stderr, or one JSON object."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape

from catalog.json_text import json_text
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
    lesser: Sequence[str] = (),
) -> None:
    """Print a table: numbers right-aligned, columns of money with so many digits, text from data taken literally.

    Where the terminal is too narrow for whole words, `lesser` columns are left out, the first named first.
    """
    from rich.table import Table

    texts = [
        [
            f"{value:,.{digits}f}" if name in money else harmless(shown(value))
            for name, value in zip(columns, row, strict=True)
        ]
        for row in rows
    ]
    kept, widths = _fitting([harmless(name) for name in columns], texts, lesser)
    if left_out := [name for position, name in enumerate(columns) if position not in kept]:
        caption = f"{caption or ''}; left out for want of width: {', '.join(left_out)}".removeprefix("; ")
    title, caption = harmless(title), caption and harmless(caption)
    table = Table(title=title, caption=caption, title_justify="left", caption_justify="left", title_style="bold")
    for position, width in zip(kept, widths, strict=True):
        numeric = bool(rows) and all(isinstance(row[position], int | float | None) for row in rows)
        head, justify = escape(harmless(columns[position])), "right" if numeric else "left"
        table.add_column(head, justify=justify, overflow="fold", width=width)  # type: ignore[arg-type]
    for row_texts in texts:
        table.add_row(*(escape(row_texts[position]) for position in kept))
    OUT.print(table)


def _fitting(
    columns: Sequence[str], texts: Sequence[Sequence[str]], lesser: Sequence[str]
) -> tuple[list[int], list[int | None]]:
    """Return the columns that fit the terminal, and how wide each is: None is as rich likes.

    No word is broken while each column can have its longest one; what is left goes to those with more to say.
    """
    from rich.cells import cell_len

    cells = [[name, *(row[position] for row in texts)] for position, name in enumerate(columns)]
    longest = [max(cell_len(word) for cell in own for word in (*cell.split(" "), "")) for own in cells]
    wanted = [max(cell_len(line) for cell in own for line in (*cell.splitlines(), "")) for own in cells]
    kept, leaving = list(range(len(columns))), [columns.index(name) for name in lesser if name in columns]

    def room(needed: Sequence[int]) -> int:
        return (
            OUT.width - 3 * len(kept) - 1 - sum(needed[position] for position in kept)
        )  # lines and spaces beside cells

    while room(longest) < 0 and leaving:
        kept.remove(leaving.pop(0))
    if room(wanted) >= 0 or (spare := room(longest)) < 0:
        return kept, [None] * len(kept)
    more = sum(wanted[position] - longest[position] for position in kept)
    return kept, [longest[at] + (wanted[at] - longest[at]) * spare // more for at in kept]


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


def remark(text: str) -> None:
    """Print a message on stderr."""
    ERR.print(escape(harmless(text)), highlight=False, soft_wrap=True)
