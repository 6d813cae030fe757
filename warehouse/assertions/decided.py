"""Decisions in memory counted by position: the rows that `queries/decided.sql` defines, of one business date.

The definition is the SQL, and a test holds these rows against it on rows drawn at random. The assertions hold the
tallies (`features.tallies`) against these rows, so the two share no code.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.arrays import Floats, Ints
from catalog.store_day import BOUGHT, OUTCOMES
from warehouse.parquet import in_one_piece

_GROUPED_BY = ("store_id", "sku", "policy")
_KINDS = 8  # met with stock or not, purchased or not, in contradiction to the outcome or not


def decided_in(decisions: pa.Table) -> pa.Table | None:
    """Return the rows of `decided` but for their date; None where there are more groups of them than decisions.

    Parameters
    ----------
    decisions
        Rows with the columns of `interactions`.
    """
    columns = {name: in_one_piece(decisions[name]) for name in decisions.column_names}
    words = {name: columns[name].dictionary for name in _GROUPED_BY}
    n_numbers = _KINDS * int(np.prod([len(known) for known in words.values()]))
    if n_numbers > len(decisions):
        return None
    stock, price, purchased = (
        columns[name].to_numpy(zero_copy_only=False) for name in ("inventory_level", "price_offered", "purchased")
    )
    says_bought = pc.equal(columns["outcome"].dictionary, OUTCOMES[BOUGHT]).to_numpy(zero_copy_only=False)
    contradicts = purchased != says_bought[columns["outcome"].indices.to_numpy()]
    number = np.zeros(len(decisions), dtype=np.int64)
    for name in (name for name in _GROUPED_BY if len(words[name]) > 1):
        number *= len(words[name])
        number += columns[name].indices.to_numpy()
    number *= _KINDS
    number += (stock != 0).view(np.int8) * 4 + purchased.view(np.int8) * 2 + contradicts  # NaN is a stock unknown
    counts = np.bincount(number, minlength=n_numbers).reshape(-1, 2, 2)
    visits = counts.sum(axis=(1, 2))
    some = np.flatnonzero(visits)
    number >>= 2  # the group alone
    stuck, sticker = _stuck_in(columns["sticker_eur"])
    found = {
        "is_met": some % 2 == 1,
        "count_visits": visits[some],
        "count_purchased": counts[some, 1].sum(axis=1),
        "count_contradicting": counts[some, :, 1].sum(axis=1),
        "count_below_sticker": np.bincount(number[stuck[price[stuck] < sticker]], minlength=len(visits))[some],
    }
    for name, rows, values in (("price", number, price), ("sticker", number[stuck], sticker)):
        for end, find in (("lowest", np.fmin), ("highest", np.fmax)):
            of_group = np.full(len(visits), np.nan)
            find.at(of_group, rows, values)
            found[f"{end}_{name}_eur"] = pa.array(of_group[some], from_pandas=True)
    codes = some // 2
    for name in reversed(_GROUPED_BY):
        codes, own = np.divmod(codes, len(words[name]))
        found[name] = pa.DictionaryArray.from_arrays(pa.array(own, pa.int32()), words[name])
    return pa.table(found)


def _stuck_in(stickers: pa.Array) -> tuple[Ints, Floats]:
    """Return the rows with a sticker, and the price on each, EUR; where there is none, no row is looked at."""
    known = np.flatnonzero(stickers.is_valid()) if stickers.null_count < len(stickers) else np.empty(0, dtype=np.int64)
    values = stickers.take(pa.array(known)).to_numpy(zero_copy_only=False)
    return known[~np.isnan(values)], values[~np.isnan(values)]
