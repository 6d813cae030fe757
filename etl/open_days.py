"""Days that are still being sold, and what the lake holds of them.

A live day stands in `live_interactions` and `live_repricings`, one part for each store and date. They are committed
after every tick together with what the policy learned, which stands in `belief_updates`. The receipt of the decisions
says up to which tick the day is sold. When the day closes, its rows become a batch under the name of the live part, and
the views show the batch instead. A plugin sells such days and closes them: see `OPEN_DAYS` in catalog/hooks.py.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.arrays import Flags, Floats, Ints
from catalog.decisions.pricing import LearnsWhileSelling, Marked, Policy, Sold
from catalog.errors import LakeError
from catalog.load import Catalog
from catalog.names import LIVE_GROUP
from etl.ledger import commit_of
from etl.load import DayRows
from warehouse.lake import Lake, Partition
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
        """Return whether the day has become a batch."""
        return lake.receipt(self.part("interactions")) is not None


def is_live(partition: Partition) -> bool:
    """Return whether a partition is of a day that was sold live, or is being sold."""
    return partition.group.startswith(LIVE_GROUP)


@dataclass(frozen=True)
class Mark:
    """How far a live day is sold, kept as the inputs of its receipt.

    `priced_by` is the fingerprint of everything that decided the ticks of the newest stretch, which began at the tick
    `since`; `tick` comes next. `seed` is that of the world.
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
    named = {
        (part.business_date, part.group.removeprefix(LIVE_GROUP))
        for part in parts
        if part.business_date is not None and part.group.startswith(LIVE_GROUP)
    }
    return [LiveDay(store, business_date) for business_date, store in sorted(named)]


def ticks_sold(lake: Lake, day: LiveDay) -> int:
    """Return how many ticks of a live day are sold."""
    receipt = lake.receipt(day.part("live_interactions"))
    return int(receipt.inputs.rsplit(":", 1)[1]) if receipt is not None else 0


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
    was_decided = pc.less if receipt.is_of_the_twin else pc.less_equal  # whose prices are decided before a tick is sold
    decided = rows.repricings.filter(was_decided(rows.repricings["tick"], mark.tick))
    return SoldSoFar(replace(before(rows, mark.tick), repricings=decided), mark)


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
    shape, sticker = (ticks, len(catalog.skus)), decisions["sticker_eur"].to_numpy(dtype=float)
    product = decisions["sku"].astype(str).map(catalog.positions).to_numpy(dtype=np.int64)
    cell, is_marked = decisions["tick"].to_numpy(dtype=np.int64) * shape[1] + product, np.isfinite(sticker)
    is_bought = decisions["purchased"].to_numpy(dtype=bool)
    prices = np.broadcast_to(catalog.base_prices, shape).copy()  # nobody saw the price where nobody came
    prices.ravel()[cell[~is_marked]] = decisions["price_offered"].to_numpy()[~is_marked]
    stickers = np.full(shape, np.nan)
    stickers.ravel()[cell[is_marked]] = sticker[is_marked]

    def count(which: Flags) -> Ints:
        return np.bincount(cell[which], minlength=prices.size).reshape(shape)

    visits, met = count(np.ones(len(cell), dtype=bool)), count((decisions["inventory_level"] > 0).to_numpy())
    bought, met_sticker, bought_then = count(is_bought), count(is_marked), count(is_bought & is_marked)
    for tick in range(ticks):
        marked = Marked(stickers[tick][None], met_sticker[tick][None], bought_then[tick][None])
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


def stuck_in(catalog: Catalog, repricings: pa.Table) -> Floats:
    """Return the stickers of one store's day by its `repricings`, EUR, NaN where there is none, shape (n_products,)."""
    openings = repricings.filter(pc.equal(repricings["tick"], 0))
    return last_by_sku(catalog, openings, "sticker_eur").astype(np.float64)


def last_by_sku(catalog: Catalog, changes: pa.Table, column: str) -> Floats:
    """Return a column of each product's newest change; changes are in order of time."""
    newest = dict(zip(changes["sku"].to_pylist(), changes[column].to_pylist(), strict=True))
    return np.array([newest[sku] for sku in catalog.skus])


def newest_prices(changes: pa.Table, catalog: Catalog, through: int) -> Floats:
    """Return the newest price of each product that was decided through a tick, EUR; NaN before any."""
    decided = changes.filter(pc.less_equal(changes["tick"], through))
    newest = dict(zip(decided["sku"].to_pylist(), decided["new_price"].to_pylist(), strict=True))
    return np.array([newest.get(sku, np.nan) for sku in catalog.skus])


def prices_lately(changes: pa.Table, catalog: Catalog, tick: int) -> tuple[Floats, ...]:
    """Return the prices of one store in the ticks of the hour before a tick, EUR, each shape (1, n_products)."""
    first = max(0, tick - catalog.store.opening.hour_ticks)
    return tuple(newest_prices(changes, catalog, through)[None] for through in range(first, tick))
