"""What was left of each store's stock at closing. A day that is over stays as it is, so that it is read once."""

import datetime as dt
from dataclasses import dataclass, field

import pyarrow.compute as pc

from warehouse.lake import Lake, Partition
from warehouse.sold import bought_in


@dataclass(frozen=True)
class _Counted:
    """Units at opening and units sold, by store, and the receipts of what they were counted from."""

    made_from: tuple[str, str]
    stock: dict[str, float]
    sold: dict[str, float]


@dataclass
class Leftovers:
    """Counts what was left, and keeps what was counted for as long as its partitions stay as they are."""

    _date: dt.date | None = None
    _changed_at: tuple[int, int] = (0, 0)
    _counted: dict[str, _Counted] = field(default_factory=dict)

    def on(self, lake: Lake, date: dt.date) -> dict[str, float]:
        """Return which share of the day's stock was left in each store that sold on a date that is over."""
        changed_at = lake.changed_at("interactions", date), lake.changed_at("repricings", date)
        if (date, changed_at) != (self._date, self._changed_at):
            before = self._counted if date == self._date else {}
            self._counted = dict(_counted(lake, date, before))
            self._date, self._changed_at = date, changed_at
        stock, sold = dict[str, float](), dict[str, float]()
        for own in self._counted.values():
            for total, units in ((stock, own.stock), (sold, own.sold)):
                for store, count in units.items():
                    total[store] = total.get(store, 0) + count
        return {store: 1 - sold.get(store, 0) / units for store, units in sorted(stock.items()) if units}


def _counted(lake: Lake, date: dt.date, before: dict[str, _Counted]) -> list[tuple[str, _Counted]]:
    """Count each partition of a date; those that are known already are not read."""
    found = []
    for part in lake.partitions_on("interactions", date):
        opened = Partition("repricings", date, part.group)
        receipts = lake.receipt(part), lake.receipt(opened)
        if receipts[0] is None or receipts[1] is None:
            continue
        made_from = receipts[0].sha256, receipts[1].sha256
        known = before.get(part.group)
        if known is None or known.made_from != made_from:
            known = _Counted(made_from, _stock(lake, opened), _sold(lake, part))
        found.append((part.group, known))
    return found


def _stock(lake: Lake, part: Partition) -> dict[str, float]:
    rows = lake.read(part).select(["store_id", "tick", "inventory_level"])
    rows = rows.filter(pc.equal(rows["tick"], 0))
    counted = rows.group_by("store_id").aggregate([("inventory_level", "sum")])
    return dict(
        zip(counted["store_id"].to_pylist(), counted["inventory_level_sum"].cast("float64").to_pylist(), strict=True)
    )


def _sold(lake: Lake, part: Partition) -> dict[str, float]:
    counted = bought_in(lake, part, ["store_id"])["store_id"].value_counts().to_pylist()
    return {row["values"]: row["counts"] for row in counted}
