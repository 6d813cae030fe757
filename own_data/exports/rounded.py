"""Numbers that name something and that a spreadsheet has rounded: 4006381333931 saved as `4.00638E+12`.

All products whose numbers begin alike then share one name, and nothing in the file tells them apart any more. So the
file is refused. `5E12` without a sign may be an article's name, unless products of several names share it.
"""

from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from catalog.arrays import Ints
from catalog.errors import DataError
from etl.files.shown import shown

_ROUNDED = r"^\s*(\d[.,]\d+[eE]\+?\d{1,2}|\d+[eE]\+\d{1,2})\s*$"
_MAYBE = r"^\s*\d+[eE]\d{1,2}\s*$"


@dataclass
class RoundedNumbers:
    """Looks at the names of a column block by block.

    Attributes
    ----------
    column
        Its name in the file.
    names
        The name of the product beside each value that may be a rounded number.
    """

    column: str
    names: dict[str, str] = field(default_factory=dict)

    def refuse(self, words: pa.Array, beside: pa.Array | None, lines: Ints, where: str) -> None:
        """Refuse rounded numbers.

        Parameters
        ----------
        words, beside, lines
            The values of some rows, the names of their products if the file has them, and their lines.

        Raises
        ------
        DataError
            With the first value and its line, and what to do.
        """
        if not pa.types.is_string(words.type) and not pa.types.is_large_string(words.type):
            return
        distinct = pc.unique(words)  # few words, many rows
        for word in distinct.filter(pc.match_substring_regex(distinct, _ROUNDED)).to_pylist():
            raise DataError(self._said(word, words, lines, where, ""))
        maybe = distinct.filter(pc.match_substring_regex(distinct, _MAYBE))
        if beside is None or not len(maybe):
            return
        rows = pc.is_in(words, value_set=maybe)
        pairs = pa.table({"word": words, "name": beside.cast(pa.string())}).filter(rows)
        for pair in pairs.group_by(["word", "name"]).aggregate([]).to_pylist():
            word, name = pair["word"], pair["name"]
            if name and self.names.setdefault(word, name) != name:
                both = f" of both {shown(self.names[word])} and {shown(name)}"
                raise DataError(self._said(word, words, lines, where, both))

    def _said(self, word: str, words: pa.Array, lines: Ints, where: str, both: str) -> str:
        line = int(lines[pc.index(words, word).as_py()])
        return (
            f"{where} line {line}: expected whole numbers or names in {self.column!r}, found {shown(word)}{both}, a "
            "number that a spreadsheet rounded, so several may have become one; nothing was published: format the "
            "column as text, or as a number without decimals, and export again"
        )
