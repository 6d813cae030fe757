"""Whether a file may enter the lake as it is, and which days of earlier files it takes the place of.

A file replaces days when that is asked for, or when it has the name of an earlier file and its stores: then it is a new
edition of it. Nothing is replaced or mixed in silence.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from catalog.errors import DataError, Declined
from plugins.own_store.history.admission import Replaced, rows_and_units
from plugins.own_store.history.columns import Grain
from warehouse.lake import Lake
from warehouse.origin import SOLD, sold_on


@dataclass(frozen=True)
class CorrectionRequest:
    """What is asked for beside reading a file: dates to replace whole, and whether its new stores are to be added."""

    replace: tuple[dt.date, ...] = ()
    add_stores: bool = False


NOTHING_ASKED = CorrectionRequest()


def dates_of(text: str) -> tuple[dt.date, ...]:
    """Read a date, or a first and a last one such as 2026-01-05..2026-01-07.

    Raises
    ------
    DataError
        When it is neither.
    """
    first, dots, last = text.partition("..")
    try:
        begin = dt.date.fromisoformat(first.strip())
        end = dt.date.fromisoformat(last.strip()) if dots else begin
    except ValueError:
        begin, end = dt.date.max, dt.date.min
    if begin > end:
        raise DataError(
            f"--replace {text[:80]}: expected a date, or two in order such as 2026-01-05..2026-01-07; nothing was read"
        )
    return tuple(begin + dt.timedelta(days=day) for day in range((end - begin).days + 1))


def replacement(
    lake: Lake, part: str, file: str, dates: Collection[dt.date], stores: Collection[str], asked: CorrectionRequest
) -> dict[dt.date, Replaced]:
    """Find what a file replaces, date by date.

    Parameters
    ----------
    dates, stores
        What the file has rows of.

    Raises
    ------
    DataError
        When a date is to be replaced of which the file has no row.
    """
    empty = sorted(set(asked.replace).difference(dates))
    if empty:
        raise DataError(
            f"{file}: expected rows of every date that --replace names, found none of {empty[0]}; nothing was "
            "published: leave that date out"
        )
    editions = _earlier_editions(lake, part, file)
    found: dict[dt.date, Replaced] = {}
    for day in dates:
        others = {own.group for own in sold_on(lake, day) if own.group != part}
        own_name = {group for group in others & editions if _stores_on(lake, day, group) <= set(stores)}
        gone = others if day in asked.replace else own_name
        if gone:
            found[day] = _replaced(lake, day, frozenset(gone))
    return found


def _replaced(lake: Lake, day: dt.date, parts: frozenset[str]) -> Replaced:
    held = [rows_and_units(own.table, lake.read(own)) for own in sold_on(lake, day) if own.group in parts]
    return Replaced(parts, sum(rows for rows, _ in held), sum(units for _, units in held))


def refuse_another_grain(lake: Lake, part: str, grain: Grain) -> None:
    """Refuse visits where units are kept, and units where visits are: both count the same sales.

    Raises
    ------
    Declined
        When another file in the lake has the other grain.
    """
    table = SOLD[1] if grain == "visits" else SOLD[0]
    if any(own.group != part for own in lake.partitions(table)):
        held, found = ("units or receipts", "visits") if grain == "visits" else ("visits", grain)
        raise Declined(
            f"expected {held} like the other files in the lake in {lake.address}, found {found}; nothing was "
            "published, for both would count the same sales: set SHELFPRICE_HOME to a folder of its own"
        )


def _earlier_editions(lake: Lake, part: str, file: str) -> set[str]:
    own = [one for one in lake.partitions("ingested_files") if one.group != part]
    return {one.group for one in own if lake.read(one)["file"].to_pylist() == [file]}


def _stores_on(lake: Lake, day: dt.date, group: str) -> set[str]:
    parts = [own for own in sold_on(lake, day) if own.group == group]
    return {store for own in parts for store in lake.read(own)["store_id"].unique().to_pylist()}
