"""What is read from an export at a time: some of its rows, each with its line."""

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pyarrow as pa

from catalog.arrays import Ints

_Item = TypeVar("_Item")

EMPTY = ("", "NA", "N/A", "NULL", "null", "None")
"""Texts that mean that there is no value."""


@dataclass(frozen=True)
class Ragged:
    """A record that does not have the header's number of fields."""

    line: int
    reason: str
    text: str


@dataclass(frozen=True)
class Block:
    """Some rows of an export.

    Attributes
    ----------
    rows
        The columns that are used, under their names in the file: text from a CSV, typed from Parquet and workbooks.
    lines
        The line of each row in its file (for Parquet the number of the row, for a workbook the row of its sheet), from
        1, shape (n_rows,).
    ragged
        Records without the header's number of fields.
    read
        Share of the file that has been read, in [0, 1].
    """

    rows: pa.Table
    lines: Ints
    ragged: tuple[Ragged, ...]
    read: float


def without_blank_rows(block: Block) -> Block:
    """Leave out rows without any value: a blank line is not a row."""
    empty = np.logical_and.reduce([column.is_null().to_numpy() for column in block.rows.columns])
    if not empty.any():
        return block
    return Block(block.rows.filter(pa.array(~empty)), block.lines[~empty], block.ragged, block.read)


def ahead(items: Iterator[_Item]) -> Generator[_Item]:
    """Yield items while the next one is made in another thread."""
    with ThreadPoolExecutor(1) as maker:
        coming = maker.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = maker.submit(next, items, None)
            yield item
