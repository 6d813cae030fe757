"""Tables of stores that sell by themselves: what they sold, received and counted, and the prices drawn for them."""

from pathlib import Path

from catalog.tables.table import tables_in

TABLES = tables_in(Path(__file__).with_name("tables.yaml"))

VIEWS = Path(__file__).parent / "views"
"""Views over these tables, and what one row of each is."""
