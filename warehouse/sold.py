"""What was sold: decisions of shoppers, or units that a retailer counted. Demand is learned from both.

The currency of a lake is that of its products, in which every amount in it stands.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pyarrow as pa

from catalog.currency import EUR, Currency, currency_of
from warehouse.lake import Lake, Partition

PRODUCTS = Partition("products", None, "all")


def currencies_in(lake: Lake) -> set[str]:
    """Return the codes that products in the lake have; a product from before there were any is in euros."""
    if lake.receipt(PRODUCTS) is None:
        return set()
    return {code or EUR.code for code in lake.read(PRODUCTS)["currency"].to_pylist()}


def money_of(lake: Lake) -> Currency:
    """Return the currency of a lake; euros while it holds no products."""
    return currency_of(min(currencies_in(lake), default=EUR.code))


SOLD = ("interactions", "unit_sales")
"""Tables of what was sold on days that are over."""

COUNTS = ("visit_counts", "store_visits", "context_counts")
"""Tables that count the decisions of a partition, each under its name; of unit sales there are none."""

GROUPED = (*COUNTS, "demand_cells")
"""Tables that are made from a partition of what was sold, each under its name, in the order of publishing."""


def sold_partitions(lake: Lake) -> Iterator[Partition]:
    """Yield the partitions of what was sold, table by table, in order of date and group."""
    for table in SOLD:
        yield from lake.partitions(table)


def sold_on(lake: Lake, date: dt.date) -> Iterator[Partition]:
    """Yield the partitions of what was sold on a business date."""
    for table in SOLD:
        yield from lake.partitions_on(table, date)


def sold_dates(lake: Lake) -> list[dt.date]:
    """Return the business dates on which something was sold and that are over, ascending."""
    return sorted({date for table in SOLD for date in lake.dates(table)})


def newest_closed(lake: Lake) -> dt.date | None:
    """Return the newest business date on which something was sold and that is over; None where there is none."""
    newest = (next(lake.newest_dates(table), None) for table in SOLD)
    return max((date for date in newest if date is not None), default=None)


def bought_in(lake: Lake, decisions: Partition, columns: Sequence[str]) -> pa.Table:
    """Return some columns of the units sold in a partition of decisions, one row each, as `bought_among` does."""
    taken = replace(decisions, table="substitutions")
    return bought_among(lake.read(decisions), lake.read(taken) if lake.receipt(taken) else None, columns)


def bought_among(interactions: pa.Table, substitutions: pa.Table | None, columns: Sequence[str]) -> pa.Table:
    """Return some columns of the units sold: those of visits that bought, then those taken instead of another product.

    `substitutions` is None where nobody takes a substitute.
    """
    sold = interactions.filter(interactions["purchased"]).select(columns)
    if substitutions is None:
        return sold
    return pa.concat_tables([sold, substitutions.select(columns).cast(sold.schema)]).unify_dictionaries()
