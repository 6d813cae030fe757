"""The highest prices that rivals' prices allow on a business date, by the rules of the catalog.

What must hold: a price that was taken in counts from its business date on, which no store had opened then. So the caps
of a date are the same whenever they are asked for, and its replay finds them.
"""

import datetime as dt
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from catalog.load import Catalog
from catalog.tables.contracts import TABLES
from plugins.desk.records import MOST_STALE_DAYS, RivalRules
from serving.limits.orders import RivalCaps
from warehouse.lake import Lake

_COLUMNS = ("sku", "rival", "seen_at", "comparable_price_eur", "fresh_until")


def rival_caps(lake: Lake, catalog: Catalog, date: dt.date) -> RivalCaps:
    """Return the caps of a date: the cheapest price that counts of the named rivals, and the share above it."""
    rules = catalog.store.section(RivalRules)
    if not rules.of:
        return ()
    lowest = fresh_prices(lake, date, rules.of).group_by("sku").aggregate([("price_eur", "min")]).to_pylist()
    cheapest = {row["sku"]: row["price_eur_min"] for row in lowest}
    return tuple(
        (sku, cheapest[sku] * (1 + share))
        for sku in catalog.skus
        if sku in cheapest and (share := rules.share_above(sku)) is not None
    )


def fresh_prices(lake: Lake, date: dt.date, rivals: Sequence[str] | None = None) -> pa.Table:
    """Return the newest price of each product at each rival, or at some of them, that counts on a date.

    Returns
    -------
    pyarrow.Table
        `sku`, `rival`, `price_eur` of as much as we sell, and `seen_at`.
    """
    first = date - dt.timedelta(days=MOST_STALE_DAYS)  # a price counts from the date on which it was seen, or later
    parts = lake.partitions("competitor_prices", lambda day: first <= day <= date)
    rows = pa.concat_tables([TABLES["competitor_prices"].schema.empty_table(), *map(lake.read, parts)]).select(_COLUMNS)
    for place, name in enumerate(("sku", "rival")):
        rows = rows.set_column(place, name, rows[name].cast(pa.string()))
    if rivals is not None:
        rows = rows.filter(pc.is_in(rows["rival"], pa.array(rivals)))
    newest = rows.sort_by("seen_at").group_by(["sku", "rival"], use_threads=False)
    last = newest.aggregate([(name, "last") for name in ("comparable_price_eur", "seen_at", "fresh_until")])
    fresh = last.filter(pc.greater_equal(last["fresh_until_last"], date))
    return fresh.select([0, 1, 2, 3]).rename_columns(["sku", "rival", "price_eur", "seen_at"])
