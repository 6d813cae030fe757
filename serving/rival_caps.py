"""The highest prices that rivals' prices allow on a business date, by the rules of the catalog.

What must hold: a price that was taken in counts from its business date on, which no store had opened then. So the caps
of a date are the same whenever they are asked for, and its replay finds them.
"""

import datetime as dt

import pyarrow as pa
import pyarrow.compute as pc

from catalog.load import Catalog
from catalog.records.rivals import MOST_STALE_DAYS
from catalog.tables.intake import COMPETITOR_PRICES
from warehouse.lake import Lake

RivalCaps = tuple[tuple[str, float], ...]
"""Products, by sku, with the highest price, EUR, that rivals' prices allow; those that nothing limits are left out."""

_COLUMNS = ("sku", "rival", "seen_at", "comparable_price_eur", "fresh_until")


def rival_caps(lake: Lake, catalog: Catalog, date: dt.date) -> RivalCaps:
    """Return the caps of a date: the cheapest price that counts of the named rivals, and the share above it."""
    rules = catalog.store.rivals
    if not rules.of:
        return ()
    first = date - dt.timedelta(days=MOST_STALE_DAYS)  # a price counts from the date on which it was seen, or later
    parts = lake.partitions(COMPETITOR_PRICES.name, lambda day: first <= day <= date)
    rows = pa.concat_tables([COMPETITOR_PRICES.schema.empty_table(), *map(lake.read, parts)]).select(_COLUMNS)
    for place, name in enumerate(("sku", "rival")):
        rows = rows.set_column(place, name, rows[name].cast(pa.string()))
    rows = rows.filter(pc.is_in(rows["rival"], pa.array(rules.of))).sort_by("seen_at")
    newest = rows.group_by(["sku", "rival"], use_threads=False).aggregate(
        [("comparable_price_eur", "last"), ("fresh_until", "last")]
    )
    fresh = newest.filter(pc.greater_equal(newest["fresh_until_last"], date))
    lowest = fresh.group_by("sku").aggregate([("comparable_price_eur_last", "min")]).to_pylist()
    cheapest = {row["sku"]: row["comparable_price_eur_last_min"] for row in lowest}
    return tuple(
        (sku, cheapest[sku] * (1 + share))
        for sku in catalog.skus
        if sku in cheapest and (share := rules.share_above(sku)) is not None
    )
