"""Decisions of a partition tallied by position: the rows that the queries of its counts and cells define.

The definition is the SQL, `queries/visit_counts.sql`, `store_visits.sql`, `context_counts.sql` and `demand_cells.sql`,
and the price ratio's in `views/2_model_input.sql`: cells and counts are made anew when it changes, and a test holds
tallies against it on rows drawn at random. DuckDB compares the text of each row with that of its group, four times.
Here each row is numbered by the positions of its values, and the numbers are counted. Where
there are more combinations of values than numbers, SQL counts.
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
from features.numbering import count_of_numbers, count_of_runs, number_also_by
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
_TABLES = (VISIT_COUNTS, STORE_VISITS, CONTEXT_COUNTS, DEMAND_CELLS)
_EMPTY, _LEFT, _BOUGHT, _OUTCOMES = 0, 1, 2, 3  # an empty shelf, or met with stock and left there or bought


@dataclass(frozen=True)
class _Key:
    """A column as positions among its values in ascending order, shape (n_rows,), and what stands at positions."""

    codes: NDArray[Any]
    size: int
    values_at: Callable[[Ints], pa.Array]


class TooManyError(Exception):
    """There are more combinations of values than numbers."""


def tallies_of(decisions: pa.Table, products: pa.Table) -> dict[str, pa.Table]:
    """Return the counts and the cells of some decisions, by the name of their table.

    Parameters
    ----------
    decisions
        Rows with the columns in `TALLIED`, as in the contract of `interactions`.
    products
        The shelf in the columns of its contract. What is not on it has no cells.

    Raises
    ------
    TooManyError
        When they cannot be numbered.
    """
    if not decisions.num_rows:
        return {table.name: table.schema.empty_table() for table in _TABLES}
    store, sku, tick = (_key_of(decisions[name]) for name in ("store_id", "sku", "tick"))
    price, stock = _key_of(_lowest_price(decisions)), _key_of(decisions["inventory_level"])
    hours = (decisions["seen_at"].cast(pa.int64()).to_numpy() // _HOUR_US).astype(np.int32)
    hour = _numbers(_divided(hours, _HOURS)[1])
    is_owners, is_files = (_said_by(decisions["policy"], name) for name in (OWNER, EXTERNAL))
    outcome = _outcomes(decisions)
    learned = np.where(is_owners, _EMPTY, outcome) if is_owners.any() else outcome

    by_tick = _tally([sku, tick, price, _flag(is_owners | is_files)], outcome)
    counts = [by_tick.visits.sum(axis=0), by_tick.visits[_LEFT:].sum(axis=0), by_tick.visits[_BOUGHT]]
    visits = pa.table([*by_tick.columns(), *counts], schema=VISIT_COUNTS.schema)
    by_hour = _tally([store, hour, sku, price, _flag(is_files)], learned)
    begins = np.flatnonzero(_is_new(by_hour.codes[0]))
    of_stores = np.add.reduceat(by_hour.visits.sum(axis=0), begins)
    stores = pa.table([store.values_at(by_hour.codes[0][begins]), of_stores], schema=STORE_VISITS.schema)
    in_context = pa.table(_met(by_hour), schema=CONTEXT_COUNTS.schema)
    cells = _priced(_met(_tally([sku, price, stock], learned)), products)
    rows = (visits, stores, in_context, cells)
    return {table.name: own for table, own in zip(_TABLES, rows, strict=True)}


@dataclass(frozen=True)
class _Tally:
    """How often each outcome came in each group: a combination of values that has any, in ascending order.

    Attributes
    ----------
    keys, codes
        What groups are told apart by, and the position of each one's value for each key, shape (n_groups,).
    visits
        Shape (n_outcomes, n_groups).
    """

    keys: Sequence[_Key]
    codes: Sequence[Ints]
    visits: Ints

    def columns(self, kept: Ints | slice = slice(None)) -> list[pa.Array]:
        """Return the values of each key in all groups, or in some by their positions."""
        return [key.values_at(codes[kept]) for key, codes in zip(self.keys, self.codes, strict=True)]


def _met(tally: _Tally) -> list[pa.Array]:
    """Return the groups that met stock, how often they did, and how often they bought, by column."""
    left, bought = tally.visits[_LEFT], tally.visits[_BOUGHT]
    met = left + bought
    has_met = np.flatnonzero(met)
    return [*tally.columns(has_met), pa.array(met[has_met]), pa.array(bought[has_met])]


def _priced(cells: list[pa.Array], products: pa.Table) -> pa.Table:
    """Return the cells of products on the shelf, with the price over the base price."""
    sku, price, *others = cells
    text = sku.cast(pa.string())  # anew, so that its dictionary is of the words that are left
    base_price = products["base_price"].take(pc.index_in(text, value_set=products["sku"].cast(pa.string())))
    rows = pa.table([text, price, pc.divide(price, base_price), *others], names=DEMAND_CELLS.schema.names)
    return rows.filter(pc.is_valid(base_price)).cast(DEMAND_CELLS.schema)


def _tally(keys: Sequence[_Key], outcome: NDArray[np.int8]) -> _Tally:
    """Count the outcomes of each combination of values."""
    n_numbers = _OUTCOMES * np.prod([float(key.size) for key in keys])
    if n_numbers > _MOST_NUMBERS:
        raise TooManyError
    is_narrow = n_numbers <= np.iinfo(np.int32).max  # narrow numbers are sorted in half the time
    number: NDArray[Any] = keys[0].codes.astype(np.int32 if is_narrow else np.int64)
    for codes, size in (*((key.codes, key.size) for key in keys[1:] if key.size > 1), (outcome, _OUTCOMES)):
        number_also_by(number, codes, size)
    if n_numbers <= len(number):
        of_numbers = count_of_numbers(number, int(n_numbers)).reshape(-1, _OUTCOMES)
        group = np.flatnonzero(sum(of_numbers.T))
        visits = of_numbers.T[:, group]
    else:
        number.sort()
        group, visits = count_of_runs(number, _OUTCOMES)
    codes_of = []
    for key in reversed(keys):
        group, own = _divided(group, key.size)
        codes_of.append(own)
    return _Tally(keys, codes_of[::-1], visits)


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

    codes = encoded.indices.to_numpy()
    is_in_order = bool((position[1:] > position[:-1]).all())
    in_order = codes if is_in_order else position.take(codes, mode="clip")  # all are there, so none is looked at twice
    return _Key(in_order, len(values), values_at)


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
    met = pc.fill_null(decisions["inventory_level"], 1).to_numpy() != 0
    bought = decisions["purchased"].cast(pa.uint8()).to_numpy()
    return np.asarray(met * np.int8(_LEFT) + (met & bought), dtype=np.int8)


def _is_new(ascending: NDArray[Any]) -> Flags:
    """Tell which of some numbers in ascending order are the first of their value."""
    is_new = np.empty(len(ascending), dtype=bool)
    is_new[:1] = True
    np.not_equal(ascending[1:], ascending[:-1], out=is_new[1:])
    return is_new


def _divided(numbers: NDArray[Any], by: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return quotients and rests as `np.divmod` does, which takes four times as long."""
    quotients = numbers // by
    return quotients, numbers - quotients * by
