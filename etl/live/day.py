"""A day that is still being sold: its rows in the lake tick after tick, and how to go on from them.

A live day stands in `live_interactions` and `live_repricings`, one part for each store and date, committed together
after every tick with what its policy learned, which stands in `belief_updates`. The receipt of the decisions says up to
which tick the day is sold. When the day closes, its rows become an ordinary batch under the name of the live part,
which the views then show instead. So a kill at any moment leaves a day that can be read, and that goes on where it
stopped.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.decisions.pricing import LearnsWhileSelling, Marked, Policy, Sold
from catalog.errors import LakeError
from catalog.load import Catalog
from catalog.names import LIVE_GROUP
from etl.ledger import commit_of, in_force_in
from etl.load import DayRows, conform, load_rows
from warehouse.lake import Lake, Partition, Published
from warehouse.partition import Within


@dataclass(frozen=True)
class LiveDay:
    """Name of one live day."""

    store: str
    business_date: dt.date

    def part(self, table: str) -> Partition:
        """Return the day's partition of a table."""
        return Partition(table, self.business_date, LIVE_GROUP + self.store)

    @property
    def commit(self) -> str:
        """Name of the day's commit: every tick makes it anew, and so does the closing."""
        return commit_of(self.business_date, LIVE_GROUP + self.store)

    def is_closed(self, lake: Lake) -> bool:
        """Tell whether the day has become a batch."""
        return lake.receipt(self.part("interactions")) is not None


def is_live(partition: Partition) -> bool:
    """Tell whether a partition is of a day that was sold live, or is being sold."""
    return partition.group.startswith(LIVE_GROUP)


@dataclass(frozen=True)
class Mark:
    """How far a live day is sold, kept as the inputs of its receipt.

    Attributes
    ----------
    priced_by
        Fingerprint of everything that decided the ticks of the newest stretch.
    since, tick
        First tick of that stretch, and the tick that comes next.
    seed
        Seed of the world.
    """

    priced_by: str
    since: int
    tick: int
    seed: int

    def __str__(self) -> str:
        return f"{self.priced_by}:{self.since}:{self.tick}"


@dataclass(frozen=True)
class SoldSoFar:
    """What the lake holds of a live day; an outside store has decided the prices of its next tick before it begins."""

    rows: DayRows
    mark: Mark


def days_sold_live(lake: Lake, within: Within | None = None) -> list[LiveDay]:
    """Return every day that is, or was, sold live, in order of date and store; of some dates, if asked."""
    return _live_days([*lake.partitions("interactions", within), *lake.partitions("live_interactions", within)])


def days_with_live_parts(lake: Lake) -> list[LiveDay]:
    """Return the days that are being sold live, and the newest one of each store that closed, in the same order.

    When a day closes, its store's earlier live parts are cleared away: so these are few, however long the store sells.
    """
    return _live_days(lake.partitions("live_interactions"))


def _live_days(parts: Iterable[Partition]) -> list[LiveDay]:
    found = {
        (part.business_date, part.group.removeprefix(LIVE_GROUP))
        for part in parts
        if part.business_date is not None and part.group.startswith(LIVE_GROUP)
    }
    return [LiveDay(store, business_date) for business_date, store in sorted(found)]


def publish_tick(lake: Lake, day: LiveDay, rows: DayRows, mark: Mark) -> None:
    """Commit the rows of a live day up to a tick."""
    learned, kept = rows.belief_updates, lake.receipt(day.part("belief_updates"))
    with lake.commit(day.commit, inputs=str(mark), seed=mark.seed, amends=True) as commit:
        if learned is not None and learned.num_rows != (kept.rows if kept else 0):
            commit.publish(day.part("belief_updates"), learned)
        taken, kept = rows.substitutions, lake.receipt(day.part("substitutions"))
        if taken is not None and (kept is None or taken.num_rows != kept.rows):
            commit.publish(day.part("substitutions"), taken)
        commit.publish(day.part("live_repricings"), rows.repricings)
        commit.publish(day.part("live_interactions"), conform(rows.interactions))


def sold_so_far(lake: Lake, day: LiveDay, until: int | None = None) -> SoldSoFar | None:
    """Return what was sold of a live day, or None when no tick of it was published.

    Parameters
    ----------
    until
        Tick up to which sales count, for a caller that looks at the store as it stood then: the store may have sold on
        since. None is all of them.

    Raises
    ------
    LakeError
        When a part is there and cannot be used.
    """
    decisions = day.part("live_interactions")
    if not lake.holds(decisions):  # asked first: a receipt is there before what it proves, never after
        return None
    receipt = lake.receipt(decisions)
    if receipt is None:
        raise LakeError(f"{lake.where(decisions)}: expected a receipt, found none; run `shelfprice health --files`")
    priced_by, since, tick = receipt.inputs.rsplit(":", 2)
    upto = int(tick) if until is None else min(int(tick), until)
    mark = Mark(priced_by, int(since), upto, receipt.seed or 0)
    beside = [day.part("belief_updates"), day.part("substitutions")]
    updates, taken = (lake.read(part) if lake.receipt(part) else None for part in beside)
    rows = DayRows(lake.read(decisions), lake.read(day.part("live_repricings")), updates, substitutions=taken)
    decided = rows.repricings.filter(pc.less_equal(rows.repricings["tick"], mark.tick))
    return SoldSoFar(replace(before(rows, mark.tick), repricings=decided), mark)


