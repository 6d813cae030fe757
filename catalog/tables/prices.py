"""Prices worked out ahead, and the demand curves they stand on."""

from dataclasses import replace

import pyarrow as pa

from catalog.table import MOMENT, TEXT, Column, Table
from catalog.tables.columns import EXPECTED_REVENUE, P_SALE, POLICY, PRICE, SKU, UNIT_VALUE

PRICE_BOOK = Table(
    "price_book",
    "one product at one stock level with one number of ticks left",
    ("sku", "inventory_level", "ticks_left"),
    (
        SKU,
        Column("inventory_level", pa.int32(), "stock now", "units"),
        Column("ticks_left", pa.int16(), "ticks until closing, this one included", "ticks"),
        Column("price", pa.float64(), "price under the static limits, which look at no price shown before", "EUR"),
        P_SALE,
        EXPECTED_REVENUE,
        UNIT_VALUE,
        Column("unconstrained_price", pa.float64(), "the policy's price before any limit", "EUR"),
        Column("binding_rule", TEXT, "the last limit that changed the price, else the policy's rule"),
        Column(
            "policy_rule",
            TEXT,
            "the policy's rule behind its price before any limit; null in books older than this column",
            nullable=True,
        ),
        Column(
            "unconstrained_p_sale",
            pa.float64(),
            "chance of sale at the policy's price before any limit; null where it is `p_sale`, for no limit binds",
            "probability",
            nullable=True,
        ),
        POLICY,
        Column("model_version", TEXT, "registered model version behind the price; none without a champion"),
        Column("published_at", MOMENT, "start of the business date the book was worked out for", "UTC"),
    ),
)

DEMAND_CURVES = Table(
    "demand_curves",
    "one candidate price of one product, as it is believed before the day",
    ("sku", "candidate"),
    (
        SKU,
        Column("candidate", pa.int16(), "position on the price ladder, from 0"),
        PRICE,
        P_SALE,
        EXPECTED_REVENUE,
        Column(
            "p_sale_low",
            pa.float64(),
            "lower end of the chance of sale, 95 %; null in older curves",
            "probability",
            nullable=True,
        ),
        Column(
            "p_sale_high",
            pa.float64(),
            "upper end of the chance of sale, 95 %; null in older curves",
            "probability",
            nullable=True,
        ),
        Column(
            "kept_price",
            pa.float64(),
            "old price that part of the stores keep while the product moves on exported sales alone; null otherwise",
            "EUR",
            nullable=True,
        ),
        Column("supported", pa.bool_(), "whether the price lies within the prices observed; policies choose no other"),
        Column("model_version", TEXT, "registered model version behind the curve; none without a champion"),
    ),
)

REPLACED_PRICE_BOOK = replace(
    PRICE_BOOK,
    name="replaced_price_book",
    grain="one product at one stock level with one number of ticks left, of a book that another took the place of",
    unique_in="partition",
)

REPLACED_DEMAND_CURVES = replace(
    DEMAND_CURVES,
    name="replaced_demand_curves",
    grain="one candidate price of one product, of curves that others took the place of",
    unique_in="partition",
)

HOURLY_PRICE_BOOK = replace(
    PRICE_BOOK,
    name="hourly_price_book",
    grain="one product at one stock level with one number of ticks left, remade for a store in the middle of its day",
    unique_in="partition",
)

HOURLY_DEMAND_CURVES = replace(
    DEMAND_CURVES,
    name="hourly_demand_curves",
    grain="one candidate price of one product, as it is believed in the middle of a store's day",
    unique_in="partition",
)
