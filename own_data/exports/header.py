"""The names of a file's columns: from its first row, or said where it has none."""

import re
from collections.abc import Sequence

from catalog.errors import DataError
from etl.files.shown import shown
from own_data.exports.columns import COMMON_NAMES, Reading

_VALUE = re.compile(
    r"\s*([-+]?[$€£]?\s?\d[\d.,' ]*([eE][-+]?\d+)?\s?([$€£%]|EUR|USD|GBP|CHF)?"  # a number, an amount
    r"|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ]+\d{1,2}:\d{2}.*)?"  # a date, with or without a time of day
    r"|\d{1,2}:\d{2}(:\d{2})?(\.\d+)?)\s*"
)
_DATE = re.compile(r"\s*(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})([T ][\d:]*)?\s*")
_NOT_A_NAME = re.compile(r"[^0-9a-z]+")
_KNOWN = {*COMMON_NAMES, *(name for names in COMMON_NAMES.values() for name in names)}


def header_of(first: Sequence[str], reading: Reading, where: str) -> tuple[str, ...]:
    """Return the names of the columns of a file whose first row is given.

    Parameters
    ----------
    where
        The file and the line of its first row.

    Raises
    ------
    DataError
        When the first row looks like data and no names were said, dates stand side by side, or the names that were said
        do not fit.
    """
    named = [field for field in first if field.strip()]
    known = [field for field in named if _is_known(field, reading)]
    if reading.header is None:
        values = [field for field in named if _VALUE.fullmatch(field)]
        if values and not known and 2 * len(values) >= len(named):
            raise DataError(
                f"{where}: expected a header, found {shown(values[0])}, which looks like data; nothing was read: add a "
                f"line with names above, or name all {len(first)} columns with --header, such as "
                "--header date,sku,price,units"
            )
        dates = [field for field in named if _DATE.fullmatch(field)]
        if len(dates) > 1:
            raise DataError(
                f"{where}: expected one row for each date, found dates as names of columns, such as {shown(dates[0])} "
                f"and {shown(dates[1])}; nothing was read: turn these columns into rows, with one column for the date"
            )
        return tuple(first)
    if len(reading.header) != len(first):
        raise DataError(
            f"{where}: --header names {len(reading.header)} columns, the first row has {len(first)}; nothing was read: "
            "name each column once, in the file's order"
        )
    if len(known) > 1:
        raise DataError(
            f"{where}: --header was given, and the first row is a header already, with {shown(known[0])} and "
            f"{shown(known[1])}; nothing was read: leave --header away, and say what columns mean with --column"
        )
    return tuple(reading.header)


def _is_known(name: str, reading: Reading) -> bool:
    plain = _NOT_A_NAME.sub("_", name.strip().lower()).strip("_")
    return plain in _KNOWN or name in reading.columns.values()