def close_day(lake: Lake, catalog: Catalog, day: LiveDay, rows: DayRows, mark: Mark) -> Published:
    """Make an ordinary batch of a day that was sold to the end, and clear away the store's earlier live parts.

    The day's own live part stays until the next day closes, hidden by the views, so that a query that began before
    the batch was there finds what it looked for.
    """
    inputs = mark.priced_by if mark.since == 0 else f"{mark.priced_by}:{mark.since}"
    group = day.part("interactions").group
    ledger = in_force_in(lake, day.business_date, group)
    whole = replace(rows, in_force=ledger)
    published = load_rows(lake, catalog, whole, day.business_date, group, inputs=inputs, seed=mark.seed)[-1]
    clear_away(lake, day)
    return published


def clear_away(lake: Lake, day: LiveDay) -> None:
    """Clear away the live parts of a store's days before one that has closed."""
    for other in days_with_live_parts(lake):
        if other.store == day.store and other.business_date < day.business_date and other.is_closed(lake):
            discard(lake, other)


def discard(lake: Lake, day: LiveDay) -> None:
    """Take the live part of a day away, decisions first: without their receipt the rest does not count."""
    lake.remove(day.part("live_interactions"))
    lake.remove(day.part("live_repricings"))
    if not day.is_closed(lake):
        lake.remove(day.part("belief_updates"))
        lake.remove(day.part("substitutions"))


def before(rows: DayRows, tick: int) -> DayRows:
    """Return the rows of the ticks before one, and what was learned up to it."""
    learned, taken = rows.belief_updates, rows.substitutions
    return DayRows(
        rows.interactions.filter(pc.less(rows.interactions["tick"], tick)),
        rows.repricings.filter(pc.less(rows.repricings["tick"], tick)),
        None if learned is None else learned.filter(pc.less_equal(learned["tick"], tick)),
        substitutions=None if taken is None else taken.filter(pc.less(taken["tick"], tick)),
    )


def sold_in(rows: DayRows, catalog: Catalog, ticks: int) -> Iterator[Sold]:
    """Yield what each of the first ticks of one store's day brought, for a policy that takes over in its middle."""
    names = ["tick", "sku", "price_offered", "inventory_level", "purchased", "sticker_eur"]
    decisions = rows.interactions.select(names).to_pandas()
    positions = catalog.positions
    product = decisions["sku"].astype(str).map(positions).to_numpy(dtype=np.int64)
    cell = (decisions["tick"].to_numpy(dtype=np.int64), product)
    shape, sticker = (ticks, len(catalog.skus)), decisions["sticker_eur"].to_numpy(dtype=float)
    is_marked = np.isfinite(sticker)
    at_label, at_sticker = (tuple(own[rows] for own in cell) for rows in (~is_marked, is_marked))
    prices = np.broadcast_to(catalog.base_prices, shape).copy()  # nobody saw the price where nobody came
    prices[at_label] = decisions["price_offered"].to_numpy()[~is_marked]
    stickers = np.full(shape, np.nan)
    stickers[at_sticker] = sticker[is_marked]
    visits, met, bought, met_sticker, bought_then = (np.zeros(shape, dtype=np.int64) for _ in range(5))
    is_bought = decisions["purchased"].to_numpy(dtype=np.int64)
    np.add.at(visits, cell, 1)
    np.add.at(met, cell, (decisions["inventory_level"] > 0).to_numpy(dtype=np.int64))
    np.add.at(bought, cell, is_bought)
    np.add.at(met_sticker, at_sticker, 1)
    np.add.at(bought_then, at_sticker, is_bought[is_marked])
    for tick in range(ticks):
        marked = Marked(*(own[tick][None] for own in (stickers, met_sticker, bought_then)))
        seen = (prices[tick][None], visits[tick][None], met[tick][None], bought[tick][None])
        yield Sold(tick, *seen, marked=marked if marked.met.any() else None)


def taught(policy: Policy, rows: DayRows | None, catalog: Catalog, ticks: int) -> Policy:
    """Return a policy that takes over after some ticks, having learned from them if it learns at all."""
    if rows is None:
        return policy
    for sold in sold_in(rows, catalog, ticks):
        if not isinstance(policy, LearnsWhileSelling):
            break
        policy = policy.learned(sold)
    return policy


def joined(earlier: DayRows, later: DayRows) -> DayRows:
    """Return the rows of two stretches; the same rows give the same bytes, whatever their stretches were."""
    learned, taken = (
        [own for rows in (earlier, later) if (own := getattr(rows, name)) is not None]
        for name in ("belief_updates", "substitutions")
    )
    return DayRows(
        _stacked(earlier.interactions, later.interactions),
        _stacked(earlier.repricings, later.repricings),
        reduce(_stacked, learned) if learned else None,
        stock_movements=later.stock_movements,
        substitutions=reduce(_stacked, taken) if taken else None,
    )


def _stacked(first: pa.Table, second: pa.Table) -> pa.Table:
    """Stack two tables; text is coded anew in order of appearance, so that the codes depend on the rows alone."""
    both = pa.concat_tables([first, second.cast(first.schema)], promote_options="none")
    columns = []
    for field in both.schema:
        column = both[field.name]
        if pa.types.is_dictionary(field.type):
            column = column.cast(field.type.value_type).combine_chunks().dictionary_encode()
        columns.append(column.cast(field.type))
    return pa.table(columns, schema=both.schema)
