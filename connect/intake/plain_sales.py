"""Lines of receipts that need no second look, found whole columns at once: a million of them in seconds.

Precondition: a line that is plain here is one that `LineCheck.sale` takes, with the same row. Every other line, whether
it can be taken or not, is looked at by `LineCheck`, which says what is wrong with it.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.arrays import Flags, Ints
from catalog.limits import HIGHEST_PRICE
from catalog.load import Catalog
from catalog.records.store import Store
from catalog.tables.intake import RECEIPT_LINES
from connect.intake.sale_lines import LONGEST_ID, NOISE, AcceptedTimes

_IDS = ("store_id", "sku", "event_id", "receipt", "offer")
_FIELDS = frozenset({*_IDS, "sold_at", "units", "price", "line", "currency"})
_ID = r"^[^\x00-\x1f\x7f]+$"
_NUMBER = r"^-?\d{1,9}(\.\d{1,9})?$"
_TIME = (
    r"^20\d\d-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])[T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?"
    r"(Z|[+-](0\d|1[0-3]):[0-5]\d)$"
)
_LATE_DAY = _TIME.replace("(0[1-9]|1\\d|2[0-8])", "(29|30|31)")
_UTC = pa.timestamp("us", tz="UTC")
_BUCKET = 15 * 60 * 1_000_000  # microseconds; no clock is set to another fraction of an hour


@dataclass(frozen=True)
class PlainSales:
    """What was found among lines.

    Attributes
    ----------
    plain
        Which lines are plain, shape (n_lines,).
    rows
        Those lines in the columns of `receipt_lines`.
    """

    plain: Flags
    rows: pa.Table


def columns_of(lines: Sequence[Any]) -> tuple[Flags, pa.Table]:
    """Return which lines are objects with plain fields alone, and these as columns; none where types are mixed."""
    able = np.fromiter((type(line) is dict and line.keys() <= _FIELDS for line in lines), bool, len(lines))
    chosen: list[Mapping[str, Any]] = [line for line, is_able in zip(lines, able, strict=True) if is_able]
    try:
        columns = {name: pa.array([line.get(name) for line in chosen]) for name in sorted(_FIELDS)}
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        return np.zeros(len(lines), bool), pa.table({})
    return able, pa.table(columns)


def plain_sales(lines: pa.Table, catalog: Catalog, sent: tuple[str, dt.datetime]) -> PlainSales:
    """Find the plain lines among columns of any type.

    Parameters
    ----------
    sent
        Who sends them, and when, UTC.
    """
    times = AcceptedTimes.at(sent[1])
    n_lines, store = lines.num_rows, catalog.store
    given = {name: _decoded(lines[name]) if name in lines.column_names else pa.nulls(n_lines) for name in _FIELDS}
    others = [lines[name] for name in lines.column_names if name not in _FIELDS]
    ids = {name: _id(given[name]) for name in _IDS}
    units, price, number = (_number(given[name]) for name in ("units", "price", "line"))
    moments, currency = _moments(given["sold_at"]), _text(given["currency"])
    scale = store.money.scale
    whole = np.rint(price * scale) / scale
    line = np.nan_to_num(number, nan=-1.0)
    first, last = (pa.scalar(moment, _UTC) for moment in (times.first, times.last))
    is_plain = (
        np.logical_and.reduce([_flags(pc.is_null(other)) for other in others] or [np.ones(n_lines, bool)])
        & np.logical_and.reduce([_flags(pc.or_(pc.is_valid(ids[name]), pc.is_null(given[name]))) for name in _IDS])
        & _flags(pc.is_in(ids["store_id"], pa.array(store.stores, pa.string())))
        & _flags(pc.is_in(ids["sku"], pa.array(catalog.skus, pa.string())))
        & (np.abs(units) > 0)
        & (np.abs(units) <= store.most_units_per_line)
        & (price <= HIGHEST_PRICE)
        & (whole > 0)
        & (np.abs(price - whole) <= NOISE / scale / 2)
        & (_flags(pc.is_null(given["line"])) | ((line >= 0) & (line < 2**31) & (line == np.floor(line))))
        & (_flags(pc.is_null(given["currency"])) | _flags(pc.equal(currency, store.currency)))
        & (_flags(pc.is_valid(ids["event_id"])) | (_flags(pc.is_valid(ids["receipt"])) & (line >= 0)))
        & _flags(pc.and_(pc.greater_equal(moments, first), pc.less_equal(moments, last)))
    )
    found: dict[str, Any] = {
        **ids,
        "line": pa.array(line.astype(np.int64), mask=line < 0),
        "sold_at": moments,
        "units": pa.array(units),
        "price": pa.array(whole),
        "currency": _repeated(store.currency, n_lines),
    }
    count = int(is_plain.sum())
    kept = {name: column.filter(pa.array(is_plain)) for name, column in found.items()}
    kept |= {"taken_at": _repeated(sent[1], count), "taken_from": _repeated(sent[0], count)}
    columns = [
        kept[field.name].cast(field.type) if field.name in kept else pa.nulls(count, field.type)
        for field in RECEIPT_LINES.schema
    ]
    return PlainSales(is_plain, pa.Table.from_arrays(columns, schema=RECEIPT_LINES.schema))


def dates_of(rows: pa.Table, store: Store) -> Ints:
    """Return the business date of each line on the clock of its store, in days since 1970, shape (n_lines,)."""
    buckets = rows["sold_at"].cast(pa.int64()).to_numpy() // _BUCKET
    stores = rows["store_id"].combine_chunks().cast(pa.string()).dictionary_encode()
    clocks = [store.clock_of(name) for name in stores.dictionary.to_pylist()]
    zones = {clock: at for at, clock in enumerate(dict.fromkeys(clocks))}
    zone = np.array([zones[clock] for clock in clocks], np.int64)[stores.indices.to_numpy()]
    pairs, places = np.unique(np.stack([zone, buckets]), axis=1, return_inverse=True)
    epoch, of_zone = dt.datetime(1970, 1, 1, tzinfo=dt.UTC), list(zones)
    days = [
        (of_zone[at].date_of(epoch + dt.timedelta(microseconds=int(bucket) * _BUCKET)) - epoch.date()).days
        for at, bucket in pairs.T
    ]
    return np.array(days, np.int64)[places.ravel()]


def _repeated(value: object, count: int) -> pa.Array:
    return pa.repeat(pa.scalar(value), count)


def _decoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _flags(column: Any) -> Flags:
    """Return booleans as an array; null is false."""
    filled = pc.fill_null(column, pa.scalar(value=False))
    return np.asarray(filled.to_numpy(zero_copy_only=False) if isinstance(filled, pa.Array) else filled.to_numpy())


def _text(column: Any) -> Any:
    is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    return column.cast(pa.string()) if is_text else pa.nulls(len(column), pa.string())


def _id(column: Any) -> Any:
    """Return ids as text, null where one is none; whole numbers are ids as well."""
    text = column.cast(pa.string()) if pa.types.is_integer(column.type) else _text(column)
    is_id = pc.and_(pc.match_substring_regex(text, _ID), pc.less_equal(pc.utf8_length(text), LONGEST_ID))
    return pc.if_else(is_id, text, None)


def _number(column: Any) -> Any:
    """Return numbers, NaN where there is none that is written plainly, shape (n_lines,)."""
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        numbers = column.cast(pa.float64(), safe=False)
    else:
        text = _text(column)
        numbers = pc.if_else(pc.match_substring_regex(text, _NUMBER), text, None).cast(pa.float64())
    found = numbers.to_numpy(zero_copy_only=False) if isinstance(numbers, pa.Array) else numbers.to_numpy()
    return np.where(np.isfinite(found), found, np.nan)


def _moments(column: Any) -> Any:
    """Return moments, UTC, null where there is none that is written plainly."""
    if pa.types.is_timestamp(column.type) and column.type.tz is not None:
        return column.cast(_UTC, safe=False)
    text = _text(column)
    plain = pc.if_else(pc.match_substring_regex(text, _TIME), text, None).cast(_UTC)
    late = pc.if_else(pc.match_substring_regex(text, _LATE_DAY), text, None)
    try:
        return pc.coalesce(plain, late.cast(_UTC))
    except pa.ArrowInvalid:  # a 30 February is said by the second look
        return plain
