"""The products on the shelf, the shoppers who consider them, and the time that the stores keep."""

import pyarrow as pa

from catalog.table import LONG_TEXT, Column, Table

PRODUCTS = Table(
    "products",
    "one product on the shelf",
    ("sku",),
    (
        Column("sku", LONG_TEXT, "stock-keeping unit of the product"),
        Column("product_name", LONG_TEXT, "name for people"),
        Column("category", LONG_TEXT, "group of products"),
        Column("icon", LONG_TEXT, "one character that the monitor shows for it"),
        Column("base_price", pa.float64(), "usual price", "EUR"),
        Column("unit_cost", pa.float64(), "cost of one unit", "EUR"),
        Column("floor_price", pa.float64(), "lowest price that may be shown", "EUR"),
        Column("ceiling_price", pa.float64(), "highest price that may be shown", "EUR"),
        Column("par_stock", pa.int32(), "stock after restocking", "units"),
        Column(
            "currency",
            LONG_TEXT,
            "currency of every amount of the shelf, ISO 4217, in columns that say EUR, too; null in rows of earlier "
            "versions: EUR",
            nullable=True,
        ),
    ),
    by="key",
)

SHOPPERS = Table(
    "shoppers",
    "one shopper of the pool",
    ("shopper_id",),
    (
        Column("shopper_id", pa.int32(), "number in the pool"),
        Column("shopper_name", LONG_TEXT, "invented name"),
    ),
    by="key",
)

STORES = Table(
    "stores",
    "one store whose time is kept; there is none while all stores keep UTC",
    ("store_id",),
    (
        Column("store_id", LONG_TEXT, "the store"),
        Column("time_zone", LONG_TEXT, "its time zone, an IANA name: opening hours and business dates are local"),
    ),
    by="key",
)
