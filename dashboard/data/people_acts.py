"""What people did to prices while time went by: marks for a chart over time."""

import datetime as dt
from typing import Any, NamedTuple

import pandas as pd

from catalog.wall_clock import WallClock
from dashboard.data.reader import Reader
from dashboard.formats import count, euros

_MOST = 12
_KINDS = {"price": "approved", "override": "override", "freeze": "frozen", "kill_switch": "kill switch"}


class PersonsAct(NamedTuple):
    """One thing that people did: from when it counts, in the store's time, and what it is in a few words."""

    at: dt.datetime
    label: str


def marks_of(
    reader: Reader, clock: WallClock, store: str, sku: str | None, first: dt.date, last: dt.date
) -> list[PersonsAct]:
    """Return the newest marks of a store, of one product or of all, on the dates from `first` through `last`."""
    if not reader.dates("price_changes"):
        return []
    found = reader.ask(
        "acts_of_people",
        ("price_changes",),
        store=store,
        sku=sku,
        last=last,
        first_moment=clock.at(dt.datetime.combine(first, dt.time())),
        last_moment=clock.midnight_after(last),
        most=_MOST,
    )
    return [PersonsAct(clock.local(row["counts_from"]), _label(row)) for row in found.to_dict("records")]


def _label(row: dict[Any, Any]) -> str:
    what = "promotion" if row["announced"] else _KINDS[row["kind"]]
    many = f"{count(row['count_changes'])} " if row["count_changes"] > 1 else ""
    price = "" if many or pd.isna(row["new_price"]) else f" {euros(row['new_price'])}"
    return f"{many}{what}{' ends' if row['event'] == 'withdrawn' else price}"
