"""What is read from an export at a time: some of its rows, each with its line."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from catalog.arrays import Ints

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


_FIRST, _LAST = 40, 20


def shown(value: object) -> str:
    """Return a value in quotes; of a long one the first 40 and the last 20 characters.

    >>> shown("1.99 EUR")
    "'1.99 EUR'"
    >>> shown("x" * 50 + "the last characters!")
    "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' ... 'the last characters!'"
    """
    text = str(value)
    if len(text) < _FIRST + _LAST:
        return repr(text)
    return f"{text[:_FIRST]!r} ... {text[-_LAST:]!r}"
