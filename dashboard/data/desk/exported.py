"""The desk's table as a sheet: what is proposed and will stand, with empty columns for prices to set."""

from collections.abc import Sequence

from dashboard.data.desk.rows import Row
from dashboard.formats import shown_currency, store_name
from desk.price_sheets.files import TO_FILL, Cell, written

_COLUMNS = {
    "store": 9, "sku": 12, "product": 24, "category": 14, "date": 11, "now": 9, "proposed": 9, "stands": 9,
    "new_price": 10, "from": 11, "through": 11, "state": 28, "why": 60,
}  # fmt: skip


def sheet_of(rows: Sequence[Row], kind: str) -> bytes:
    """Return rows as the bytes of a file of a kind, see `desk.price_sheets.files`; stores have names where any has."""
    has_names = any(store_name(row.store) != row.store for row in rows)
    columns = _COLUMNS | ({"store_name": 24} if has_names else {})
    cells = [[*_cells(row), *([store_name(row.store)] if has_names else [])] for row in rows]
    return written(kind, columns, cells, shown_currency())


def _cells(row: Row) -> list[Cell]:
    known = [row.store, row.sku, row.name, row.category, row.date.isoformat(), row.now, row.proposed, row.stands]
    return [*known, *(None for _ in TO_FILL), row.told, row.why]
