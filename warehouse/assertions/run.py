"""Claims about the data, as queries that return the rows that break them."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from catalog.settings import Settings
from warehouse.connection import workbench

_FOLDER = Path(__file__).parent
_SHOWN = 3
_ROWS_AT_ONCE = 2_000_000


@dataclass(frozen=True)
class BrokenClaim:
    """One claim that does not hold on a date, with the first rows that break it."""

    claim: str
    business_date: dt.date
    rows: int
    examples: tuple[tuple[object, ...], ...]

    def __str__(self) -> str:
        shown = "; ".join(", ".join(map(str, row)) for row in self.examples)
        return f"{self.business_date}: not true that {self.claim.replace('_', ' ')}: {self.rows} rows, such as {shown}"


def portions(rows_of: Mapping[dt.date, int]) -> Iterator[list[dt.date]]:
    """Cut dates into portions to check at once: as many dates, in order, as hold about two million rows."""
    portion: list[dt.date] = []
    rows_held = 0
    for date, rows in sorted(rows_of.items()):
        if portion and rows_held + rows > _ROWS_AT_ONCE:
            yield portion
            portion, rows_held = [], 0
        portion.append(date)
        rows_held += rows
    if portion:
        yield portion


def broken_claims(settings: Settings, business_dates: Iterable[dt.date]) -> list[BrokenClaim]:
    """Run every assertion once on all the dates and return those that do not hold, in order of claim and date."""
    dates = list(business_dates)
    broken = []
    with workbench(settings) as connection:
        for path in sorted(_FOLDER.glob("*.sql")):
            query = path.read_text(encoding="utf-8")
            rows_of: dict[dt.date, list[tuple[object, ...]]] = {}
            for date, *row in connection.execute(query, {"business_dates": dates}).fetchall():
                rows_of.setdefault(date, []).append(tuple(row))
            for date, rows in sorted(rows_of.items()):
                broken.append(BrokenClaim(path.stem, date, len(rows), tuple(rows[:_SHOWN])))
    return broken
