"""What learners earned in worlds whose demand is known exactly."""

from pathlib import Path

from catalog.tables.table import tables_in

TABLES = tables_in(Path(__file__).with_name("tables.yaml"))

VIEWS = Path(__file__).parent / "views"
"""Views over this table, and what one row of it is."""
