"""The desk's tables: prices of rivals, price changes that people ordered, alerts, and messages that were sent."""

from pathlib import Path

from catalog.tables.table import tables_in

TABLES = tables_in(Path(__file__).with_name("tables.yaml"))

PREDICTED = (
    *("expected_p_sale", "expected_units", "expected_revenue", "expected_profit", "expected_gain"),
    *("otherwise_price", "otherwise_p_sale"),
)
"""Columns of what was predicted of a price change when it was asked for."""

VIEWS = Path(__file__).parent / "views"
"""Views over these tables, and what one row of each is."""
