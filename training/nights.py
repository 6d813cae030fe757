"""Which nights are done, which comes next, and what was decided in each.

A night comes after a business date. It is done when it was committed: its row in `nights` stands, together with the
price book of the day after, if it made one.
"""

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from catalog.errors import Declined
from catalog.load import Catalog
from catalog.tables.nights import NIGHTS
from etl.business_dates import DEFAULT_START, ONE_DAY, newest_sold
from features.cells import seals_of_cells
from serving.belief.log import LOOKS_BACK
from serving.book_store import NewBook
from serving.make_book import is_priced
from warehouse.lake import Lake, Partition
from warehouse.origin import origin_of
from warehouse.sold import sold_dates

Outcome = Literal["priced", "old prices hold", "base prices stay"]


@dataclass(frozen=True)
class Night:
    """What was decided in the night after a business date.

    Attributes
    ----------
    outcome
        What became of the prices of the day after.
    judged_version, promoted
        The model version that was judged through the date, and whether the gate made it champion; None without one.
    priced_by
        Model version behind the prices of the day after; None at base prices.
    said
        What the challenger is expected to earn, how sure that is, and what happens next; or what did not go as usual.
        None when there is nothing to say.
    """

    business_date: dt.date
    outcome: Outcome
    judged_version: str | None = None
    promoted: bool = False
    priced_by: str | None = None
    said: str | None = None

    @property
    def prices_for(self) -> dt.date:
        """The business date that was priced: the day after."""
        return self.business_date + ONE_DAY

    @property
    def remark(self) -> str | None:
        """What a person should know about the night; None when all went as usual."""
        held = "old prices hold: " if self.outcome == "old prices hold" else ""
        return f"{self.prices_for}: {held}{self.said}" if self.said else None


def record(lake: Lake, night: Night, inputs: str, book: NewBook | None = None) -> None:
    """Commit what was decided, from what, and the price book that came of it: from here on the night is done."""
    rows = pa.table({name: [getattr(night, name)] for name in NIGHTS.schema.names}, schema=NIGHTS.schema)
    with lake.commit(f"night-{night.business_date}", inputs=inputs) as commit:
        if book is not None:
            book.stage(lake, commit)
        commit.publish(_part(night.business_date), rows)


def decided_from(lake: Lake, date: dt.date) -> str | None:
    """Return the fingerprint of what the night after a date was decided from; None when it left no record."""
    receipt = lake.receipt(_part(date))
    return None if receipt is None else receipt.inputs


def inputs_of(lake: Lake, catalog: Catalog, date: dt.date, seed: int) -> str:
    """Fingerprint of what decides the night after a date: the catalog, the seed and the demand cells it looks back to.

    Cells that came late for a day before those are not learned from, so they change no decision.
    """
    digest = hashlib.sha256(f"{catalog.fingerprint}:{seed}\n".encode())
    for _, seal in seals_of_cells(lake, night_looks_back_to(catalog, date), date):
        digest.update(seal.encode())
    return digest.hexdigest()


def night_looks_back_to(catalog: Catalog, date: dt.date) -> dt.date:
    """Return the first date that the night after a date learns from: the forests' window, or the belief's if longer."""
    window = catalog.store.learning.window_days
    return dt.date.min if window is None else date - dt.timedelta(days=max(window, LOOKS_BACK) - 1)


def recorded(lake: Lake, date: dt.date) -> Night:
    """Return what was decided in the night after a date; without a record, what its price book shows."""
    if decided_from(lake, date) is None:
        return Night(date, "priced" if is_priced(lake, date + ONE_DAY) else "base prices stay")
    row = lake.read(_part(date)).to_pylist()[0]
    del row["prices_for"]
    return Night(date, **row)


def is_done(lake: Lake, date: dt.date) -> bool:
    """Tell whether the night after a date is done: its record stands, and the book it speaks of."""
    if decided_from(lake, date) is None:
        return False
    return recorded(lake, date).outcome != "priced" or is_priced(lake, date + ONE_DAY)


def needs_a_decision(lake: Lake, date: dt.date) -> bool:
    """Tell whether the night after a date is yet to do, and of use: a day that is sold already needs no prices."""
    return date == newest_sold(lake) and not is_done(lake, date)


def night_to_do(lake: Lake) -> dt.date:
    """Return the date whose night comes next.

    It is the newest date with decisions while its night is not done, else the day after. A lake that is fed from
    outside is never simulated, so there it is the newest date with decisions in any case.
    """
    newest = newest_sold(lake)
    if newest is None:
        return DEFAULT_START
    is_next = is_done(lake, newest) and origin_of(lake.store) == "twin"
    return newest + ONE_DAY if is_next else newest


def refuse_what_cannot_be_closed(lake: Lake, date: dt.date) -> None:
    """Refuse a date whose night would leave a gap before it, or would price a day that is sold already.

    Raises
    ------
    Declined
        With the dates there are and the command that does it.
    """
    newest = newest_sold(lake)
    if newest is None:
        return
    if date < newest and date < (first := min(sold_dates(lake), default=newest)):
        raise Declined(
            f"expected a date on or after {first}, the first with decisions, found {date}: nothing was done; play days "
            f"before it with `shelfprice backfill --start {date} --end {first - ONE_DAY}`"
        )
    if date > newest and origin_of(lake.store) == "retailer":
        raise Declined(
            f"the decisions of {newest} were ingested, so {date} is not simulated: nothing was done; "
            "ingest its decisions first"
        )
    if date > newest + ONE_DAY:
        raise Declined(
            f"expected a date up to {newest + ONE_DAY}, the day after the newest with decisions, found {date}: nothing "
            f"was done; fill the days between with `shelfprice backfill --start {newest + ONE_DAY} --end {date}`"
        )


def _part(date: dt.date) -> Partition:
    return Partition("nights", date, "all")
