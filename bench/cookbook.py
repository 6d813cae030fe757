"""The answers of the SQL cookbook, from the lakes that the page describes: `make cookbook`.

The page is its own source: every block of SQL is run and what stands below it as a table is replaced by the answer.
What it asks about stock is asked of two weeks that are played for it, see `bench.fresh_weeks`.
"""

import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from bench.fresh_weeks import play_fresh_weeks
from catalog.settings import read_settings
from flows.cli.console import shown
from warehouse.connection import read_only

PAGE = Path(__file__).parent.parent / "docs" / "sql-cookbook.md"
_RECIPE = re.compile(
    r"### (?P<title>[^\n]+)\n\n```sql\n(?P<query>.*?)\n```\n\n(?P<answer>(?:\|[^\n]*\n)*)\n?", re.DOTALL
)
_EXACT = re.compile(r"\n## The first week.*?(?=\n## )", re.DOTALL)
_OF_STOCK = re.compile(r"\n## Two weeks of stock.*?(?=\n## |\Z)", re.DOTALL)

Answer = tuple[Sequence[str], Sequence[Sequence[Any]]]


@dataclass(frozen=True)
class Recipe:
    """One question on the page.

    Attributes
    ----------
    title, query
        The question, and its SQL.
    answer
        The table below it as it stands on the page.
    exact
        Whether the answer is the same wherever the first week is played.
    of_stock
        Whether it is asked of the weeks whose stock lives over days; that answer is the same everywhere too.
    """

    title: str
    query: str
    answer: str
    exact: bool
    of_stock: bool


def recipes(page: str) -> Iterator[Recipe]:
    """Yield the recipes of a page, in order."""
    exact, of_stock = _EXACT.search(page), _OF_STOCK.search(page)
    for found in _RECIPE.finditer(page):
        yield Recipe(found["title"], found["query"], found["answer"], _is_in(found, exact), _is_in(found, of_stock))


def _is_in(found: re.Match[str], section: re.Match[str] | None) -> bool:
    return section is not None and section.start() < found.start() < section.end()


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


def answered(page: str, ask: Callable[[Recipe], Answer]) -> str:
    """Return a page with the answer below every query as it is now."""
    asked = recipes(page)

    def with_answer(_found: re.Match[str]) -> str:
        recipe = next(asked)
        return f"### {recipe.title}\n\n```sql\n{recipe.query}\n```\n\n{written(ask(recipe))}\n"

    return _RECIPE.sub(with_answer, page)


def asking(connection: duckdb.DuckDBPyConnection) -> Callable[[str], Answer]:
    """Return what asks a connection."""

    def ask(query: str) -> Answer:
        result = connection.execute(query)
        return [column[0] for column in result.description or []], result.fetchall()

    return ask


def answer_page() -> int:
    """Write the answers of the page anew and return how many there are."""
    page = PAGE.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as home, read_only(read_settings()) as warehouse:
        fresh = read_settings({"SHELFPRICE_HOME": home})
        play_fresh_weeks(fresh)
        with read_only(fresh) as fresh_warehouse:
            of_stock, of_weeks = asking(fresh_warehouse), asking(warehouse)
            page = answered(page, lambda recipe: (of_stock if recipe.of_stock else of_weeks)(recipe.query))
    PAGE.write_text(page, encoding="utf-8")
    return sum(1 for _ in recipes(page))


if __name__ == "__main__":
    sys.stdout.write(f"{PAGE}: {answer_page()} questions answered\n")
