"""Texts that are read as codes are those of the contract."""

import datetime as dt

from catalog.settings import Settings
from catalog.tables.table import TEXT
from plugins.desk.price_changes.change import Event, Terms
from plugins.desk.price_changes.record import rows_of_events
from warehouse.lake import Lake, Partition

NOON = dt.datetime(2026, 1, 5, 12, tzinfo=dt.UTC)


def test_texts_that_are_read_as_codes_are_those_of_the_contract(settings: Settings) -> None:
    lake, part = Lake(settings), Partition("price_changes", NOON.date(), "people-00000001")
    lake.prepare()
    terms = Terms("override", "MILK", None, None, 1.5, NOON, None, "for a test")
    rows = rows_of_events([Event(1, f"h1.{number}", "approved", NOON, NOON, "Ada", terms) for number in range(3)])
    lake.publish(part, rows, inputs="test")
    names = ("change", "event", "old_price", "sku", "store_id")
    coded = lake.read(part, names, coded=True)
    assert coded.to_pylist() == lake.read(part, names).to_pylist()
    assert [field.type == TEXT for field in coded.schema] == [True, True, False, True, True]
