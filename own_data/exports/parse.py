"""Turns the text of an export into typed values, whole columns at once; what cannot be read is null.

Numbers and times are read strictly, by the declared rules. A comma in a number is either the decimal sign or
a thousands separator, never both.
"""

import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.arrays import Flags
from catalog.clocks import UTC, zone_of
from etl.files.decimals import THOUSANDS
from own_data.exports.columns import Reading

_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$|^[+-]?(nan|NaN|inf|Inf|Infinity)$"
_ZONED = r"(Z|z|[+-]\d{2}(:?\d{2})?)$"
_TIME_OF_DAY = r":\d{2}"
_ISO = (
    r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
    r"([ T]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?)?(Z|[+-]\d{2}:\d{2})?$"
)
_FORMATS = ("%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y")  # read the same everywhere, unlike slashes
_YES, _NO = ("1", "1.0", "true", "t", "yes", "y"), ("0", "0.0", "false", "f", "no", "n")
_MOMENT = pa.timestamp("us")
_UTC = pa.timestamp("us", tz="UTC")
_MOST = 2**31 - 1
_DIGITS = 19  # of a whole number in 64 bits


def numbers(column: pa.Array, decimal: str) -> pa.Array:
    """Read numbers as float64; null where there is none."""
    if not _is_text(column.type):
        return column.cast(pa.float64(), safe=False)
    try:
        if decimal == ".":
            return pc.cast(column, pa.float64())
    except pa.ArrowInvalid:
        pass  # some value is not a plain number: read it by the slower rules below
    text = pc.utf8_trim_whitespace(column)
    grouped = pc.match_substring_regex(text, THOUSANDS[decimal])
    bare = pc.replace_substring(text, "," if decimal == "." else ".", "")
    if decimal == ",":
        fits = pc.invert(pc.match_substring(text, "."))
        text = pc.if_else(fits, pc.replace_substring(text, ",", "."), None)
        bare = pc.replace_substring(bare, ",", ".")
    text = pc.if_else(grouped, bare, text)
    return pc.cast(pc.if_else(pc.match_substring_regex(text, _NUMBER), text, None), pa.float64())


def flags(column: pa.Array) -> pa.Array:
    """Read 0 and 1, or words for them, as float64; null where it is neither."""
    if not _is_text(column.type):
        typed = column.cast(pa.float64(), safe=False)
        return pc.if_else(pc.is_in(typed, value_set=pa.array([0.0, 1.0])), typed, None)
    coded = column.dictionary_encode()
    words = [str(word).strip().lower() for word in coded.dictionary.to_pylist()]
    values = [1.0 if word in _YES else 0.0 if word in _NO else None for word in words]
    return pa.array(values, pa.float64()).take(coded.indices)


def moments(column: pa.Array, reading: Reading) -> tuple[pa.Array, Flags]:
    """Read times as UTC, null where there is none, and flag those that a change of clocks makes ambiguous.

    Returns
    -------
    moments, doubtful
        Times in UTC, and whether the local time does not exist or happens twice, shape (n_rows,) each.
    """
    if not _is_text(column.type):
        zone = column.type.tz if pa.types.is_timestamp(column.type) else None
        typed = column.cast(pa.timestamp("us", tz=zone), safe=False)  # finer parts are cut off
        if zone is not None:
            return typed.cast(_UTC), np.zeros(len(column), dtype=bool)
        return _in_zone(typed, reading.time_zone)
    try:
        return (
            _in_zone(pc.cast(column, _MOMENT), reading.time_zone)
            if reading.time_format is None
            else _slow(column, reading)
        )
    except pa.ArrowInvalid:
        return _slow(column, reading)


def _slow(column: pa.Array, reading: Reading) -> tuple[pa.Array, Flags]:
    text = pc.utf8_trim_whitespace(column)
    if reading.time_format is not None:
        return _as_formatted(text, reading.time_format, reading.time_zone)
    has_offset = pc.and_(pc.match_substring_regex(text, _ZONED), pc.match_substring_regex(text, _TIME_OF_DAY))
    with_offset = _each(pc.if_else(has_offset, text, None), _UTC)
    local = pc.if_else(has_offset, None, text)
    naive = _each(local, _MOMENT)
    for form in _FORMATS:
        unread = pc.if_else(naive.is_null(), local, None)
        naive = pc.coalesce(naive, pc.strptime(unread, form, "us", error_is_null=True))
    in_utc, doubtful = _in_zone(naive, reading.time_zone)
    return pc.coalesce(with_offset, in_utc), doubtful


