"""Put a day's tables into the lake."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from catalog.arrays import Ints
from catalog.clocks import UTC
from catalog.decisions.store_day import StoreDay
from catalog.errors import Declined
from catalog.load import Catalog
from catalog.tables.contracts import TABLES
from etl.extract import belief_updates_of, interactions_of, repricings_of, substitutions_of
from etl.ledger import LedgerRow, commit_of, is_kept, keep_catalog, publish_ledger
from etl.stock import stock_movements_of
from etl.validate import validate
from warehouse.lake import Lake, Partition, Published
from warehouse.origin import bought_among, currencies_in

_AS_IN_THE_CATALOG = ("sku", "category", "icon", "base_price", "unit_cost", "par_stock")
_PRODUCTS = Partition("products", None, "all")
_SHOPPERS = Partition("shoppers", None, "all")
_STORES = Partition("stores", None, "all")


@dataclass(frozen=True)
class DayRows:
    """The rows of one business date of some stores, before they are validated.

    `belief_updates` is None where nobody kept what the policy learned; `in_force` says what priced the rows, in order
    of time, and is empty where that is written down elsewhere. `stock_movements` is None before the day is over, and
    where the shelf is simply full each day; `substitutions` is None where nobody takes a substitute.
    """

    interactions: pa.Table
    repricings: pa.Table
    belief_updates: pa.Table | None = None
    in_force: tuple[LedgerRow, ...] = ()
    stock_movements: pa.Table | None = None
    substitutions: pa.Table | None = None

    @property
    def bought(self) -> pa.Table:
        """Product and price of each unit sold."""
        return bought_among(self.interactions, self.substitutions, ["sku", "price_offered"])


def rows_of(day: StoreDay, catalog: Catalog) -> DayRows:
    """Return the rows of a played store day, or of a stretch of it."""
    return DayRows(
        interactions_of(day, catalog),
        repricings_of(day, catalog),
        belief_updates_of(day, catalog),
        stock_movements=stock_movements_of(day, catalog),
        substitutions=substitutions_of(day, catalog),
    )


def load_store_day(
    lake: Lake, catalog: Catalog, day: StoreDay, group: str, *, inputs: str, seed: int
) -> list[Published]:
    """Validate a played store day and commit it, as `load_rows` does."""
    return load_rows(lake, catalog, rows_of(day, catalog), day.business_date, group, inputs=inputs, seed=seed)


def load_rows(
    lake: Lake, catalog: Catalog, rows: DayRows, business_date: dt.date, group: str, *, inputs: str, seed: int
) -> list[Published]:
    """Validate the rows of a store day and commit them: what led to the decisions first, interactions last.

    Returns
    -------
    list of Published
        What happened to each partition; the last one is the interactions'.
    """
    tables = tables_of(lake, catalog, rows, business_date, group)
    return commit_tables(lake, tables, rows.in_force, business_date, group, inputs=inputs, seed=seed)


def tables_of(lake: Lake, catalog: Catalog, rows: DayRows, business_date: dt.date, group: str) -> dict[str, pa.Table]:
    """Validate the rows of a store day and return the tables to commit, by name, in their order."""
    ends = max(clock.midnight_after(business_date) for clock in catalog.store.clocks)
    checked = validate(rows.interactions, catalog, f"twin {business_date} {group}", ends)
    tables = {"repricings": rows.repricings}
    if checked.rejected.num_rows or lake.receipt(Partition("rejected", business_date, group)):
        tables["rejected"] = checked.rejected
    learned = Partition("belief_updates", business_date, group)
    if rows.belief_updates is not None and (rows.belief_updates.num_rows or lake.receipt(learned)):
        tables["belief_updates"] = rows.belief_updates
    for table, own in (
        (TABLES["stock_movements"], rows.stock_movements),
        (TABLES["substitutions"], rows.substitutions),
    ):
        if own is not None:
            tables[table.name] = own
        elif lake.receipt(Partition(table.name, business_date, group)):
            tables[table.name] = table.schema.empty_table()
    tables["interactions"] = conform(checked.valid)
    return tables


def commit_tables(
    lake: Lake,
    tables: Mapping[str, pa.Table],
    in_force: Sequence[LedgerRow],
    business_date: dt.date,
    group: str,
    *,
    inputs: str,
    seed: int,
) -> list[Published]:
    """Commit the tables of a store day in their order, with what priced it; return as `load_rows` does."""
    with lake.commit(commit_of(business_date, group), inputs=inputs, seed=seed) as commit:
        if in_force:
            publish_ledger(commit, business_date, group, in_force)
        for name, table in tables.items():
            commit.publish(Partition(name, business_date, group), table)
    return commit.published


def dimensions_are_current(lake: Lake, catalog: Catalog) -> bool:
    """Tell whether the shelf and the shoppers in the lake are those of this catalog, and the catalog is kept."""
    return is_kept(lake, catalog) and all(
        lake.is_current(partition, catalog.fingerprint) and lake.is_proven(partition)
        for partition in (_PRODUCTS, _SHOPPERS, *([_STORES] if _keeps_stores(lake, catalog) else []))
    )


def load_dimensions(lake: Lake, catalog: Catalog, shopper_names: list[str]) -> None:
    """Publish the shelf and the pool of shoppers, and keep the catalog for days to come."""
    keep_catalog(lake, catalog)
    shoppers = pa.table(
        {"shopper_id": range(len(shopper_names)), "shopper_name": shopper_names}, schema=TABLES["shoppers"].schema
    )
    with lake.commit("shelf", inputs=catalog.fingerprint) as commit:
        commit.publish(_PRODUCTS, products_of(catalog))
        commit.publish(_SHOPPERS, shoppers)
        if _keeps_stores(lake, catalog):
            commit.publish(_STORES, stores_of(catalog))


def refuse_other_currency(lake: Lake, catalog: Catalog) -> None:
    """Refuse a catalog whose currency is not that of the products in the lake: amounts would be added up across both.

    Raises
    ------
    Declined
        With both currencies, and what to do.
    """
    found = currencies_in(lake) - {catalog.store.currency}
    if found:
        raise Declined(
            f"expected a lake with prices in {catalog.store.currency}, as the catalog says, found {min(found)} in "
            f"{lake.address}; nothing was done: set SHELFPRICE_HOME to a folder of its own, or put the currency back"
        )


def _keeps_stores(lake: Lake, catalog: Catalog) -> bool:
    """Tell whether the lake has to say how the clocks of the stores go: it says nothing where all keep UTC."""
    return lake.holds(_STORES) or any(clock.time_zone != UTC for clock in catalog.store.clocks)


def stores_of(catalog: Catalog) -> pa.Table:
    """Return the stores in the columns of `stores`."""
    stores = catalog.store.stores
    zones = [catalog.store.clock_of(store).time_zone for store in stores]
    return pa.table({"store_id": list(stores), "time_zone": zones}, schema=TABLES["stores"].schema)


def products_of(catalog: Catalog) -> pa.Table:
    """Return the shelf in the columns of `products`."""
    return pa.table(
        {
            **{name: [getattr(product, name) for product in catalog.products] for name in _AS_IN_THE_CATALOG},
            "product_name": [product.name for product in catalog.products],
            "floor_price": [product.floor for product in catalog.products],
            "ceiling_price": [product.ceiling for product in catalog.products],
            "currency": [catalog.store.currency] * len(catalog.products),
        },
        schema=TABLES["products"].schema,
    )


def conform(valid: pa.Table) -> pa.Table:
    """Cast to the contract of `interactions` and sort by store and time; rows that are in order are not moved.

    Raises
    ------
    pyarrow.ArrowInvalid
        When a value does not fit its type; validation keeps such rows out.
    """
    typed = valid.select(TABLES["interactions"].schema.names).cast(TABLES["interactions"].schema)
    moment = typed["seen_at"].cast(pa.int64()).to_numpy()
    store = _alphabetical_codes(typed["store_id"])
    ordered = (store[1:] > store[:-1]) | ((store[1:] == store[:-1]) & (moment[1:] >= moment[:-1]))
    if ordered.all():
        return typed
    return typed.take(np.lexsort((moment, store)))


def _alphabetical_codes(column: pa.ChunkedArray) -> Ints:
    categories: pd.Categorical = column.to_pandas().array
    rank = np.argsort(np.argsort(categories.categories.to_numpy()))
    return rank[categories.codes]
