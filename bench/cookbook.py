"""The answers of the SQL cookbook, from the lake that the page describes: `make cookbook`.

The page is its own source: every block of SQL is run and what stands below it as a table is replaced by the answer.
"""

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from catalog.settings import read_settings
from flows.cli.console import shown
from warehouse.connection import read_only

PAGE = Path(__file__).parent.parent / "docs" / "sql-cookbook.md"
_RECIPE = re.compile(
    r"### (?P<title>[^\n]+)\n\n```sql\n(?P<query>.*?)\n```\n\n(?P<answer>(?:\|[^\n]*\n)*)\n?", re.DOTALL
)
_EXACT = re.compile(r"\n## The first week.*?(?=\n## )", re.DOTALL)

Answer = tuple[Sequence[str], Sequence[Sequence[Any]]]


@dataclass(frozen=True)
class Recipe:
    """One question, its query, the table below it as it stands on the page, and whether it is the same everywhere."""

    title: str
    query: str
    answer: str
    exact: bool


def recipes(page: str) -> Iterator[Recipe]:
    """Yield the recipes of a page; those of the first week are the same wherever it is played."""
    first_week = _EXACT.search(page)
    for found in _RECIPE.finditer(page):
        exact = first_week is not None and first_week.start() < found.start() < first_week.end()
        yield Recipe(found["title"], found["query"], found["answer"], exact)


def written(answer: Answer) -> str:
    """Write an answer as a Markdown table; numbers stand to the right."""
    columns, rows = answer
    numeric = [all(isinstance(row[position], int | float | None) for row in rows) for position in range(len(columns))]
    lines = [
        list(columns),
        ["---:" if right else "---" for right in numeric],
        *([shown(value).replace("|", "\\|") for value in row] for row in rows),
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def answered(page: str, ask: Callable[[str], Answer]) -> str:
    """Return a page with the answer below every query as it is now."""
    return _RECIPE.sub(
        lambda found: f"### {found['title']}\n\n```sql\n{found['query']}\n```\n\n{written(ask(found['query']))}\n", page
    )


def asking(connection: duckdb.DuckDBPyConnection) -> Callable[[str], Answer]:
    """Return what asks a connection."""

    def ask(query: str) -> Answer:
        result = connection.execute(query)
        return [column[0] for column in result.description or []], result.fetchall()

    return ask


if __name__ == "__main__":
    with read_only(read_settings()) as warehouse:
        PAGE.write_text(answered(PAGE.read_text(encoding="utf-8"), asking(warehouse)), encoding="utf-8")
    sys.stdout.write(f"{PAGE}: {sum(1 for _ in recipes(PAGE.read_text(encoding='utf-8')))} questions answered\n")
