"""Files of Parquet in the columns of their contract: text dictionary-encoded, moments in UTC.

Only the lake writes them: whole, and with a receipt, against which columns and rows are held.
"""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from catalog.errors import ContractError
from catalog.tables.table import MOMENT, TEXT, Table


def coded(codes: NDArray[Any], words: Sequence[str]) -> pa.DictionaryArray:
    """Return a text column from positions in `words`, shape (n_rows,).

    Repeated words are merged: with them, equal columns do not always become equal bytes in Parquet.
    """
    distinct = {word: number for number, word in enumerate(dict.fromkeys(words))}
    if len(distinct) < len(words):
        codes = np.array([distinct[word] for word in words], dtype=np.int32)[codes]
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), pa.array(list(distinct), pa.string()))


def in_one_piece(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array; `combine_chunks` copies also what is in one piece."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def as_python(rows: pa.Table | pa.RecordBatch) -> list[dict[str, Any]]:
    """Return rows of somebody's file with dates and times as text: Python has none after the year 9999."""
    kinds = [
        pa.string() if pa.types.is_date(kind) or pa.types.is_timestamp(kind) else kind for kind in rows.schema.types
    ]
    records: list[dict[str, Any]] = rows.cast(pa.schema(zip(rows.schema.names, kinds, strict=True))).to_pylist()
    return records


def texts(words: Sequence[str]) -> pa.Array:
    """Return words as Arrow holds them: to make that of a chain's products takes longer than to find them in rows."""
    return pa.array(words, pa.string())


def positions(column: pa.ChunkedArray, words: Sequence[str] | pa.Array) -> NDArray[np.int64]:
    """Return the position of each text of a column among some words, -1 where it is none of them.

    Each text that differs is looked for once; `words` are those of `texts` where many columns are asked about.
    """
    wanted = words if isinstance(words, pa.Array) else texts(words)
    coded_rows = in_one_piece(column.unify_dictionaries()).dictionary_encode()
    codes, words_there = coded_rows.indices, coded_rows.dictionary.cast(pa.string())
    if not codes.null_count and words_there.equals(wanted):
        return codes.to_numpy().astype(np.int64)
    places = np.append(pc.fill_null(pc.index_in(words_there, value_set=wanted), -1).to_numpy(), -1).astype(np.int64)
    if codes.null_count:
        codes = codes.fill_null(len(words_there))
    return places.take(codes.to_numpy(), mode="clip")  # every code is one: quicker than to look whether it is


def cells(
    rows: pa.Table, stores: Sequence[str] | pa.Array, skus: Sequence[str] | pa.Array
) -> tuple[NDArray[np.int64], NDArray[np.int64] | slice]:
    """Return the cells of rows that have a store and a product of a grid, and which rows these are.

    Cells are numbered store after store, as `np.put` fills an array of shape (n_stores, n_products).
    """
    store, product = positions(rows["store_id"], stores), positions(rows["sku"], skus)
    if min(store.min(initial=0), product.min(initial=0)) >= 0:  # as a rule; millions of them are not copied then
        which: NDArray[np.int64] | slice = slice(None)
    else:
        which = np.flatnonzero((store >= 0) & (product >= 0))
    return store[which] * len(skus) + product[which], which


def constant(text: str | None, length: int) -> pa.Array:
    """Return a text column that holds one word, or null, in every row."""
    if text is None:
        return pa.nulls(length, TEXT)
    codes = pa.array(np.zeros(length, dtype=np.int32))  # not copied: what is never written to takes no memory
    return pa.DictionaryArray.from_arrays(codes, pa.array([text], pa.string()))


def moments(microseconds: NDArray[np.int64]) -> pa.Array:
    """Return a column of moments from microseconds since 1970 (UTC)."""
    return pa.array(microseconds).cast(MOMENT)


_ROWS_PER_GROUP, _BYTES_PER_GROUP, _ROWS_AT_ONCE = 1 << 20, 1 << 26, 1 << 16


def in_contract(
    rows: pa.Table, table: Table, columns: Sequence[str] | None = None, coded: Collection[str] = ()
) -> pa.Table:
    """Return what was read in the columns of its contract, all or some.

    Parameters
    ----------
    coded
        Columns of text that stay codes.

    Raises
    ------
    ValueError
        When the columns are others.
    """
    schema = table.schema if columns is None else pa.schema([table.schema.field(name) for name in columns])
    for position, field in enumerate(schema):
        if field.name in coded:
            schema = schema.set(position, field.with_type(TEXT))
    if rows.schema.equals(schema):
        return pa.Table.from_arrays(rows.columns, schema=schema)  # without what files note beside types
    return rows.cast(schema)


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


def write_parquet(
    rows: pa.Table,
    where: Path | pa.BufferOutputStream,
    key: Collection[str] | None = None,
    varied: Collection[str] = (),
) -> None:
    """Write a file, or its bytes into memory: the same rows give the same bytes.

    Parameters
    ----------
    key
        Columns by which rows are looked for; all by default. Text beside them has no bounds in the file, nor has what
        is in lists: to find them takes a fifth of the processor time, and nobody skips a file for them.
    varied
        As in `catalog.tables.table.Table`: integers are written by their differences. All of them hardly get
        smaller, so they are compressed by what is quick.
    """
    types = {field.name: field.type for field in rows.schema}
    bounded = key is None or [name for name, kind in types.items() if name in key or kind != TEXT]
    floats = [name for name, kind in types.items() if kind == pa.float32()]
    steps = [f"{name}.list.element" for name, kind in types.items() if kind == pa.list_(pa.int16())]
    apart = [
        name for name, kind in types.items() if pa.types.is_timestamp(kind) or (name in varied and name not in floats)
    ]
    thorough = [name for name in types if name not in varied]
    one_by_one = {
        "compression": {**dict.fromkeys(thorough, "zstd"), **dict.fromkeys(varied, "snappy")},
        "compression_level": dict.fromkeys(thorough, 1),
    }
    pq.write_table(
        rows,
        where,
        row_group_size=min(_ROWS_PER_GROUP, 1 + len(rows) * _BYTES_PER_GROUP // max(rows.nbytes, 1)),
        write_batch_size=_ROWS_AT_ONCE,
        write_statistics=bounded,
        use_dictionary=[name for name in types if name not in {*floats, *apart}],
        column_encoding={
            **dict.fromkeys(floats, "BYTE_STREAM_SPLIT"),
            **dict.fromkeys([*steps, *apart], "DELTA_BINARY_PACKED"),
        },
        **(one_by_one if varied else {"compression": "zstd", "compression_level": 1}),
    )
