"""The tables of tills and labels: which prices were sent, and what the devices acknowledged."""

from pathlib import Path

from catalog.tables.table import tables_in

TABLES = tables_in(Path(__file__).with_name("tables.yaml"))

VIEWS = Path(__file__).parent / "views"
"""What one row of each table is."""
