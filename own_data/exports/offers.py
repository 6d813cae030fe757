"""Whether something stood beside a price, from whichever words a file has for it."""

import pyarrow as pa
import pyarrow.compute as pc

from own_data.exports.parse import flags

_NO = ("0", "0.0", "false", "f", "no", "n", "none", "regular", "-", "no promotion", "no promo")


def offers(column: pa.Array) -> pa.Array:
    """Read whether there was an offer: yes and no in words, a number above 0, or the name of an offer.

    An empty field is null: nothing says whether there was one.
    """
    if not pa.types.is_string(column.type):
        return pc.greater(column.cast(pa.float64(), safe=False), 0.0)
    coded = column.dictionary_encode()
    words = [str(word).strip().lower() for word in coded.dictionary.to_pylist()]
    known = flags(coded.dictionary).to_pylist()
    values = [
        bool(flag) if flag is not None else None if not word else word not in _NO
        for word, flag in zip(words, known, strict=True)
    ]
    return pa.array(values, pa.bool_()).take(coded.indices)
