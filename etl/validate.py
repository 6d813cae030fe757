"""Keep bad rows aside with their reason: rows in = rows valid + rows rejected, always."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from catalog.arrays import Flags, Ints
from catalog.decisions.store_day import OUTCOMES
from catalog.load import Catalog
from catalog.tables.contracts import TABLES
from warehouse.parquet import as_python, in_one_piece

MISSING = "a required value is missing"
REPEATS = "it repeats an earlier row"
CONTRADICTS = "an earlier row says another price, purchase or stock for its store, time, shopper and product"
PURCHASED = "purchased is neither 0 nor 1"
PROPENSITY = "the propensity is not a probability above 0"
LONGEST_TEXT = 2_000
"""Characters of a bad row that are kept."""
_LEAST_PRICE, _MOST_PRICE = np.nextafter([0.0, 1_000_000.0], [1.0, 0.0]).tolist()
_MAX_INT32 = 2**31 - 1
_RAREST = 1e-12
_ODD = (
    7_046_029_254_386_353_131,
    3_935_559_000_370_003_845,
    2_862_933_555_777_941_757,
)  # spread the bits of small numbers
_SAID = ("price_offered", "purchased", "inventory_level")


@dataclass(frozen=True)
class Validated:
    """Rows that hold what the contract and the world allow, and the others with the first reason against each."""

    valid: pa.Table
    rejected: pa.Table


def validate(
    rows: pa.Table, catalog: Catalog, source: str, not_after: dt.datetime, lines: Ints | None = None
) -> Validated:
    """Split rows with the columns of `interactions` into valid and rejected ones.

    Parameters
    ----------
    rows
        Columns named as in the contract; numbers may still be of other types than the contract's, and null.
    source
        Where the rows came from, for the quarantine.
    not_after
        Latest moment a decision can have been seen at.
    lines
        Number of each row in its source, shape (n_rows,); by default its position from 1.

    Returns
    -------
    Validated
        Valid rows in their order and their types; rejected rows with their number in the source.
    """
    reason = np.zeros(rows.num_rows, dtype=np.int8)
    checks = _checks(catalog, not_after)
    for code, (_, check) in enumerate(checks, start=1):
        against = check(rows)
        if against.any():
            reason[(reason == 0) & against] = code
    good = np.flatnonzero(reason == 0)
    repeats, contradicts = _repeats(rows if len(good) == rows.num_rows else rows.take(good))
    reason[good[repeats]] = len(checks) + 1
    reason[good[contradicts]] = len(checks) + 2
    bad = np.flatnonzero(reason)
    if not len(bad):
        return Validated(rows, TABLES["rejected"].schema.empty_table())
    sentences = [*(sentence for sentence, _ in checks), REPEATS, CONTRADICTS]
    rejected = pa.table(
        {
            "source": pa.array([source] * len(bad), pa.string()).dictionary_encode(),
            "row_number": pa.array(bad + 1 if lines is None else lines[bad], pa.int64()),
            "reason": pa.array([sentences[code - 1] for code in reason[bad]], pa.string()).dictionary_encode(),
            "row_text": pa.array(row_texts(rows, bad), pa.string()),
        },
        schema=TABLES["rejected"].schema,
    )
    return Validated(rows.filter(pa.array(reason == 0)), rejected)


def row_texts(rows: pa.Table, bad: Ints) -> list[str]:
    """Return some rows as text, cut to what is kept."""
    return [str(row)[:LONGEST_TEXT] for row in as_python(rows.take(pa.array(bad)))]


def _checks(catalog: Catalog, not_after: dt.datetime) -> list[tuple[str, Callable[[pa.Table], Flags]]]:
    known = pa.array(catalog.skus)
    latest = pa.scalar(not_after, pa.timestamp("us", tz="UTC"))
    return [
        (MISSING, _lacks_a_value),
        (
            "the price is not a positive finite number",
            lambda rows: _outside(rows["price_offered"], _LEAST_PRICE, _MOST_PRICE),
        ),
        ("the product is not in the catalog", lambda rows: _is_none_of(rows["sku"], known)),
        ("the time is in the future", lambda rows: ~_holds(pc.less_equal(rows["seen_at"], latest))),
        ("the stock is negative or not a whole number", _impossible_stock),
        (
            "the time is outside the opening hours",
            lambda rows: _outside(rows["tick"], 0, catalog.store.opening.ticks - 1),
        ),
        ("the shopper's number cannot be", lambda rows: _outside(rows["shopper_id"], 0, _MAX_INT32)),
        (PROPENSITY, lambda rows: _outside(rows["propensity"], _RAREST, 1.0)),
        ("the outcome is none of the known ones", lambda rows: _is_none_of(rows["outcome"], pa.array(OUTCOMES))),
        (PURCHASED, lambda rows: ~_holds(_is_flag(rows["purchased"]))),
        (
            "it was bought although the stock was 0",
            lambda rows: _holds(pc.and_(_as_flag(rows["purchased"]), pc.equal(rows["inventory_level"], 0))),
        ),
    ]


def _lacks_a_value(rows: pa.Table) -> Flags:
    lacks = np.zeros(rows.num_rows, dtype=bool)
    for field in TABLES["interactions"].schema:
        if not field.nullable and rows[field.name].null_count:
            lacks |= pc.is_null(rows[field.name]).to_numpy(zero_copy_only=False)
    return lacks


def _impossible_stock(rows: pa.Table) -> Flags:
    stock = rows["inventory_level"]
    if pa.types.is_integer(stock.type) and _all_within(stock, 0, _MAX_INT32):
        return np.zeros(rows.num_rows, dtype=bool)
    negative = _holds(pc.less(stock, 0))
    too_many = _holds(pc.greater(stock, _MAX_INT32))
    if pa.types.is_floating(stock.type):
        too_many |= _holds(pc.or_(pc.is_nan(stock), pc.not_equal(pc.floor(stock), stock)))
    return negative | too_many


def _repeats(rows: pa.Table) -> tuple[Flags, Flags]:
    """Flag rows whose store, moment, shopper and product were seen before: those that say the same, and otherwise."""
    moment = rows["seen_at"].cast(pa.int64()).fill_null(0).to_numpy()
    repeats, contradicts = np.zeros((2, len(moment)), dtype=bool)
    shared = _shares_a_moment(moment, rows)
    if len(shared):
        key, said = list(TABLES["interactions"].key), [name for name in _SAID if name in rows.column_names]
        frame = rows.take(pa.array(shared)).select([*key, *said]).to_pandas()
        again, same = frame.duplicated(key).to_numpy(), frame.duplicated().to_numpy()
        repeats[shared], contradicts[shared] = same, again & ~same
    return repeats, contradicts


def _shares_a_moment(moment: Ints, rows: pa.Table) -> Ints:
    """Return the rows, ascending, whose store and moment may stand elsewhere too: the only ones that can be repeats.

    Rows in order of store and time, as the twin's are, need only be compared with their neighbours. Those whose store,
    moment, product and shopper have a hash of their own are left out.
    """
    codes = _codes(rows["store_id"])
    same_store = codes[1:] == codes[:-1]
    runs, near = codes[np.insert(~same_store, 0, True)] if len(codes) else codes, np.arange(len(moment))
    if len(set(runs.tolist())) == len(runs) and not (same_store & (moment[1:] < moment[:-1])).any():
        twins = same_store & (moment[1:] == moment[:-1])
        near = np.flatnonzero(np.append(twins, False) | np.insert(twins, 0, False))
    products = _codes(rows["sku"].take(near))
    shoppers = rows["shopper_id"].take(near).cast(pa.int64()).to_numpy()
    mixed = moment[near] + codes[near] * _ODD[0] + products * _ODD[1] + shoppers * _ODD[2]  # wraps around
    return near[pd.Series(mixed).duplicated(keep=False).to_numpy()]


def _codes(column: pa.ChunkedArray) -> Ints:
    """Return a number for each word of a column without nulls; one that a dictionary has twice has one number."""
    merged = in_one_piece(column)
    if not pa.types.is_dictionary(merged.type):
        return pd.factorize(merged.to_pandas())[0]
    numbers, _ = pd.factorize(merged.dictionary.to_pandas())
    return numbers[merged.indices.to_numpy()]


def _is_none_of(column: pa.ChunkedArray, known: pa.Array) -> Flags:
    """Flag what is not one of the known words; a null is none of them."""
    if not pa.types.is_dictionary(column.type):
        return ~_holds(pc.is_in(column.cast(pa.string()), value_set=known))
    merged = in_one_piece(column)
    is_known = pc.is_in(merged.dictionary, value_set=known)  # few words, many rows
    if merged.null_count == 0 and pc.all(is_known).as_py():
        return np.zeros(len(column), dtype=bool)
    return ~_holds(is_known.take(merged.indices))


def _is_flag(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_boolean(column.type):
        return pc.is_valid(column)
    return pc.is_in(column, value_set=pa.array([0, 1], column.type))


def _as_flag(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column if pa.types.is_boolean(column.type) else pc.equal(column, 1)


def _outside(column: pa.ChunkedArray, low: float, high: float) -> Flags:
    """Flag numbers beyond some bounds, and nulls."""
    if _all_within(column, low, high):
        return np.zeros(len(column), dtype=bool)
    return ~_holds(pc.and_(pc.greater_equal(column, low), pc.less_equal(column, high)))


def _all_within(column: pa.ChunkedArray, low: float, high: float) -> bool:
    """Tell whether numbers are all within some bounds and none is missing, by the smallest and the largest."""
    is_number = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
    if column.null_count or not len(column) or not is_number:
        return False
    values = column.to_numpy()
    return bool(low <= values.min() and values.max() <= high)  # NaN is within nothing


def _holds(flags: pa.ChunkedArray) -> Flags:
    return pc.fill_null(flags, pa.scalar(value=False)).to_numpy(zero_copy_only=False)
