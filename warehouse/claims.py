"""Claims about the data, as queries that return the rows that break them."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from catalog.settings import Settings
from warehouse.connection import workbench

_FOLDER = Path(__file__).parent / "assertions"
_SHOWN = 3


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


def broken_claims(settings: Settings, business_dates: Iterable[dt.date]) -> list[BrokenClaim]:
    """Run every assertion on each date and return those that do not hold."""
    broken = []
    with workbench(settings) as connection:
        for path in sorted(_FOLDER.glob("*.sql")):
            query = path.read_text(encoding="utf-8")
            for date in business_dates:
                rows = connection.execute(query, {"business_date": date}).fetchall()
                if rows:
                    broken.append(BrokenClaim(path.stem, date, len(rows), tuple(rows[:_SHOWN])))
    return broken