def _as_formatted(text: pa.Array, form: str, zone: str) -> tuple[pa.Array, Flags]:
    read = pc.strptime(text, form, "us", error_is_null=True)
    if "%z" in form:  # Arrow reads the offset and applies it
        return read.cast(_MOMENT).cast(pa.int64()).cast(_UTC), np.zeros(len(text), dtype=bool)
    return _in_zone(read.cast(_MOMENT), zone)


def _each(text: pa.Array, kind: pa.DataType) -> pa.Array:
    """Cast what can be cast: all at once, or those that look right at once and the distinct others one by one."""
    try:
        return pc.cast(text, kind)
    except pa.ArrowInvalid:
        is_iso = pc.match_substring_regex(text, _ISO)
        if pc.any(is_iso).as_py() and not pc.all(is_iso).as_py():
            return pc.coalesce(*(_each(pc.if_else(own, text, None), kind) for own in (is_iso, pc.invert(is_iso))))
        coded = text.dictionary_encode()
        return pa.array([_one(word, kind) for word in coded.dictionary], kind).take(coded.indices)


def _one(word: pa.Scalar, kind: pa.DataType) -> pa.Scalar | None:
    try:
        return pc.cast(word, kind)
    except pa.ArrowInvalid:
        return None


def _in_zone(naive: pa.Array, zone: str) -> tuple[pa.Array, Flags]:
    if zone == UTC:
        return naive.cast(pa.int64()).cast(_UTC), np.zeros(len(naive), dtype=bool)
    lacks = np.asarray(naive.is_null().to_numpy(zero_copy_only=False))
    local = np.asarray(pc.fill_null(naive.cast(pa.int64()), 0).to_numpy(), dtype=np.int64)
    moment, doubtful = zone_of(zone).moments_us(local)
    return pa.array(moment, mask=lacks).cast(_UTC), doubtful & ~lacks


def shopper_numbers(column: pa.Array) -> pa.Array:
    """Return shoppers' numbers: a whole number that fits is kept, any other name becomes its hash."""
    if pa.types.is_integer(column.type) and (not len(column) or _fits(column)):
        return column.cast(pa.int64())
    text = column if _is_text(column.type) else column.cast(pa.string())
    try:
        whole = pc.cast(text, pa.int64())
        if _fits(whole):
            return whole
    except pa.ArrowInvalid:
        pass  # some are not numbers; a hash gives a name the same number in every file
    coded = text.dictionary_encode()
    return pa.array([_number_of(str(word)) for word in coded.dictionary.to_pylist()], pa.int64()).take(coded.indices)


def receipt_numbers(column: pa.Array) -> pa.Array:
    """Return receipts' numbers: a whole number of up to 18 digits is kept, any other name becomes its hash."""
    if pa.types.is_integer(column.type):
        return column.cast(pa.int64())
    coded = (column if _is_text(column.type) else column.cast(pa.string())).dictionary_encode()
    words = coded.dictionary.to_pylist()
    whole = [word.isascii() and word.isdigit() and len(word) < _DIGITS for word in words]
    numbers_of = [int(word) if is_whole else _hash_of(word) for word, is_whole in zip(words, whole, strict=True)]
    return pa.array(numbers_of, pa.int64()).take(coded.indices)


def _hash_of(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 1


def _number_of(name: str) -> int:
    if name.isascii() and name.isdigit() and len(name) <= _DIGITS and int(name) <= _MOST:
        return int(name)
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") & _MOST


def _fits(whole: pa.Array) -> bool:
    ends = pc.min_max(whole).as_py()
    return ends["min"] is None or (ends["min"] >= 0 and ends["max"] <= _MOST)


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)
