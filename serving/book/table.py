"""A price book as rows of `booked_prices` and back."""

import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.arrays import Floats
from catalog.tables.contracts import TABLES
from serving.book.book import BookedStates, PriceBook
from warehouse.parquet import coded, constant, moments

_COLUMNS = {
    "prices": "price",
    "unconstrained": "unconstrained_price",
    "p_sale": "p_sale",
    "p_unconstrained": "unconstrained_p_sale",
    "unit_value": "unit_value",
    "rule": "binding_rule",
    "policy_rule": "policy_rule",
}


def book_to_table(book: PriceBook) -> pa.Table:
    """Return the book in the columns of `booked_prices`: each product up to its par."""
    n_products, n_ticks, n_levels = book.states.prices.shape
    product = np.repeat(np.arange(n_products), n_ticks)
    is_up_to_par = np.arange(n_levels) <= book.par_stock[product, None]
    begin = np.concatenate([[0], np.cumsum(is_up_to_par.sum(axis=1))]).astype(np.int32)
    rules = pa.array(book.rules)

    def listed(name: str) -> pa.ListArray:
        values = getattr(book.states, name).reshape(-1, n_levels)[is_up_to_par]
        if name in {"rule", "policy_rule"}:
            return pa.ListArray.from_arrays(begin, pa.DictionaryArray.from_arrays(values, rules).cast(pa.string()))
        return pa.ListArray.from_arrays(begin, pa.array(values, from_pandas=True))

    columns = {
        "sku": coded(product, book.skus),
        "ticks_left": np.tile(np.arange(1, n_ticks + 1, dtype=np.int16), n_products),
        **{column: listed(name) for name, column in _COLUMNS.items()},
        "policy": constant(book.policy, len(product)),
        "model_version": constant(book.model_version, len(product)),
        "published_at": moments(np.full(len(product), round(book.published_at.timestamp() * 1_000_000))),
    }
    return pa.table(columns).cast(TABLES["booked_prices"].schema)


def book_from_table(table: pa.Table) -> PriceBook:
    """Return the book that a partition of `booked_prices` holds."""
    n_ticks = int(table["ticks_left"].to_numpy().max())
    first = np.arange(0, len(table), n_ticks)
    lengths = table["price"].combine_chunks().value_lengths().to_numpy()
    par_stock = lengths[first].astype(np.int64) - 1
    levels = np.minimum(np.arange(par_stock.max() + 1), par_stock[:, None])
    begin = (np.cumsum(lengths, dtype=np.int64) - lengths).reshape(-1, n_ticks, 1)
    place, rules = begin + levels[:, None, :], dict[str, int]()
    states = BookedStates._make(_flat(table[column], rules)[place] for column in _COLUMNS.values())
    own: dict[str, Any] = {name: table[name][0].as_py() for name in ("policy", "model_version", "published_at")}
    return PriceBook(
        skus=tuple(table["sku"].take(first).to_pylist()),
        par_stock=par_stock,
        states=states,
        rules=tuple(rules),
        **own | {"published_at": own["published_at"].astimezone(dt.UTC)},
    )


def _flat(column: pa.ChunkedArray, rules: dict[str, int]) -> Floats | NDArray[np.int16]:
    """Return all values of a column of lists; rules as positions in `rules`, to which new ones are added."""
    values = column.combine_chunks().flatten()
    if pa.types.is_floating(values.type):
        return np.asarray(values.to_numpy(zero_copy_only=False))
    encoded = values.dictionary_encode()
    positions = np.array([rules.setdefault(word, len(rules)) for word in encoded.dictionary.to_pylist()], np.int16)
    return positions[encoded.indices.to_numpy()]
