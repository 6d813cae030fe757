"""Contracts of stock that lives over days: what became of each unit, and the stickers of those on their last day."""

import pyarrow as pa

from catalog.tables.table import SKU, STORE, Column, Table

STOCK_MOVEMENTS = Table(
    "stock_movements",
    "the units of one product in one store that keep until the same date, over one business date",
    ("store_id", "sku", "expires_on"),
    (
        STORE,
        SKU,
        Column("expires_on", pa.date32(), "last date on which they may be sold; null keeps for ever", nullable=True),
        Column("units_carried", pa.int64(), "on the shelf since the business date before", "units"),
        Column("units_delivered", pa.int64(), "delivered, by the twin before opening", "units"),
        Column("units_sold", pa.int64(), "sold", "units"),
        Column("units_spoiled", pa.int64(), "thrown away: they no longer keep, or a store said so", "units"),
        Column(
            "units_adjusted",
            pa.int64(),
            "found (above 0) or missing (below 0) in a count, or sold beyond the books",
            "units",
        ),
        Column(
            "units_kept",
            pa.int64(),
            "on the shelf after closing: carried + delivered - sold - spoiled + adjusted",
            "units",
        ),
        Column(
            "units_on_order",
            pa.int64(),
            "ordered after closing and not yet come, told of new units alone; of an outside store what the catalog's "
            "rules order",
            "units",
        ),
        Column("unit_cost", pa.float64(), "what one unit was bought for", "EUR"),
        Column("waste_eur", pa.float64(), "cost of what was thrown away, and of its disposal", "EUR"),
        Column("holding_eur", pa.float64(), "cost of keeping what stays overnight", "EUR"),
        Column(
            "is_estimated",
            pa.bool_(),
            "whether it is estimated which units keep until then, for an outside store did not tell it; null where the "
            "twin follows each unit",
            nullable=True,
        ),
    ),
)

MARKDOWNS = Table(
    "markdowns",
    "the sticker that a store is to stick at opening on the last-day units of one product",
    ("store_id", "sku"),
    (
        STORE,
        SKU,
        Column("units", pa.int64(), "units on their last day, to be stuck", "units"),
        Column("price", pa.float64(), "price on the label at opening", "EUR"),
        Column("sticker_eur", pa.float64(), "price on the sticker", "EUR"),
        Column(
            "expected_saving_eur",
            pa.float64(),
            "expected until closing, with what is then left, beyond the best prices without a sticker",
            "EUR",
        ),
    ),
)
