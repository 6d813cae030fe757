"""Columns that several tables share."""

import pyarrow as pa

from catalog.table import TEXT, Column

STORE = Column("store_id", TEXT, "the store")
SKU = Column("sku", TEXT, "stock-keeping unit of the product")
TICK = Column("tick", pa.int16(), "interval of the day in which a price stands", "ticks since opening")
POLICY = Column("policy", TEXT, "name of the policy that set the price")
MODEL_VERSION = Column(
    "model_version", TEXT, "registered model version behind the price; null without a model", nullable=True
)
P_SALE = Column("p_sale", pa.float64(), "chance that a shopper who considers the product buys it", "probability")
EXPECTED_REVENUE = Column("expected_revenue", pa.float64(), "price x chance of sale", "EUR per visit")
PRICE = Column("price", pa.float64(), "price to show", "EUR")
UNIT_VALUE = Column(
    "unit_value",
    pa.float64(),
    "value of one more unit kept in stock; null where the policy does not value stock",
    "EUR",
    nullable=True,
)
PRICE_OFFERED = Column("price_offered", pa.float64(), "the price on the shelf", "EUR")
INVENTORY_LEVEL = Column(
    "inventory_level", pa.int32(), "stock before the decision; null when unknown", "units", nullable=True
)
