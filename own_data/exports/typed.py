"""Types the rows of an export, block by block: names become small numbers, and what cannot be read gets a reason.

What a row has depends on the grain. Sales of whole days keep the date that is written, in whichever zone; a time of day
is brought to UTC, as everywhere, and its date and hour are those on the clock of its store.
"""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from catalog.arrays import Flags, Floats, Ints
from catalog.clocks import UTC, local_us, zone_of
from catalog.currency import EUR, Currency
from etl.files.decimals import NumberFormat
from etl.validate import MISSING, PROPENSITY, PURCHASED
from own_data.exports.codes import CodedWords
from own_data.exports.columns import Columns, Reading
from own_data.exports.names import store_id_of
from own_data.exports.offers import offers
from own_data.exports.parse import flags, moments, numbers, receipt_numbers, shopper_numbers
from own_data.exports.rounded import RoundedNumbers
from own_data.exports.zones import StoreZones

NO_DATE = -1
NO_HOUR = -1
US_PER_DAY = 86_400_000_000
_US_PER_HOUR = 3_600_000_000
_AFTER_CALENDARS = np.datetime64("2101-01-01", "us").astype(np.int64)
"""Microseconds since 1970; zones are known until then, and no date is made of anything later."""
_MONEY = ("price_offered", "base_price", "regular_price", "unit_cost", "revenue")
NUMBERS = (*_MONEY, "inventory_level", "budget_multiplier", "propensity", "units", "traffic", "hour")
_KEPT_NUMBERS = (
    "base_price",
    "regular_price",
    "unit_cost",
    "inventory_level",
    "budget_multiplier",
    "propensity",
    "traffic",
)
_NUMBERED = ("sku", "product_name", "receipt")
_OFFERS = ("promotion", "display", "leaflet")
_NEEDED = ("seen_at", "price_offered", "purchased", "shopper_id", "units", "receipt", "hour")
_BASE = [
    ("date", pa.int32()),
    ("line", pa.int64()),
    ("store", pa.int32()),
    ("product", pa.int32()),
    ("seen_at", pa.int64()),
    ("price_offered", pa.float64()),
]

Faults = list[tuple[Flags, str]]


