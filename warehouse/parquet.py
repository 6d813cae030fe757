"""Files of Parquet in the columns of their contract. Only the lake writes them: whole, and with a receipt."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.errors import ContractError
from catalog.table import Table

_ROWS_PER_GROUP = 1 << 20


def is_readable_as(found: pa.Schema, table: Table) -> bool:
    """Tell whether a file's columns are those of a contract; one that may be null may have come after the file."""
    expected = [field for field in table.schema if not field.nullable or field.name in found.names]
    return found.equals(pa.schema(expected))


def in_contract(rows: pa.Table, table: Table) -> pa.Table:
    """Return what was read in the columns of its contract; a column that came later is null.

    Raises
    ------
    ValueError
        When the columns are others.
    """
    for position, field in enumerate(table.schema):
        if field.nullable and field.name not in rows.column_names:
            rows = rows.add_column(position, field, pa.nulls(len(rows), field.type))
    return rows.cast(table.schema)


def conform(rows: pa.Table, table: Table) -> pa.Table:
    """Return what is to be written in the columns of its contract.

    Raises
    ------
    ContractError
        When columns, types or nulls are not as the contract says.
    """
    expected = table.schema
    if rows.column_names != expected.names:
        raise ContractError(f"{table.name}: expected the columns {expected.names}, found {rows.column_names}")
    for field in expected:
        column = rows[field.name]
        if column.type != field.type:
            raise ContractError(f"{table.name}.{field.name}: expected {field.type}, found {column.type}")
        if column.null_count and not field.nullable:
            raise ContractError(f"{table.name}.{field.name}: {column.null_count} nulls in a column that has none")
    return rows.cast(expected)


def write_parquet(rows: pa.Table, where: Path | pa.BufferOutputStream) -> None:
    """Write a file, or its bytes into memory: the same rows give the same bytes."""
    floats = [field.name for field in rows.schema if field.type == pa.float32()]
    coded = [field.name for field in rows.schema if field.name not in floats]
    pq.write_table(
        rows,
        where,
        compression="zstd",
        compression_level=1,
        row_group_size=_ROWS_PER_GROUP,
        use_dictionary=[name for name in coded if not pa.types.is_timestamp(rows.schema.field(name).type)],
        column_encoding={
            **dict.fromkeys(floats, "BYTE_STREAM_SPLIT"),
            **{field.name: "DELTA_BINARY_PACKED" for field in rows.schema if pa.types.is_timestamp(field.type)},
        },
    )
