"""Put a day's tables into the lake."""

import datetime as dt
import hashlib
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from catalog.clocks import UTC
from catalog.decisions.store_day import StoreDay
from catalog.errors import Declined
from catalog.load import Catalog
from catalog.tables.contracts import TABLES
from etl.extract import belief_updates_of, interactions_of, repricings_of, substitutions_of
from etl.ledger import LedgerRow, commit_of, is_kept, keep_catalog, publish_ledger
from etl.stock import stock_movements_of
from etl.twin.conditions import heeds_temperature, temperature_on
from etl.validate import validate
from warehouse.commits.locks import waited_for
from warehouse.lake import Lake, Partition, Published
from warehouse.origin import bought_among, currencies_in, origin_of, sold_dates
from warehouse.parquet import positions

_AS_IN_THE_CATALOG = ("sku", "category", "icon", "base_price", "unit_cost", "par_stock")
_PRODUCTS = Partition("products", None, "all")
_SHOPPERS = Partition("shoppers", None, "all")
_STORES = Partition("stores", None, "all")
_WEATHER = Partition("weather", None, "all")
ANNOUNCING, ANNOUNCED = "announcing", "announced"
"""The lock that is held while events and the weather to come change, and the commit of both tables."""


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
    ends = max(clock.midnight_after(business_date) for clock in catalog.store.clocks)
    checked = validate(rows.interactions, catalog, f"twin {business_date} {group}", ends)
    tables = {
        "repricings": rows.repricings,
        "rejected": _if_any(checked.rejected),
        "belief_updates": _if_any(rows.belief_updates),
        "stock_movements": rows.stock_movements,
        "substitutions": rows.substitutions,
        "interactions": conform(checked.valid),
    }
    with lake.commit(commit_of(business_date, group), inputs=inputs, seed=seed) as commit:
        if rows.in_force:
            publish_ledger(commit, business_date, group, rows.in_force)
        for name, table in tables.items():
            part = Partition(name, business_date, group)
            if table is not None or lake.receipt(part):  # rows of an earlier run may stand there
                commit.publish(part, TABLES[name].schema.empty_table() if table is None else table)
    return commit.published


def _if_any(rows: pa.Table | None) -> pa.Table | None:
    return rows if rows is not None and rows.num_rows else None


def dimensions_are_current(lake: Lake, catalog: Catalog) -> bool:
    """Return whether the shelf and the shoppers in the lake are those of this catalog, and the catalog is kept."""
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
            zones = [clock.time_zone for clock in map(catalog.store.clock_of, catalog.store.stores)]
            stores = pa.table({"store_id": list(catalog.store.stores), "time_zone": zones})
            commit.publish(_STORES, stores.cast(TABLES["stores"].schema))


def refuse_other_currency(lake: Lake, catalog: Catalog) -> None:
    """Refuse a catalog whose currency is not that of the products in the lake: amounts would be added up across both.

    Raises
    ------
    Declined
        With both currencies, and what to do.
    """
    others = currencies_in(lake) - {catalog.store.currency}
    if others:
        raise Declined(
            f"expected a lake with prices in {catalog.store.currency}, as the catalog says, found {min(others)} in "
            f"{lake.address}; nothing was done: set SHELFPRICE_HOME to a folder of its own, or put the currency back"
        )


def _keeps_stores(lake: Lake, catalog: Catalog) -> bool:
    """Return whether the lake has to say how the clocks of the stores go: it says nothing where all keep UTC."""
    return lake.holds(_STORES) or any(clock.time_zone != UTC for clock in catalog.store.clocks)


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
    store = positions(typed["store_id"], sorted(typed["store_id"].unique().to_pylist()))
    ordered = (store[1:] > store[:-1]) | ((store[1:] == store[:-1]) & (moment[1:] >= moment[:-1]))
    return typed if ordered.all() else typed.take(np.lexsort((moment, store)))


def tell_weather(lake: Lake, catalog: Catalog) -> None:
    """Publish the temperature of each date that was sold, and of the day after, where it is not known.

    Shoppers of the twin know their weather like a forecast. Nothing happens in a retailer's lake, or where no demand
    effect depends on the temperature.
    """
    if not heeds_temperature(catalog) or origin_of(lake.store) != "twin":
        return
    with waited_for(lake.locks, ANNOUNCING):
        rows = lake.read(_WEATHER).to_pylist() if lake.receipt(_WEATHER) else []
        sold = set(sold_dates(lake))
        missing = sorted((sold | {date + dt.timedelta(days=1) for date in sold}) - {row["date"] for row in rows})
        if not missing:
            return
        rows += [
            {"date": date, "store_id": None, "temperature": round(temperature_on(catalog, date), 1)} for date in missing
        ]
        rows.sort(key=lambda row: (row["date"], row["store_id"] or ""))
        with lake.commit(ANNOUNCED, inputs=hashlib.sha256(repr(rows).encode()).hexdigest()) as commit:
            commit.publish(_WEATHER, pa.Table.from_pylist(rows, schema=TABLES["weather"].schema))
