"""Which nights are done, which comes next, what was decided in each, and whether one has to train.

A night comes after a business date. It is done when it was committed: its row in `nights` stands, together with the
price book of the day after, if it made one.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import pyarrow as pa

from catalog.errors import Declined
from catalog.load import Catalog
from catalog.tables.contracts import TABLES
from etl.calendar import DEFAULT_START, ONE_DAY, newest_sold
from features.attributes import attributes_of, telling
from features.cells import feature_workbench, seals_of_cells
from features.context import TABLES_OF_CONTEXT, seals_of_context
from features.footfall import demand_shifts
from serving.belief.sales import LOOKS_BACK
from serving.book.store import is_priced
from training.evening import Evening
from training.judge.believed_gain import BelievedGain
from warehouse.checks.proof import Span, prove
from warehouse.commits.commit import Commit
from warehouse.lake import Lake, Partition
from warehouse.origin import origin_of, sold_dates
from warehouse.partition import between
from warehouse.workspace import Workspace

_LEAST_DAYS = 2  # one to fit on, one to judge on
_QUIET = 3  # trainings in a row that could not matter
_NOTHING = 0.001  # of what is earned
_A_WEEK = dt.timedelta(days=7)
_NEWEST = 32  # model versions


class Due(NamedTuple):
    """Why a model is due, None if none is; and why a training is skipped that the schedule asks for."""

    because: str | None
    why_skipped: str | None = None


def why_due(evening: Evening) -> Due:
    """Return why a model is due after a business date, or why none is.

    What was learned from once is not learned from again, so a night that was interrupted goes on after its training.

    Raises
    ------
    ModelError
        When the registry is away.
    """
    workspace, through = evening.workspace, evening.date
    lake, every = workspace.lake, workspace.catalog.store.learning.train_every_days
    days = list(islice((day for day in lake.newest_dates("demand_cells") if day <= through), _LEAST_DAYS))
    versions = list(newest_versions(lake))
    judged = max((row["judged_through"] for row in versions), default=None)
    if len(days) < _LEAST_DAYS or (judged is not None and judged >= through):
        return Due(None)
    if judged is None:
        return Due("nothing was learned yet")
    champion, is_time = evening.champion, (through - judged).days >= every
    why_skipped = _why_skipped(evening, versions[:_QUIET]) if is_time else None
    if is_time and why_skipped is None:
        how_often = "every day" if every == 1 else f"every {every} days"
        return Due(f"the last training saw {judged}, and one is due {how_often}")
    if champion is None:
        return Due("there is no champion yet")
    first = champion.trained_through + ONE_DAY if champion.trained_through else dt.date.min
    prove(workspace.lake, (Span("drift_checks", first, through),))
    with feature_workbench(workspace.settings, within=between(first, through)) as connection:
        shifts = demand_shifts(connection, through, champion.version)
    if shifts:
        return Due(f"demand changed on {shifts[-1]}, and champion {champion.version} does not know")
    return Due(None, why_skipped)


def _why_skipped(evening: Evening, newest: list[dict[str, Any]]) -> str | None:
    """Return why a training could not matter; None where it could, or where that is unknown."""
    store, champion = evening.workspace.catalog.store, evening.champion
    least = store.learning.rest_below
    if not least or champion is None or champion.trained_through is None or len(newest) < _QUIET:
        return None
    gains = [gain for row in newest if (gain := _gain_of(row)) is not None]
    if len(gains) < _QUIET:
        return None
    if tells_nothing_apart(evening.workspace) and all(gain.is_within(_NOTHING) for gain in gains):
        why, or_when = (
            f"nothing but weekdays tells days apart and nothing tells products apart, so none could earn "
            f"{100 * _NOTHING:g} % more",
            "for the record",
        )
        asked_again = newest[0]["judged_through"] + _A_WEEK
    else:
        if any(gain.upper >= least * gain.usual for gain in gains) or any(map(_hears_of_days, newest)):
            return None
        why = f"each of the last {_QUIET} could earn less than {100 * least:g} % more than the prices in force"
        or_when = "or when demand changes"
        asked_again = champion.trained_through + dt.timedelta(days=store.gate.stale_after_days + 1)
    if evening.date >= asked_again:
        return None
    return f"no model was trained: {why}; the next is due in the night after {asked_again}, {or_when}"


def _hears_of_days(row: dict[str, Any]) -> bool:
    """Return whether some of what a judged version says of days holds, a row of `model_versions`."""
    return bool(json.loads(row["metrics"]).get("day_share"))


def _gain_of(row: dict[str, Any]) -> BelievedGain | None:
    """Return the believed gain of a judged version, a row of `model_versions`; None where no belief was asked."""
    believed = json.loads(row["money"] or "{}").get("believed")
    return BelievedGain(**believed) if believed else None


def tells_nothing_apart(workspace: Workspace) -> bool:
    """Return whether no forest could say anything beforehand: no context tells days apart, no attribute products."""
    lake, catalog = workspace.lake, workspace.catalog
    is_known = np.ones(len(catalog.skus), dtype=bool)
    has_context = catalog.store.country is not None or catalog.store.pay_day is not None
    has_context |= any(lake.receipt(Partition(name, None, "all")) is not None for name in TABLES_OF_CONTEXT)
    return not has_context and telling(attributes_of(catalog), is_known) is None


def newest_versions(lake: Lake) -> Iterator[dict[str, Any]]:
    """Yield the rows of the newest model versions, the newest first.

    People may train through an earlier date again, so the newest is not enough. Beyond some dozens none is looked at:
    there is one more for every night.
    """
    judged = sorted(lake.partitions("model_versions"), key=lambda part: int(part.group.removeprefix("v")), reverse=True)
    return (lake.read(part).to_pylist()[0] for part in judged[:_NEWEST])


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
    opens
        The business date that was priced, where that is not the day after: the next opening of an outside store.
    """

    business_date: dt.date
    outcome: Outcome
    judged_version: str | None = None
    promoted: bool = False
    priced_by: str | None = None
    said: str | None = None
    opens: dt.date | None = None

    @property
    def prices_for(self) -> dt.date:
        """The business date that was priced: the day after, or the next opening."""
        return self.opens or self.business_date + ONE_DAY

    @property
    def remark(self) -> str | None:
        """What a person should know about the night; None when all went as usual."""
        held = "old prices hold: " if self.outcome == "old prices hold" else ""
        return f"{self.prices_for}: {held}{self.said}" if self.said else None


