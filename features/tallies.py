"""Decisions of a partition tallied by position: the rows that the queries of its counts and cells define.

The definition is the SQL, `queries/visit_counts.sql`, `store_visits.sql`, `context_counts.sql` and `demand_cells.sql`:
cells and counts are made anew when it changes, and a test holds tallies against it on rows drawn at random. DuckDB
compares the text of each row with that of its group, four times. Here each row is numbered by the positions of its
values, and the numbers are counted, in less than a third of the time. Where there are more combinations of values than
numbers, SQL counts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from catalog.arrays import Flags, Ints
from catalog.names import EXTERNAL, OWNER
from catalog.tables.decisions import CONTEXT_COUNTS, DEMAND_CELLS, STORE_VISITS, VISIT_COUNTS
from warehouse.parquet import in_one_piece

TALLIED = (
    "store_id",
    "tick",
    "seen_at",
    "sku",
    "price_offered",
    "inventory_level",
    "purchased",
    "policy",
    "sticker_eur",
)
"""The columns that are looked at."""
_HOUR_US, _HOURS = 3_600_000_000, 24
_MOST_NUMBERS = 2.0**62
_EMPTY, _LEFT, _BOUGHT, _OUTCOMES = 0, 1, 2, 3  # an empty shelf, or met with stock and left there or bought


@dataclass(frozen=True)
class _Key:
    """A column as positions among its values in ascending order, shape (n_rows,), and what stands at positions."""

    codes: NDArray[Any]
    size: int
    values_at: Callable[[Ints], pa.Array]


class TooManyError(Exception):
    """There are more combinations of values than numbers."""


def tallies_of(decisions: pa.Table) -> dict[str, pa.Table]:
    """Return the counts of some decisions by the name of their table, and their cells without the price ratio.

    Parameters
    ----------
    decisions
        Rows with the columns in `TALLIED`, as in the contract of `interactions`.

    Raises
    ------
    TooManyError
        When they cannot be numbered.
    """
    if not decisions.num_rows:
        schemas = (VISIT_COUNTS, STORE_VISITS, CONTEXT_COUNTS, DEMAND_CELLS)
        return {table.name: table.schema.empty_table() for table in schemas}
    store, sku, tick = (_key_of(decisions[name]) for name in ("store_id", "sku", "tick"))
    price, stock = _key_of(_lowest_price(decisions)), _key_of(decisions["inventory_level"])
    hours = (decisions["seen_at"].cast(pa.int64()).to_numpy() // _HOUR_US).astype(np.int32)
    hour = _numbers(hours % _HOURS)
    is_owners, is_files = (_said_by(decisions["policy"], name) for name in (OWNER, EXTERNAL))
    outcome = _outcomes(decisions)
    learned = np.where(is_owners, _EMPTY, outcome) if is_owners.any() else outcome

    (of_store,), visits = _tally([store], outcome)
    stores = pa.table([of_store, visits.sum(axis=0)], schema=STORE_VISITS.schema)
    keys, visits = _tally([sku, tick, price, _flag(is_owners | is_files)], outcome)
    counts = [visits.sum(axis=0), visits[_LEFT:].sum(axis=0), visits[_BOUGHT]]
    by_tick = pa.table([*keys, *counts], schema=VISIT_COUNTS.schema)
    keys, met = _tally([store, hour, sku, price, _flag(is_files)], learned, _LEFT)
    by_hour = pa.table([*keys, met.sum(axis=0), met[-1]], schema=CONTEXT_COUNTS.schema)
    keys, met = _tally([sku, price, stock], learned, _LEFT)
    schema = pa.schema(field for field in DEMAND_CELLS.schema if field.name != "price_ratio")
    cells = pa.table([*keys, met.sum(axis=0), met[-1]], schema=schema)
    return {
        VISIT_COUNTS.name: by_tick,
        STORE_VISITS.name: stores,
        CONTEXT_COUNTS.name: by_hour,
        DEMAND_CELLS.name: cells,
    }


def _tally(keys: Sequence[_Key], outcome: NDArray[np.int8], least: int = _EMPTY) -> tuple[list[pa.Array], Ints]:
    """Count the outcomes of each combination of values that has one.

    Returns
    -------
    tuple
        The values of each key, and how often each outcome from `least` on came, shape (n_outcomes, n_groups), in
        ascending order of the keys.
    """
    n_numbers = _OUTCOMES * np.prod([float(key.size) for key in keys])
    if n_numbers > _MOST_NUMBERS:
        raise TooManyError
    is_narrow = n_numbers <= np.iinfo(np.int32).max  # narrow numbers are sorted in half the time
    number: NDArray[Any] = np.zeros(len(outcome), dtype=np.int32 if is_narrow else np.int64)
    for key in (*keys, _Key(outcome, _OUTCOMES, pa.array)):
        number *= key.size
        number += key.codes.astype(number.dtype, copy=False)
    if n_numbers <= len(number):
        counts = np.bincount(number, minlength=int(n_numbers)).reshape(-1, _OUTCOMES).T
        group = np.arange(counts.shape[1])
    else:
        number.sort()
        first = np.flatnonzero(np.concatenate([[True], number[1:] != number[:-1]]))
        of_first, outcome_of = np.divmod(number[first], _OUTCOMES)
        begins = np.concatenate([[True], of_first[1:] != of_first[:-1]])
        counts = np.zeros((_OUTCOMES, np.count_nonzero(begins)), dtype=np.int64)
        counts[outcome_of, np.cumsum(begins) - 1] = np.diff(first, append=len(number))
        group = of_first[begins].astype(np.int64)
    has_any = np.flatnonzero(counts[least:].sum(axis=0))
    group = group[has_any]
    codes = []
    for key in reversed(keys):
        group, own = np.divmod(group, key.size)
        codes.append(key.values_at(own))
    return codes[::-1], counts[least:, has_any]


def _key_of(column: pa.ChunkedArray) -> _Key:
    """Return a column of text or numbers as positions; null comes last."""
    whole = in_one_piece(column)
    if pa.types.is_integer(whole.type) and not whole.null_count:
        return _numbers(whole.to_numpy())
    encoded = whole if pa.types.is_dictionary(whole.type) else whole.dictionary_encode("encode")
    order = pc.array_sort_indices(encoded.dictionary)
    position = np.argsort(order.to_numpy()).astype(np.int32)
    values = encoded.dictionary.take(order)

    def values_at(codes: Ints) -> pa.Array:
        if pa.types.is_dictionary(column.type):
            return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), values)
        return values.take(pa.array(codes))

    return _Key(position[encoded.indices.to_numpy()], len(values), values_at)


def _numbers(numbers: NDArray[np.integer]) -> _Key:
    lowest = int(numbers.min())
    return _Key(numbers - lowest, int(numbers.max()) - lowest + 1, lambda codes: pa.array(codes + lowest))


def _flag(flags: Flags) -> _Key:
    return _Key(flags, 1 + int(flags.any()), lambda codes: pa.array(codes.astype(bool)))


def _lowest_price(decisions: pa.Table) -> pa.ChunkedArray:
    stickers, labels = decisions["sticker_eur"], decisions["price_offered"]
    return labels if stickers.null_count == len(stickers) else pc.coalesce(stickers, labels)


def _said_by(policy: pa.ChunkedArray, name: str) -> Flags:
    """Tell which decisions are kept under the name of a policy."""
    coded = in_one_piece(policy)
    is_it = pc.equal(coded.dictionary, name).to_numpy(zero_copy_only=False)
    return is_it[coded.indices.to_numpy()] if is_it.any() else np.zeros(len(coded), dtype=bool)


def _outcomes(decisions: pa.Table) -> NDArray[np.int8]:
    """Return what came of each decision; a stock that nobody knows counts as stock."""
    met = pc.fill_null(pc.not_equal(decisions["inventory_level"], 0), fill_value=True)
    met, bought = (flags.to_numpy(zero_copy_only=False).view(np.int8) for flags in (met, decisions["purchased"]))
    return np.asarray(met * (_LEFT + bought), dtype=np.int8)
