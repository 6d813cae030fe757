"""What a retailer's tills counted, and what stood beside the price: promotions, displays, leaflets, events."""

import pyarrow as pa

from catalog.table import LONG_TEXT, TEXT, Column, Table
from catalog.tables.columns import SKU, STORE

UNIT_SALES = Table(
    "unit_sales",
    "one product at one price in one store over one business date, or one hour of it, as a retailer counted it",
    ("store_id", "hour", "sku", "price"),
    (
        STORE,
        Column("hour", pa.int8(), "hour of the local day; null for the whole day", "hours", nullable=True),
        SKU,
        Column("product_name", TEXT, "the product's name that day"),
        Column("price", pa.float64(), "price of one unit", "EUR"),
        Column("units", pa.float64(), "units sold, less those brought back, at least 0", "units"),
        Column("returned_units", pa.float64(), "units that were brought back", "units"),
        Column("receipts", pa.int32(), "receipts that it is on; null when unknown", "receipts", nullable=True),
        Column(
            "traffic",
            pa.float64(),
            "shoppers in the store over that time; null when unknown",
            "shoppers",
            nullable=True,
        ),
        Column("stock", pa.float64(), "stock at the start of that time; null when unknown", "units", nullable=True),
        Column(
            "chances", pa.int64(), "chances to sell one unit that the row stands for, at least its units", "chances"
        ),
        Column(
            "is_sudden_zero",
            pa.bool_(),
            "whether no unit was sold where it usually sells, so that the shelf may have been empty",
        ),
    ),
)

PROMOTIONS = Table(
    "promotions",
    "what a retailer's file says of one product in one store on one business date, beside its price",
    ("store_id", "sku"),
    (
        STORE,
        SKU,
        Column("promotion", pa.bool_(), "whether it was on offer; null when unknown", nullable=True),
        Column("display", pa.bool_(), "whether it stood on a display of its own; null when unknown", nullable=True),
        Column("leaflet", pa.bool_(), "whether it was in a leaflet; null when unknown", nullable=True),
        Column("event", LONG_TEXT, "name of a holiday or event; empty for none, null when unknown", nullable=True),
        Column("regular_price", pa.float64(), "price without any offer; null when unknown", "EUR", nullable=True),
    ),
    unique_in="partition",
)
