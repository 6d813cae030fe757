"""The data dictionary, written from the contracts: a page by `python -m catalog.dictionary`, and rows for a table."""

import sys

import pyarrow as pa

from catalog.contracts import TABLES
from catalog.table import Column, Table

_BUSINESS_DATE = Column("business_date", pa.date32(), "calendar date of the opening; the name of the folder")


def data_dictionary() -> str:
    """Return one Markdown page with a section and a table of columns for each contract."""
    intro = [
        "# Data dictionary",
        "",
        "Written from `catalog/tables` by `make docs`; a test fails when the two differ. Times are UTC; a business",
        "date is a local date of the store (the table `stores` has the time zones). Tables by day also have a",
        "`business_date` column, which is the name of their folder. Money is in the currency of the shelf, also in",
        "columns that end in `_eur` and where the unit says EUR: the column `currency` of `products` names it.",
    ]
    return "\n".join([*intro, *(line for table in TABLES.values() for line in _section(table))]) + "\n"


def described_columns() -> pa.Table:
    """Return one row for each column of each contract: `table_name`, `column_name`, `unit` and `meaning`."""
    rows = [
        (table.name, column.name, column.unit, column.meaning)
        for table in TABLES.values()
        for column in (*table.columns, *([_BUSINESS_DATE] if table.by == "day" else []))
    ]
    names = ("table_name", "column_name", "unit", "meaning")
    return pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))


def _section(table: Table) -> list[str]:
    kept = "by day" if table.by == "day" else "one file per key"
    rows = [
        f"| `{column.name}` | {_type_name(column.type)} | {column.unit or '-'} "
        f"| {'yes' if column.nullable else 'no'} | {column.meaning} |"
        for column in table.columns
    ]
    return [
        "",
        f"## {table.name}",
        "",
        f"Grain: {table.grain}. Key: {', '.join(f'`{name}`' for name in table.key)}. Kept {kept}.",
        "",
        "| column | type | unit | null | meaning |",
        "|---|---|---|---|---|",
        *rows,
    ]


def _type_name(data_type: pa.DataType) -> str:
    if pa.types.is_dictionary(data_type) or pa.types.is_string(data_type):
        return "text"
    if pa.types.is_list(data_type) and not pa.types.is_struct(data_type.value_type):
        return f"list of {_type_name(data_type.value_type)}"
    if pa.types.is_list(data_type):
        return f"list of ({', '.join(field.name for field in data_type.value_type)})"
    return "timestamp" if pa.types.is_timestamp(data_type) else str(data_type)


if __name__ == "__main__":
    sys.stdout.write(data_dictionary())
