"""Take in prices of rivals, matched to the shelf by EAN or sku: each is published once, or refused with a reason.

What must hold: a price counts from the first business date on that no store has opened yet. So whatever is taken in
later, a date that was priced keeps what was known of rivals when it opened, and its replay finds the same. A price is
told from others by rival, product and the moment at which it was seen.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import AwareDatetime, Field

from catalog.bounds import HIGHEST_PRICE
from catalog.load import Catalog
from catalog.names import INTAKE_GROUP
from catalog.records.product import Product
from catalog.tables.contracts import TABLES
from etl.calendar import next_dates
from plugins.connect.intake.sale_lines import (
    Id,
    IntakeResult,
    Key,
    LineCheck,
    LineRefusal,
    RefusedLine,
    Row,
    SentLine,
    checked,
    new_among,
    parsed,
)
from plugins.connect.intake.take_sales import LOCK
from plugins.desk.records import RivalRules
from warehouse.commits.locks import waited_for
from warehouse.lake import Lake, Partition
from warehouse.workspace import Workspace

_SAID = ("price_eur", "unit")
"""What a price that is sent again has to say as it did."""
_LONGEST_EAN = 14
_ONE_DAY = dt.timedelta(days=1)


class RivalPrice(SentLine):
    """A price of a rival, as somebody saw it."""

    rival: Id = Field(description="name of the rival")
    sku: Id | None = Field(default=None, description="the product, as products.yaml names it; needed without an ean")
    ean: Id | None = Field(default=None, description="its `ean` of products.yaml; needed without a sku")
    price: float = Field(gt=0, le=HIGHEST_PRICE, description="the price that was seen")
    unit: Literal["pack", "kg", "l", "m", "piece"] = Field(
        default="pack",
        description="what the price buys: one pack like ours, or one of a unit that `measure` of products.yaml has",
    )
    seen_at: AwareDatetime = Field(description="when it was seen, ISO 8601 in UTC or with an offset")
    currency: str | None = Field(default=None, max_length=3, description="currency of the price; null is the shelf's")
    source: Id | None = Field(default=None, description="where it was seen, such as a leaflet")


def take_rivals(workspace: Workspace, prices: Sequence[Any], by: str, now: dt.datetime) -> IntakeResult:
    """Take prices of rivals in; when it returns, those that were taken are durable.

    Parameters
    ----------
    prices
        Objects with the fields of `RivalPrice`.
    by
        Who sends them.
    now
        The time, UTC.
    """
    refused = list[RefusedLine]()
    with waited_for(workspace.settings.locks, LOCK):
        workspace.lake.finish_interrupted()
        date = first_date_to_count(workspace, now)
        row_of = _RivalRows(workspace.catalog, date, now)
        rows = checked(prices, lambda given: {**row_of(given), "taken_at": now, "taken_from": by}, refused)
        there = _rows_like(workspace.lake, [row for _, row in rows])
        new, repeated = new_among(rows, there, lambda row: [_key(row)], _said, _contradiction, refused)
        if new:
            _publish(workspace.lake, date, new)
    return IntakeResult(len(new), repeated, tuple(sorted(refused, key=lambda line: line.index)))


def _contradiction(before: Row, now: Row) -> LineRefusal:
    sentence = f"{before['price_eur']:g} a {before['unit']}, as was said before of this moment"
    return LineRefusal("says_otherwise", f"price: {sentence}", f"{now['price_eur']:g}")


def first_date_to_count(workspace: Workspace, now: dt.datetime) -> dt.date:
    """Return the first business date that no store has opened yet."""
    store = workspace.catalog.store
    date = max(next_dates(workspace.lake, workspace.catalog, store.stores, now).values())
    is_open = store.sales == "outside" and any(clock.opening_of(date) <= now for clock in store.clocks)
    return date + _ONE_DAY if is_open else date


class _RivalRows:
    """Checks prices of rivals against a shelf, and makes rows of them that count from a business date on.

    The twin's dates are its own, so a price for it is of a moment before its next opening, whatever the clock says.
    """

    def __init__(self, catalog: Catalog, date: dt.date, now: dt.datetime) -> None:
        self._store = catalog.store
        self._clock = catalog.store.clock_of(None)
        moment = now if catalog.store.sales == "outside" else self._clock.opening_of(date)
        self._check = LineCheck(catalog, moment)
        self._by_sku = {product.sku: product for product in catalog.products}
        self._by_ean: dict[str, Product] = {}
        for own in catalog.products:
            if own.ean is not None:
                self._by_ean[own.ean.zfill(_LONGEST_EAN)] = own

    def __call__(self, given: Any) -> Row:
        price = parsed(RivalPrice, given)
        product = self._product_of(price)
        if price.currency not in (None, self._store.currency):
            raise LineRefusal("price", f"currency: {self._store.currency}, that of store.yaml", price.currency)
        self._check.refuse_time("seen_at", price.seen_at)
        return {
            "rival": price.rival,
            "sku": product.sku,
            "ean": price.ean,
            "price_eur": price.price,
            "unit": price.unit,
            "comparable_price_eur": _of_a_pack(price, product),
            "seen_at": price.seen_at.astimezone(dt.UTC),
            "fresh_until": self._clock.date_of(price.seen_at)
            + dt.timedelta(days=self._store.section(RivalRules).stale_after_days),
            "source": price.source,
        }

    def _product_of(self, price: RivalPrice) -> Product:
        if price.sku is None and price.ean is None:
            raise LineRefusal("no_id", "ean or sku", "neither")
        by_ean = None if price.ean is None else self._by_ean.get(price.ean.zfill(_LONGEST_EAN))
        by_sku = None if price.sku is None else self._by_sku.get(price.sku)
        if price.ean is not None and by_ean is None:
            raise LineRefusal("unknown_product", "ean: that of a product of products.yaml", price.ean)
        if price.sku is not None and by_sku is None:
            raise LineRefusal("unknown_product", "sku: a product of products.yaml", price.sku)
        if by_ean is not None and by_sku is not None and by_ean != by_sku:
            raise LineRefusal("unknown_product", f"ean: that of {by_sku.sku}, or no sku", price.ean)
        product = by_ean or by_sku
        assert product is not None  # noqa: S101 - one of the two is said, and known
        return product


def _of_a_pack(price: RivalPrice, product: Product) -> float:
    """Return the price of as much as one pack of ours holds, EUR."""
    if price.unit == "pack":
        return price.price
    per_unit, unit = (None, None) if product.measure is None else product.measure.per_unit(1.0)
    if per_unit is None or unit != price.unit:
        expected = f"pack, for {product.sku} has no measure" if unit is None else f"pack, or {unit} as its measure"
        raise LineRefusal("units", f"unit: {expected} in products.yaml", price.unit)
    return price.price / per_unit


def _rows_like(lake: Lake, rows: Sequence[Row]) -> dict[Key, Row]:
    """Return the rows of the lake that were seen at the same moments, by their key."""
    if not rows:
        return {}
    moments = pa.array({row["seen_at"] for row in rows}, TABLES["competitor_prices"].schema.field("seen_at").type)
    first = min(row["seen_at"] for row in rows).date() - _ONE_DAY  # a business date is that of any zone
    found = list[Row]()
    for part in lake.partitions("competitor_prices", lambda date: date >= first):
        table = lake.read(part)
        found += table.filter(pc.is_in(table["seen_at"], moments)).to_pylist()
    return {_key(row): row for row in found}


def _publish(lake: Lake, date: dt.date, rows: Sequence[Row]) -> None:
    part = Partition("competitor_prices", date, INTAKE_GROUP)
    new = pa.Table.from_pylist(list(rows), schema=TABLES["competitor_prices"].schema)
    table = pa.concat_tables([lake.read(part), new]).unify_dictionaries() if lake.holds(part) else new
    lake.publish(part, table, inputs=f"{table.num_rows} as of {rows[-1]['taken_at']}")


def _key(row: Row) -> Key:
    return tuple(row[name] for name in TABLES["competitor_prices"].key)


def _said(row: Row) -> Key:
    return tuple(row[name] for name in _SAID)