@dataclass
class RowTyper:
    """Types one block after another; the names of stores, products and events go on from block to block."""

    columns: Columns
    reading: Reading
    where: str
    stores: CodedWords = field(default_factory=lambda: CodedWords("store_id"))
    events: CodedWords = field(default_factory=lambda: CodedWords("event"))
    has_times: bool | None = None
    zones: StoreZones = field(default_factory=StoreZones)
    money: Currency = EUR

    def __post_init__(self) -> None:
        theirs = self.columns.theirs
        self.products = CodedWords("sku" if "sku" in theirs else "product_name")
        self.format = NumberFormat(self.reading.decimal)
        self.rounded = {ours: RoundedNumbers(theirs[ours]) for ours in _NUMBERED if ours in theirs}
        self.is_sales = self.columns.grain in ("receipts", "units")
        self.numbers = [name for name in NUMBERS if name in theirs]
        own = [("units", pa.float64())] if self.is_sales else [("shopper", pa.int64()), ("purchased", pa.bool_())]
        if self.columns.grain == "units":
            own.append(("hour", pa.int8()))
        if "receipt" in theirs:
            own.append(("receipt", pa.int64()))
        own += [(name, pa.float64()) for name in _KEPT_NUMBERS if name in theirs]
        own += [(name, pa.bool_()) for name in _OFFERS if name in theirs]
        own += [("event", pa.int32())] if "event" in theirs else []
        self.schema = pa.schema([*_BASE, *own])

    def typed(self, columns: dict[str, pa.Array], lines: Ints) -> tuple[dict[str, pa.Array], Faults]:
        """Return the typed columns, and the reasons why rows cannot be read, each with its rows.

        `lines` are the lines of the rows, shape (n_rows,).
        """
        theirs = {self.columns.theirs[name]: columns[name] for name in self.numbers}
        decimal = self.format.sign_in(theirs, lines, self.where)
        read = {name: self._number(columns[name], name, decimal) for name in self.numbers}
        for ours, numbered in self.rounded.items():
            beside = columns.get("product_name") if ours == "sku" else None
            numbered.refuse(columns[ours], beside, lines, self.where)
        product = self.products.coded_with_names(columns, self.where)
        store = self._stores_of(columns)
        typed, faults = self._times(columns, read, store)
        typed |= {"product": pa.array(product), "store": pa.array(store)}
        for name in self.numbers:
            faults += self.format.faults(name, columns[name], read[name], lines, decimal)
        typed |= {name: read[name] for name in _KEPT_NUMBERS if name in read}
        faults += self._sales(typed, columns, read) if self.is_sales else self._visits(typed, columns, read)
        typed |= {name: offers(columns[name]) for name in _OFFERS if name in columns}
        if "propensity" in read:
            chance = floats(read["propensity"])
            faults.append((~missing(read["propensity"]) & ~((chance > 0) & (chance <= 1)), PROPENSITY))
        if "event" in columns:
            typed["event"] = pa.array(self.events.coded(_without_none(columns["event"]), self.where))
        lacks = [missing(columns[name]) for name in self._cannot_be_missing(columns)]
        return typed, [(np.logical_or.reduce([*lacks, product < 0, store < 0]), MISSING), *faults]

    def _cannot_be_missing(self, columns: dict[str, pa.Array]) -> list[str]:
        """Return columns without which a row says nothing; where no unit was sold, a price may be left out."""
        optional = {"price_offered"} if self.is_sales else set()
        return [name for name in _NEEDED if name in columns and name not in optional]

    def _times(
        self, columns: dict[str, pa.Array], read: dict[str, pa.Array], store: NDArray[np.int32]
    ) -> tuple[dict[str, pa.Array], Faults]:
        own = [self.zones.of(store_id_of(word)) for word in self.stores.words]
        seen_at, lacks, doubtful = self._moments(columns["seen_at"], read, own, store)
        local = seen_at if self.is_sales and not self.has_times else local_us(own, store, seen_at)
        is_after = local >= _AFTER_CALENDARS
        date = np.where(lacks | is_after | (local < US_PER_DAY), NO_DATE, local // US_PER_DAY)
        zones = ", ".join(dict.fromkeys([self.zones.written] if self.zones.written else own))
        faults: Faults = [
            (lacks, "the time cannot be read"),
            (is_after, "the time is in the future"),
            (date == NO_DATE, "the time is before 1970"),
            (doubtful, f"the local time does not exist or happens twice in {zones}"),
        ]
        if "hour" in read:
            hour = floats(read["hour"])
            faults.insert(0, (~np.isin(hour, np.arange(24.0)), "the hour is not a whole number from 0 to 23"))
        return {"seen_at": pa.array(seen_at), "local": local, "date": pa.array(date.astype(np.int32))}, faults

    def _moments(
        self, column: pa.Array, read: dict[str, pa.Array], zones: list[str], store: NDArray[np.int32]
    ) -> tuple[Ints, Flags, Flags]:
        """Return the moments of rows, those that cannot be read, and those that a change of clocks makes doubtful."""
        as_written = moments(column, self.reading.model_copy(update={"time_zone": UTC}))[0] if self.is_sales else None
        if as_written is not None:
            if self.has_times is None:
                self.has_times = "hour" in read or bool((filled(as_written.cast(pa.int64())) % US_PER_DAY != 0).any())
            if not self.has_times:
                return filled(as_written.cast(pa.int64())), missing(as_written), np.zeros(len(column), dtype=bool)
        written = [self.zones.written or name for name in zones]
        found = {name: self._moments_in(name, column, read, as_written) for name in dict.fromkeys(written)}
        if len(found) == 1:
            return next(iter(found.values()))
        place = np.array([list(found).index(name) for name in written])[np.maximum(store, 0)]
        seen_at, lacks, doubtful = (np.stack(parts) for parts in zip(*found.values(), strict=True))
        row = np.arange(len(column))
        return seen_at[place, row], lacks[place, row], doubtful[place, row]

    def _moments_in(
        self, zone: str, column: pa.Array, read: dict[str, pa.Array], as_written: pa.Array | None
    ) -> tuple[Ints, Flags, Flags]:
        """Return the same of times without an offset that are in one zone."""
        if "hour" in read and as_written is not None:
            seen_at, doubtful = _at_hour(as_written, read["hour"], zone)
        else:
            seen_at, doubtful = moments(column, self.reading.model_copy(update={"time_zone": zone}))
        return filled(seen_at.cast(pa.int64())), missing(seen_at), doubtful

    def _visits(self, typed: dict[str, pa.Array], columns: dict[str, pa.Array], read: dict[str, pa.Array]) -> Faults:
        purchased = flags(columns["purchased"])
        n_rows = len(purchased)
        typed["shopper"] = (
            shopper_numbers(columns["shopper_id"]) if "shopper_id" in columns else pa.nulls(n_rows, pa.int64())
        )
        typed["purchased"] = pc.equal(purchased, 1.0)
        typed["price_offered"] = read["price_offered"]
        return [(missing(purchased), PURCHASED)]

    def _sales(self, typed: dict[str, pa.Array], columns: dict[str, pa.Array], read: dict[str, pa.Array]) -> Faults:
        n_rows = len(columns["seen_at"])
        units = floats(read["units"]) if "units" in read else np.ones(n_rows)
        typed["units"] = pa.array(units)
        price = (
            floats(read["price_offered"])
            if "price_offered" in read
            else _price_of(floats(read["revenue"]), units, self.money)
        )
        typed["price_offered"] = pa.array(price, from_pandas=True)
        faults: Faults = [(np.isnan(price) & (units != 0), MISSING)]
        if self.columns.grain == "units":
            moment = np.asarray(typed["local"], dtype=np.int64)
            hour = moment % US_PER_DAY // _US_PER_HOUR if self.has_times else np.full(n_rows, NO_HOUR)
            typed["hour"] = pa.array(hour.astype(np.int8))
            faults.append((moment % _US_PER_HOUR != 0, "the time is neither a day nor a whole hour"))
        if "receipt" in columns:
            typed["receipt"] = receipt_numbers(columns["receipt"])
        return faults

    def _number(self, column: pa.Array, name: str, decimal: str) -> pa.Array:
        read = numbers(column, decimal)
        return (
            pc.divide(read, float(self.money.scale)) if name in _MONEY and self.reading.price_unit == "cents" else read
        )

    def _stores_of(self, columns: dict[str, pa.Array]) -> NDArray[np.int32]:
        if "store_id" in columns:
            return self.stores.coded(columns["store_id"], self.where)
        self.stores.codes.setdefault("S01", 0)
        return np.zeros(len(columns["seen_at"]), np.int32)


def missing(column: pa.Array) -> Flags:
    """Flag the rows without a value, shape (n_rows,)."""
    return np.asarray(column.is_null().to_numpy(zero_copy_only=False))


def filled(column: pa.Array) -> Ints:
    """Return whole numbers, 0 where there is none, shape (n_rows,)."""
    return np.asarray(pc.fill_null(column, 0).to_numpy(), dtype=np.int64)


def floats(column: pa.Array) -> Floats:
    """Return numbers, NaN where there is none, shape (n_rows,)."""
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=float)


