"""Names in an export as small numbers: stores and products, and the texts that belong to each product."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from catalog.errors import DataError

_MOST_WORDS = {"sku": 5_000, "product_name": 5_000, "store_id": 20_000, "event": 5_000}
_BESIDE = ("product_name", "category")


@dataclass
class CodedWords:
    """The distinct words of a column in order of appearance, with the name and category of each."""

    column: str
    codes: dict[str, int] = field(default_factory=dict)
    beside: dict[int, dict[str, str]] = field(default_factory=dict)

    def coded(self, column: pa.Array, where: str) -> NDArray[np.int32]:
        """Return the position of each row's word, -1 where there is none, shape (n_rows,)."""
        encoded = column.cast(pa.string()).dictionary_encode()
        own = [str(word).strip() for word in encoded.dictionary.to_pylist()]
        places = np.array([self.codes.setdefault(word, len(self.codes)) if word else -1 for word in own], np.int32)
        most = _MOST_WORDS[self.column]
        if len(self.codes) > most:
            raise DataError(
                f"{where}: expected at most {most:,} distinct values of {self.column}, found more; nothing was "
                "published: export fewer of them, such as the products that sell most, or say which column is meant "
                f"with --column {self.column}=NAME"
            )
        index = pc.fill_null(encoded.indices, len(places)).to_numpy()
        return np.append(places, np.int32(-1))[index]

    def coded_with_names(self, columns: dict[str, pa.Array], where: str) -> NDArray[np.int32]:
        """Return the positions as `coded` does, and remember the name and category beside a word's first row."""
        known = len(self.codes)
        codes = self.coded(columns[self.column], where)
        if len(self.codes) > known:
            for code, row in zip(*np.unique(codes, return_index=True), strict=True):
                if code >= known:
                    said = {name: columns[name][int(row)].as_py() for name in _BESIDE if name in columns}
                    self.beside[int(code)] = {name: str(text).strip() for name, text in said.items() if text}
        return codes

    @property
    def words(self) -> list[str]:
        """The words in the order of their codes."""
        return list(self.codes)
