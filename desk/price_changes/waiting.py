"""How many prices wait for a person, and what waiting costs a day: told by the night, the monitor and `health`."""

import datetime as dt
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from catalog.currency import Currency
from desk.price_changes.record import TABLE, parts_on
from warehouse.lake import Lake
from warehouse.sold import newest_closed
from warehouse.workspace import Workspace


@dataclass(frozen=True)
class Waiting:
    """The prices of a business date that wait for a person.

    Attributes
    ----------
    cost
        What the prices that stand meanwhile are expected to earn less than the proposed ones, EUR a day, of the prices
        that a model knows.
    is_over
        Whether the date is sold, so that they waited in vain.
    """

    date: dt.date
    count: int
    cost: float
    is_over: bool = False

    def in_words(self, money: Currency) -> str | None:
        """Say in a sentence what waits and what that costs; None where nothing waits."""
        if not self.count:
            return None
        what = f"{self.count:,} price{' waits' if self.count == 1 else 's wait'} for approval"
        if self.is_over:
            what = f"{self.count:,} price{'' if self.count == 1 else 's'} waited for approval on {self.date}"
        if not self.costs(money):
            return f"{what}; waiting is not expected to cost anything"
        return f"{what}: waiting {'cost' if self.is_over else 'costs'} about {money.format_sum(self.cost)} a day"

    def costs(self, money: Currency) -> bool:
        """Return whether waiting is expected to cost anything."""
        return bool(self.count) and self.cost >= money.smallest / 2


def waiting_now(workspace: Workspace) -> Waiting | None:
    """Return what waits of the newest proposals; None where prices never wait, or none was proposed yet."""
    lake = workspace.lake
    if not workspace.catalog.store.approval.is_asked_for:
        return None
    made = ("proposals", "passed")
    date = next((own for own in lake.newest_dates(TABLE) if any(parts_on(lake, own, of) for of in made)), None)
    return None if date is None else waiting_on(lake, date)


def waiting_on(lake: Lake, date: dt.date) -> Waiting:
    """Return what waits of the proposals of a date: those of which nothing but the proposal is recorded."""
    closed = newest_closed(lake)
    columns = ("change", "event", "expected_cost")
    parts = [lake.read(part, columns) for part in parts_on(lake, date, "proposals")]
    if not parts:
        return Waiting(date, 0, 0.0, is_over=closed is not None and closed >= date)
    rows = pa.concat_tables(parts)
    is_proposed = pc.equal(rows["event"], "proposed")
    decided = rows.filter(pc.invert(is_proposed))["change"]
    waits = rows.filter(pc.and_(is_proposed, pc.invert(pc.is_in(rows["change"], value_set=decided))))
    cost = float(pc.sum(waits["expected_cost"]).as_py() or 0.0)
    return Waiting(date, len(waits), cost, is_over=closed is not None and closed >= date)
