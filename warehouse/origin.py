"""Whose decisions a lake holds: the digital twin's, or those of a retailer's own log. Never both.

A lake says so on its own record, `origin.json` in its root. The record is written once, whole, before the first
decisions are published: of two first writers one wins, and the other is refused. `Lake.publish` asks the record before
it writes decisions, so nobody can forget to. A lake whose record was lost is recognised by its partitions; one that
holds anything of a retailer is a retailer's.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal, get_args

import pyarrow as pa

from catalog.currency import EUR, Currency, currency_of
from catalog.errors import Declined, LakeError
from catalog.hooks import SELLERS, Seller
from catalog.names import EXPORT_GROUP
from catalog.records.store import Store
from warehouse.commits.notes import ORIGIN, read_sealed
from warehouse.partition import Partition
from warehouse.receipts import sealed_text
from warehouse.stores.protocol import LakeStore

if TYPE_CHECKING:
    from warehouse.lake import Lake

Side = Literal["twin", "retailer"]

OF_BOTH = ("interactions", "rejected", "stock_movements")
OF_THE_TWIN = ("live_interactions", "live_repricings", "repricings", "belief_updates", "substitutions", "days_in_force")
OF_A_RETAILER = (
    "unit_sales",
    "promotions",
    "ingested_files",
    "receipt_lines",
    "stock_events",
    "traffic",
    "product_visits",
    "exposures",
)
"""Tables that both sides publish, and those that one alone does."""

RECORD = ORIGIN
_DECISIONS = {"twin": "the twin's decisions", "retailer": "a retailer's decisions"}


def origin_of(store: LakeStore) -> Side | None:
    """Return whose decisions the lake in a store holds, by its record or its partitions; None while it holds none.

    Raises
    ------
    LakeError
        When the record cannot be read.
    """
    return _recorded(store) or _recognised(store)


def refuse_other_side(store: LakeStore, side: Side) -> None:
    """Refuse work of a side in a lake that holds the decisions of the other one.

    Raises
    ------
    Declined
        With what the lake holds, and what to do.
    """
    refusal = refusal_of(store, origin_of(store), side)
    if refusal is not None:
        raise Declined(refusal)


def sells_outside(lake: LakeStore, store: Store) -> bool:
    """Return whether sales come from a retailer's tills or log: nothing is played, and drawn prices alone move."""
    return store.sales == "outside" or origin_of(lake) == "retailer"


def seller_of(lake: LakeStore, store: Store) -> Seller | None:
    """Return the seller of stores whose sales come from outside; None for stores that the twin plays."""
    return SELLERS.needed("sales from outside") if sells_outside(lake, store) else None


def refuse_to_play(store: Store) -> None:
    """Refuse to play the stores of a catalog whose sales come from outside.

    Raises
    ------
    Declined
        When they do.
    """
    if (why := why_not_played(store)) is not None:
        raise Declined(why)


def why_not_played(store: Store) -> str | None:
    """Say in one line why the stores of a catalog are not played, and what to do; None where they are."""
    if store.sales == "twin":
        return None
    return (
        "expected a catalog whose stores the twin plays, found `sales: outside` in store.yaml; nothing was played, for "
        "these stores sell by themselves: send their sales to `shelfprice serve` or `shelfprice take-in`, or name "
        "another catalog with --catalog"
    )


def claim(store: LakeStore, side: Side) -> None:
    """Claim a lake for a side before it publishes decisions; the first claim is recorded for good.

    Raises
    ------
    Declined
        When the lake is the other side's.
    """
    if _recorded(store) is None:
        store.notes.create(RECORD, sealed_text({"holds": _recognised(store) or side}))
    refuse_other_side(store, side)


def refusal_of(store: LakeStore, holds: Side | None, side: Side) -> str | None:
    """Say in one line why a side may not publish in a lake, and what to do; None where it may."""
    if holds in (None, side):
        return None
    return (
        f"expected a lake for {_DECISIONS[side]} in {store.address}, found {_DECISIONS[holds]}; "
        f"nothing was {'played' if side == 'twin' else 'ingested'}: set SHELFPRICE_HOME to another folder"
    )


def _recorded(store: LakeStore) -> Side | None:
    try:
        note = read_sealed(store.notes, RECORD)
        holds = None if note is None else note["holds"]
    except (ValueError, TypeError, KeyError):
        holds = "something else"
    if holds not in (None, *get_args(Side)):
        raise LakeError(
            f"{store.notes.where(RECORD)}: expected what the lake holds ({', '.join(get_args(Side))}) with its seal, "
            "found something else; nothing was changed: remove this file, and the lake is recognised by its partitions"
        )
    return holds


def _recognised(store: LakeStore) -> Side | None:
    """Return what the names of the partitions say; no file is opened."""
    groups = [part.group for table in OF_BOTH for part in store.traces(table)]
    if any(group.startswith(EXPORT_GROUP) for group in groups) or _any_of(store, OF_A_RETAILER):
        return "retailer"
    return "twin" if groups or _any_of(store, OF_THE_TWIN) else None


def _any_of(store: LakeStore, tables: tuple[str, ...]) -> bool:
    return any(next(store.traces(table), None) is not None for table in tables)


PRODUCTS = Partition("products", None, "all")


def currencies_in(lake: "Lake") -> set[str]:
    """Return the codes that products in the lake have; a product from before there were any is in euros."""
    if lake.receipt(PRODUCTS) is None:
        return set()
    return {code or EUR.code for code in lake.read(PRODUCTS)["currency"].to_pylist()}


def money_of(lake: "Lake") -> Currency:
    """Return the currency of a lake; euros while it holds no products."""
    return currency_of(min(currencies_in(lake), default=EUR.code))


SOLD = ("interactions", "unit_sales")
"""Tables of what was sold on days that are over."""

COUNTS = ("visit_counts", "store_visits", "context_counts")
"""Tables that count the decisions of a partition, each under its name; of unit sales there are none."""

GROUPED = (*COUNTS, "demand_cells")
"""Tables that are made from a partition of what was sold, each under its name, in the order of publishing."""


def sold_partitions(lake: "Lake") -> Iterator[Partition]:
    """Yield the partitions of what was sold, table by table, in order of date and group."""
    for table in SOLD:
        yield from lake.partitions(table)


def sold_on(lake: "Lake", date: dt.date) -> Iterator[Partition]:
    """Yield the partitions of what was sold on a business date."""
    for table in SOLD:
        yield from lake.partitions_on(table, date)


def sold_dates(lake: "Lake") -> list[dt.date]:
    """Return the business dates on which something was sold and that are over, ascending."""
    return sorted({date for table in SOLD for date in lake.dates(table)})


def newest_closed(lake: "Lake") -> dt.date | None:
    """Return the newest business date on which something was sold and that is over; None where there is none."""
    newest = (next(lake.newest_dates(table), None) for table in SOLD)
    return max((date for date in newest if date is not None), default=None)


def bought_among(interactions: pa.Table, substitutions: pa.Table | None, columns: Sequence[str]) -> pa.Table:
    """Return some columns of the units sold: those of visits that bought, then those taken instead of another product.

    `substitutions` is None where nobody takes a substitute.
    """
    sold = interactions.filter(interactions["purchased"]).select(columns)
    if substitutions is None:
        return sold
    return pa.concat_tables([sold, substitutions.select(columns).cast(sold.schema)]).unify_dictionaries()