class NewPrices(Protocol):
    """Prices that a night makes, a price book or a draw: they are committed with it."""

    def stage(self, lake: Lake, commit: Commit) -> None:
        """Publish them in a commit."""
        ...


def record(lake: Lake, night: Night, inputs: str, prices: NewPrices | None = None) -> None:
    """Commit what was decided, from what, and the prices that came of it: from here on the night is done."""
    schema = TABLES["nights"].schema
    rows = pa.Table.from_pylist([{name: getattr(night, name) for name in schema.names}], schema=schema)
    with lake.commit(f"night-{night.business_date}", inputs=inputs) as commit:
        if prices is not None:
            prices.stage(lake, commit)
        commit.publish(_part(night.business_date), rows)


def decided_from(lake: Lake, date: dt.date) -> str | None:
    """Return the fingerprint of what the night after a date was decided from; None when it left no record."""
    receipt = lake.receipt(_part(date))
    return None if receipt is None else receipt.inputs


def inputs_of_night(lake: Lake, catalog: Catalog, date: dt.date, seed: int) -> str:
    """Fingerprint of what decides the night after a date: catalog, seed, cells it looks back to, and announcements.

    Cells that came late for a day before those are not learned from, so they change no decision.
    """
    digest = hashlib.sha256(f"{catalog.fingerprint}:{seed}\n".encode())
    first = night_looks_back_to(catalog, date)
    for _, seal in seals_of_cells(lake, first, date):
        digest.update(seal.encode())
    for seal in seals_of_context(lake, first, date + ONE_DAY):
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
    opens = row.pop("prices_for")
    return Night(date, opens=opens if opens != date + ONE_DAY else None, **row)


def is_done(lake: Lake, date: dt.date) -> bool:
    """Return whether the night after a date is done: its record stands, and the book it speaks of."""
    if decided_from(lake, date) is None:
        return False
    return recorded(lake, date).outcome != "priced" or is_priced(lake, date + ONE_DAY)


def needs_a_decision(lake: Lake, date: dt.date) -> bool:
    """Return whether the night after a date is yet to do, and of use: a day that is sold already needs no prices."""
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
    last, first = newest + ONE_DAY, min(sold_dates(lake), default=newest)
    if date < first:
        expected = f"on or after {first}, the first with decisions"
        remedy = f"play days before it with `shelfprice backfill --start {date} --end {first - ONE_DAY}`"
    elif date > newest and origin_of(lake.store) == "retailer":
        expected = f"up to {newest}, the last ingested, since none is simulated"
        remedy = "ingest its decisions first"
    elif date > last:
        expected = f"up to {last}, the day after the newest with decisions"
        remedy = f"fill the days between with `shelfprice backfill --start {last} --end {date}`"
    else:
        return
    raise Declined(f"expected a date {expected}, found {date}: nothing was done; {remedy}")


def _part(date: dt.date) -> Partition:
    return Partition("nights", date, "all")
