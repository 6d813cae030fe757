"""What a table is: a grain, a key, and columns with a type, a unit and a meaning. Some columns are shared."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import pyarrow as pa

TEXT = pa.dictionary(pa.int32(), pa.string())
LONG_TEXT = pa.string()
MOMENT = pa.timestamp("us", tz="UTC")
CLAMPS = pa.list_(pa.struct([("rule", pa.string()), ("before", pa.float64()), ("after", pa.float64())]))


def _is_text(data_type: pa.DataType) -> bool:
    item = data_type.value_type if pa.types.is_list(data_type) or pa.types.is_dictionary(data_type) else data_type
    return pa.types.is_string(item)


_UNIT_BY_TYPE = ((pa.types.is_date, "date"), (pa.types.is_boolean, "yes or no"), (_is_text, "-"))


@dataclass(frozen=True)
class Column:
    """One column: its type, meaning and unit, and whether it may be null."""

    name: str
    type: pa.DataType
    meaning: str
    unit: str = ""
    nullable: bool = False

    @property
    def told_unit(self) -> str:
        """Its unit; a date and a flag say theirs by their type, and text has none: "-"."""
        return self.unit or next((unit for is_such, unit in _UNIT_BY_TYPE if is_such(self.type)), "")


@dataclass(frozen=True)
class Table:
    """One table: `grain` says what one row is, `key` names the columns that identify it.

    The key is unique among all rows of a business date, or of the table where there are no dates; with
    `unique_in="partition"` within one partition only, as each comparison or group of stores has rows of its own.
    `varied` are columns of moments, integers and floats of 32 bits that hold so many values that a file is written
    faster without codes of them, and hardly gets smaller by compression.
    """

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    by: Literal["day", "key"] = "day"
    unique_in: Literal["partition", "date"] = "date"
    varied: tuple[str, ...] = ()

    @cached_property
    def schema(self) -> pa.Schema:
        """The Arrow schema of one partition file."""
        return pa.schema([pa.field(column.name, column.type, nullable=column.nullable) for column in self.columns])


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
PRICE_OFFERED = Column(
    "price_offered",
    pa.float64(),
    "the price on the shelf; before a sticker, that of the unit that was bought, else the lowest seen",
    "EUR",
)
INVENTORY_LEVEL = Column(
    "inventory_level", pa.int32(), "stock before the decision; null when unknown", "units", nullable=True
)
