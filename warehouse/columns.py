"""Arrow columns as the lake keeps them: text dictionary-encoded, moments in UTC."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.table import MOMENT, TEXT


def coded(codes: NDArray[Any], words: Sequence[str]) -> pa.DictionaryArray:
    """Return a text column from positions in `words`, shape (n_rows,).

    Repeated words are merged: with them, equal columns do not always become equal bytes in Parquet.
    """
    distinct = {word: number for number, word in enumerate(dict.fromkeys(words))}
    if len(distinct) < len(words):
        codes = np.array([distinct[word] for word in words], dtype=np.int32)[codes]
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), pa.array(list(distinct), pa.string()))


def constant(text: str | None, length: int) -> pa.Array:
    """Return a text column that holds one word, or null, in every row."""
    return pa.nulls(length, TEXT) if text is None else coded(np.zeros(length, dtype=np.int32), [text])


def moments(microseconds: NDArray[np.int64]) -> pa.Array:
    """Return a column of moments from microseconds since 1970 (UTC)."""
    return pa.array(microseconds).cast(MOMENT)
