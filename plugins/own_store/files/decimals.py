"""How the numbers of an export are written: the decimal sign, found by evidence and never guessed.

In `12,5` the comma must be the decimal sign, and in `1,234.50` it cannot be. `1,990` may be either, and the two
readings differ a thousandfold. Where nothing in the file tells, the file is refused.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from catalog.arrays import Ints
from catalog.errors import DataError
from plugins.own_store.files.block import shown

_GROUPS = re.compile(r"[+-]?\d{1,3}(([.,])\d{3})(\2\d{3})*(?!\2)[.,]\d*|[+-]?\d{1,3}([.,])\d{3}(\4\d{3})+")
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")
_ONE_SIGN = re.compile(r"[+-]?\d*([.,])\d+([eE][+-]?\d+)?|[+-]?\d+([.,])")
_OTHER = {".": ",", ",": "."}
THOUSANDS = {".": r"^[+-]?\d{1,3}(,\d{3})+(\.\d*)?$", ",": r"^[+-]?\d{1,3}(\.\d{3})+(,\d*)?$"}
"""How a number with signs of thousands is written, by its decimal sign."""
_SIGN = {".": "point", ",": "comma"}
MORE_THAN_A_NUMBER = (
    r"^\s*[+-]?\s*(\p{Sc}|[A-Za-z]{1,3}\.?)\s*[+-]?\d[\d.,]*\s*$|\d\s*(\p{Sc}|%|[A-Za-z])[A-Za-z./ ]*\s*$"
)


@dataclass
class NumberFormat:
    """What the blocks of an export have shown about its numbers so far.

    Attributes
    ----------
    decimal
        The decimal sign, None until something tells.
    """

    decimal: str | None

    def sign_in(self, columns: Mapping[str, pa.Array], lines: Ints, where: str) -> str:
        """Return the decimal sign in a block.

        Parameters
        ----------
        columns
            The columns of numbers, by their names in the file, shape (n_rows,) each.
        lines
            The line of each row.

        Raises
        ------
        DataError
            When some values have a decimal comma and some a decimal point, or values may be read in two ways.
        """
        if self.decimal is not None:
            return self.decimal
        seen: dict[str, tuple[str, str]] = {}  # a column and a value that tell a sign, or that tell none
        for name, column in columns.items():
            for text in _with_sign(column):
                told = _sign_told_by(text.strip())
                if told is not None:
                    seen.setdefault(told, (name, text))
        if "." in seen and "," in seen:
            raise DataError(_contradiction(seen, columns, lines, where))
        if "?" in seen and len(seen) == 1:
            name, text = seen["?"]
            raise DataError(
                f"{where} line {_line_of(columns[name], text, lines)}: {shown(text)} in {name!r} may be a number with "
                "decimals or with thousands, and no other number in the file tells; nothing was published: say which "
                "sign is the decimal sign, with --decimal . or --decimal ,"
            )
        self.decimal = next((sign for sign in (".", ",") if sign in seen), None)
        return self.decimal or "."  # without any sign both read the same


def sign_shown_in(columns: Iterable[pa.ChunkedArray]) -> str | None:
    """Return the decimal sign that texts show: a comma where some need one and none needs a point, else None."""
    shown_signs = {_sign_told_by(text.strip()) for column in columns for text in _with_sign(column)}
    return "," if "," in shown_signs and "." not in shown_signs else "." if "." in shown_signs else None


def with_point(text: pa.Array, decimal: str) -> pa.Array:
    """Return numbers with a decimal point and without signs of thousands; what is no number as it is."""
    apart, grouped = _OTHER[decimal], pc.match_substring_regex(text, THOUSANDS[decimal])
    return pc.replace_substring(pc.if_else(grouped, pc.replace_substring(text, apart, ""), text), decimal, ".")


def _with_sign(column: pa.Array) -> list[str]:
    """Return the distinct texts of a column that hold a point or a comma."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return []
    return pc.unique(column.filter(pc.match_substring_regex(column, "[.,]"))).to_pylist()


def _sign_told_by(text: str) -> str | None:
    """Return the decimal sign that a text tells, "?" where it may be read in two ways, None where it tells nothing."""
    if _EITHER.fullmatch(text):
        return "?"
    if groups := _GROUPS.fullmatch(text):
        return _OTHER[groups[2] or groups[4]]
    one = _ONE_SIGN.fullmatch(text)
    return one and (one[1] or one[3])


def _contradiction(
    seen: Mapping[str, tuple[str, str]], columns: Mapping[str, pa.Array], lines: Ints, where: str
) -> str:
    parts = [
        f"a decimal {_SIGN[sign]}, such as {shown(text)} in {name!r}, line {_line_of(columns[name], text, lines)}"
        for sign, (name, text) in ((sign, seen[sign]) for sign in (",", "."))
    ]
    return (
        f"{where}: some numbers have {parts[0]}, and some {parts[1]}; nothing was published: say which it is with "
        "--decimal, rows with the other one are then rejected"
    )


def _line_of(column: pa.Array, text: str, lines: Ints) -> int:
    return int(lines[pc.index(column, text).as_py()])
