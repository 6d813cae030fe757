"""What is known of a date before it begins and may decide how shoppers answer prices: announced events and weather."""

import pyarrow as pa

from catalog.tables.table import LONG_TEXT, STORE, Column, Table

_DATE = Column("date", pa.date32(), "local date of the stores")
_WHERE = Column("store_id", LONG_TEXT, STORE.meaning, nullable=True)

EVENTS = Table(
    "events",
    "one event that was announced for one date; without a store, for all stores",
    ("date", "store_id", "what"),
    (_DATE, _WHERE, Column("what", LONG_TEXT, "what it is, such as match or street-market: one word for one kind")),
    by="key",
)

WEATHER = Table(
    "weather",
    "one date as it was forecast, or measured once it is over; without a store, of all",
    ("date", "store_id"),
    (_DATE, _WHERE, Column("temperature", pa.float64(), "highest temperature of the day", "degrees Celsius")),
    by="key",
)