def _price_of(revenue: Floats, units: Floats, money: Currency) -> Floats:
    """Return the price of a unit in whole smallest units of money, NaN where no unit was sold."""
    with np.errstate(divide="ignore", invalid="ignore"):
        price = np.round(revenue / units / money.smallest) * money.smallest
    return np.where(units == 0, np.nan, np.round(price, money.digits))


def _at_hour(day: pa.Array, hour: pa.Array, zone: str) -> tuple[pa.Array, Flags]:
    """Return the moments, UTC, at which hours of local days begin, and flag those that a change of clocks moves."""
    start = filled(day.cast(pa.int64())) // US_PER_DAY * US_PER_DAY
    local = start + np.nan_to_num(floats(hour)).astype(np.int64) * _US_PER_HOUR
    moment, doubtful = zone_of(zone).moments_us(local)
    return pa.array(moment, mask=missing(day)).cast(pa.timestamp("us", tz="UTC")), doubtful & ~missing(day)


def _without_none(column: pa.Array) -> pa.Array:
    """Return names of events; words for none are none."""
    text = pc.utf8_trim_whitespace(column.cast(pa.string()))
    none = pc.is_in(pc.utf8_lower(text), value_set=pa.array(["none", "no", "no event", "-", "0", "false"]))
    return pc.if_else(none, None, text)
