"""Every table that crosses a folder: its grain, its columns, their types, units and nullability.

The core's contracts are in `catalog/tables`; plugins register theirs for `catalog.hooks.TABLES`. Publishing enforces
them, and the data dictionary is written from them: a page by `python -m catalog.tables.contracts`, and rows for a
table. Tables by day keep their `business_date` in the folder name, not in the file.
"""

import re
import sys
from itertools import chain
from pathlib import Path

import pyarrow as pa

from catalog import hooks
from catalog.errors import ContractError
from catalog.tables.table import Table, tables_in

_FILES = ("decisions", "stock", "context", "prices", "beliefs", "learning")


def _contracts() -> dict[str, Table]:
    core = (tables_in(Path(__file__).with_name(f"{name}.yaml")) for name in _FILES)
    contracts: dict[str, Table] = {}
    for table in chain(*core, *hooks.TABLES.all()):
        if contracts.setdefault(table.name, table) is not table:
            raise ContractError(f"expected one contract of the table {table.name}, found two: uninstall one package")
    return contracts


TABLES: dict[str, Table] = _contracts()
"""Every table by its name: the core's, then those of plugins."""

GROUP_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
"""Names a partition may have; any other name could lead out of the lake's folder."""


_BUSINESS_DATE = ("business_date", "date", "calendar date of the opening; the name of the folder")


def data_dictionary() -> str:
    """Return one Markdown page with a section and a table of columns for each contract."""
    intro = [
        "# Data dictionary",
        "",
        "Written from the contracts by `make docs`; a test fails when the two differ. Times are UTC; a business",
        "date is a local date of the store (the table `stores` has the time zones). Tables by day also have a",
        "`business_date` column, which is the name of their folder. Money is in the currency of the shelf, also in",
        "columns that end in `_eur` and where the unit says EUR: the column `currency` of `products` names it. A share",
        "and a probability are from 0 to 1; a number counts or names things and measures nothing; text, ids and names",
        "have no unit: `-`.",
    ]
    return "\n".join([*intro, *(line for table in TABLES.values() for line in _section(table))]) + "\n"


def described_columns() -> pa.Table:
    """Return one row for each column of each contract: `table_name`, `column_name`, `unit` and `meaning`."""
    rows = list[tuple[str, ...]]()
    for table in TABLES.values():
        rows += [(table.name, column.name, column.unit, column.meaning) for column in table.columns]
        rows += [(table.name, *_BUSINESS_DATE)] if table.by == "day" else []
    names = ("table_name", "column_name", "unit", "meaning")
    return pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))


def _section(table: Table) -> list[str]:
    kept = "by day" if table.by == "day" else "one file per key"
    rows = [
        f"| `{column.name}` | {_type_name(column.type)} | {column.unit} "
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
