"""Which column of a retailer's export means what, and how its times and numbers are written.

What the user does not say is found in the header by common names, and the result is reported. An ambiguous header is
refused, because a wrong guess would set prices.
"""

import codecs
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from catalog.clocks import UTC, zone_of
from catalog.errors import DataError
from catalog.load import read_mapping
from catalog.records.refusals import refused, schema_of
from catalog.records.store import Store
from plugins.own_store.files.block import shown

Grain = Literal["visits", "receipts", "units"]
"""What a row is: a shopper who looked at a product, a line of a receipt, or the units of a store, product and time."""

SOLD, BASKET = "sold", "basket_id"  # names that mean one thing or another, as their values or the grain decide
COMMON_NAMES: dict[str, tuple[str, ...]] = {
    "seen_at": (
        *("timestamp", "visited_at", "datetime", "date_time", "time", "sold_at", "date", "transaction_timestamp"),
        *("transaction_datetime", "transaction_date", "transaction_time", "trans_date", "sale_date", "receipt_date"),
    ),
    "time_of_day": (),
    "store_id": ("store", "store_number", "shop", "branch", "location"),
    "shopper_id": ("shopper", "household", "household_id", "customer", "customer_id", "user_id"),
    "receipt": (
        *("receipt_id", "receipt_number", "receipt_no", "ticket", "ticket_id", "ticket_number", BASKET),
        *("transaction_id", "transaction_number", "invoice_no"),
    ),
    "sku": ("product_id", "item_id", "article", "ean", "gtin", "upc"),
    "product_name": ("product", "item", "item_name", "name", "description"),
    "category": ("department", "product_group"),
    "brand": ("manufacturer", "producer", "make"),
    "tier": ("quality", "quality_tier", "product_tier"),  # a price_tier is as often one of the store
    "price_offered": ("shelf_price", "price", "unit_price", "price_eur", "price_cents"),
    "revenue": ("turnover", "sales_value"),
    "regular_price": (),
    "base_price": ("list_price", "usual_price"),
    "unit_cost": ("cost", "cost_price", "purchase_price"),
    "inventory_level": ("stock", "stock_level", "inventory", "on_hand"),
    "budget_multiplier": (),
    "propensity": (),
    "purchased": ("bought", SOLD, "is_purchased", "purchase"),
    "units": ("quantity", "qty", "units_sold", "sales_units", "sold_units", "pieces"),
    "hour": (),
    "traffic": ("footfall", "visitors", "customers_in_store"),
    "promotion": ("on_promotion", "promo", "offer"),
    "display": (),
    "leaflet": ("flyer", "feature", "mailer"),
    "event": ("event_name", "holiday", "holiday_name"),
}
"""Our columns, and other common names for each."""
_DATES = ("date", "transaction_date", "trans_date", "sale_date", "receipt_date")
_TIMES = ("time", "time_of_day", "transaction_time", "trans_time", "sale_time", "receipt_time")
"""Names of two columns that together say when: a date, and the time of day beside it."""

PROMOTIONS = ("promotion", "display", "leaflet", "event", "regular_price")
"""Columns that say what stood beside a price."""

MONEY = ("price_offered", "base_price", "regular_price", "unit_cost", "revenue")
NUMBERS = (*MONEY, "inventory_level", "budget_multiplier", "propensity", "units", "traffic", "hour")
"""Columns of numbers."""

_NOT_A_NAME = re.compile(r"[^0-9a-z]+")
_KNOWN = {*COMMON_NAMES, *(name for names in COMMON_NAMES.values() for name in names)}
_VALUE = re.compile(
    r"\s*([-+]?[$€£]?\s?\d[\d.,' ]*([eE][-+]?\d+)?\s?([$€£%]|EUR|USD|GBP|CHF)?"  # a number, an amount
    r"|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ]+\d{1,2}:\d{2}.*)?"  # a date, with or without a time of day
    r"|\d{1,2}:\d{2}(:\d{2})?(\.\d+)?)\s*"
)
_DATE = re.compile(r"\s*(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})([T ][\d:]*)?\s*")


class Reading(BaseModel):
    """How an export is to be read, from a YAML file or from options; None means that it is found in the file.

    `columns` maps our names to those in the file. Times without an offset are in `time_zone`; `time_format` is as in
    strptime. `grain` says what one row is, and `price_unit` what money is written in. `header` names the columns of a
    file without a header, `sheet` the sheet of a workbook.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    columns: dict[str, str] = Field(default_factory=dict)
    time_zone: str = "UTC"
    time_format: str | None = None
    decimal: Literal[".", ","] | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    encoding: str = "utf-8"
    grain: Grain | None = None
    price_unit: Literal["euros", "cents"] | None = None
    header: Annotated[list[str], Field(min_length=1)] | None = None
    sheet: Annotated[str, Field(min_length=1)] | None = None

    @field_validator("columns")
    @classmethod
    def _are_ours(cls, columns: dict[str, str]) -> dict[str, str]:
        for ours in columns:
            if ours not in COMMON_NAMES:
                raise ValueError(
                    f"{ours!r} is not a column that can be mapped; expected one of {', '.join(COMMON_NAMES)}"
                )
        theirs = list(columns.values())
        twice = next((name for name in theirs if theirs.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"{twice!r} is mapped to two columns, expected one")
        return columns

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        try:
            return zone_of(name).name
        except ValueError as error:
            raise ValueError(f"{name!r} is not a time zone; expected a name such as Europe/Berlin or UTC") from error

    @field_validator("encoding")
    @classmethod
    def _is_an_encoding(cls, name: str) -> str:
        try:
            is_of_text = codecs.lookup(name)._is_text_encoding  # noqa: SLF001 - no public name tells this
        except LookupError:
            is_of_text = False
        if not is_of_text:
            raise ValueError(f"{name!r} is not a text encoding; expected a name such as utf-8, cp1252 or latin-1")
        return name


@dataclass(frozen=True)
class StoreZones:
    """Time zones by store.

    Attributes
    ----------
    chain
        Zone of a store that has none of its own.
    of_store
        Zones of the others, by the id of the store.
    written
        Zone of times without an offset; None is that of their store.
    """

    chain: str = UTC
    of_store: Mapping[str, str] = field(default_factory=dict)
    written: str | None = None

    def of(self, store: str) -> str:
        """Return the zone of a store, by its id."""
        return self.of_store.get(store, self.chain)

    @property
    def as_written(self) -> str:
        """Name the zones of times without an offset, for people."""
        own = [self.chain, *self.of_store.values()] if self.written is None else [self.written]
        return ", ".join(dict.fromkeys(own))


def zones_of(reading: Reading, store: Store | None) -> StoreZones:
    """Return the zones of an export; None is a shelf that is estimated from it, which keeps UTC."""
    said = reading.time_zone if "time_zone" in reading.model_fields_set else None
    return StoreZones(written=said) if store is None else StoreZones(store.timezone, store.timezones, said)


def read_reading(file: Path | None, said: Mapping[str, Any]) -> Reading:
    """Read the mapping file, if there is one; options win over the file.

    Raises
    ------
    DataError
        When a field is unknown or has an impossible value; the message names the field and the value.
    """
    written = read_mapping(file) if file else {}
    columns = written.get("columns")
    merged = {**written, **{name: value for name, value in said.items() if value not in (None, {})}}
    if isinstance(columns, dict) and "columns" in said:
        merged["columns"] = columns | said["columns"]
    try:
        return Reading.model_validate(merged)
    except ValidationError as error:
        refusal = refused(error, schema_of(Reading))
        where = f"{file}: " if file and refusal.field.partition(".")[0] in written else ""
        raise DataError(where + refusal.sentence(lambda found: repr(str(found)[:80]), "nothing was read")) from error


@dataclass(frozen=True)
class Columns:
    """What was taken for what: `theirs` by our name, which of those were said and not found out, and the grain.

    The grain is None until rows were looked at.
    """

    theirs: dict[str, str]
    said: frozenset[str]
    grain: Grain | None = None

    def __str__(self) -> str:
        return ", ".join(f"{theirs} as {ours}" for ours, theirs in self.theirs.items())


def columns_of(reading: Reading, header: Sequence[str], where: str) -> Columns:
    """Find the column of each of ours in a header.

    Parameters
    ----------
    where
        The file, and the line of its header if it has lines, for messages.

    Raises
    ------
    DataError
        When a name appears twice, a required column is missing, or two columns could be meant.
    """
    named = [name for name in header if name]
    twice = next((name for name in named if named.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"{where}: the column {twice[:80]!r} appears twice; rename one, nothing was read")
    unknown = next((name for name in reading.columns.values() if name not in named), None)
    if unknown is not None:
        raise DataError(f"{where}: expected the column {unknown[:80]!r}, found {_listed(named)}; nothing was read")
    taken = set(reading.columns.values())
    theirs = _date_and_time(named, reading.columns)
    taken |= set(theirs.values())
    for ours in COMMON_NAMES:
        if ours not in theirs and (found := _found_out(ours, [name for name in named if name not in taken], where)):
            theirs[ours] = found
            taken.add(found)
    missing = _missing(theirs, reading.grain)
    if missing:
        raise DataError(
            f"{where}: expected a column for {', '.join(missing)}, found {_listed(named)}; nothing was read: "
            f"say which is meant, such as --column {missing[0].split()[0]}={named[0][:40] if named else 'NAME'}"
        )
    return Columns({ours: theirs[ours] for ours in COMMON_NAMES if ours in theirs}, frozenset(reading.columns))


def header_of(first: Sequence[str], reading: Reading, where: str) -> tuple[str, ...]:
    """Return the names of the columns of a file whose first row is given.

    Parameters
    ----------
    where
        The file and the line of its first row.

    Raises
    ------
    DataError
        When the first row looks like data and no names were said, dates stand side by side, or the names that were said
        do not fit.
    """
    named = [field for field in first if field.strip()]
    known = [field for field in named if _is_known(field, reading)]
    if reading.header is None:
        values = [field for field in named if _VALUE.fullmatch(field)]
        if values and not known and 2 * len(values) >= len(named):
            raise DataError(
                f"{where}: expected a header, found {shown(values[0])}, which looks like data; nothing was read: add a "
                f"line with names above, or name all {len(first)} columns with --header, such as "
                "--header date,sku,price,units"
            )
        dates = [field for field in named if _DATE.fullmatch(field)]
        if len(dates) > 1:
            raise DataError(
                f"{where}: expected one row for each date, found dates as names of columns, such as {shown(dates[0])} "
                f"and {shown(dates[1])}; nothing was read: turn these columns into rows, with one column for the date"
            )
        return tuple(first)
    if len(reading.header) != len(first):
        raise DataError(
            f"{where}: --header names {len(reading.header)} columns, the first row has {len(first)}; nothing was read: "
            "name each column once, in the file's order"
        )
    if len(known) > 1:
        raise DataError(
            f"{where}: --header was given, and the first row is a header already, with {shown(known[0])} and "
            f"{shown(known[1])}; nothing was read: leave --header away, and say what columns mean with --column"
        )
    return tuple(reading.header)


def _is_known(name: str, reading: Reading) -> bool:
    return plain(name) in _KNOWN or name in reading.columns.values()


def _missing(theirs: Mapping[str, str], grain: Grain | None) -> list[str]:
    """Return what a file of a grain, or of any, cannot do without and does not have."""
    needed: dict[Grain | None, list[tuple[str, ...]]] = {
        "visits": [("purchased",)],
        "receipts": [],  # a line without a number of units is one unit
        "units": [("units",)],
        None: [("purchased", "units")],
    }
    price = ("price_offered",) if grain == "visits" or "units" not in theirs else ("price_offered", "revenue")
    wanted: list[tuple[str, ...]] = [("seen_at",), price, *needed[grain], ("sku", "product_name")]
    return [" or ".join(names) for names in wanted if not set(names) & theirs.keys()]


def _date_and_time(names: Sequence[str], said: Mapping[str, str]) -> dict[str, str]:
    """Return what was said, and the columns of a date and of the time of day where the two stand apart."""
    dates, times = ([name for name in names if plain(name) in known] for known in (_DATES, _TIMES))
    if {"seen_at", "time_of_day"} & said.keys() or len(dates) != 1 or len(times) != 1:
        return dict(said)
    free = {dates[0], times[0]}.isdisjoint(said.values())
    return {**said, "seen_at": dates[0], "time_of_day": times[0]} if free else dict(said)


def plain(name: str) -> str:
    """Return a column's name in lower case, without spaces and signs."""
    return _NOT_A_NAME.sub("_", name.strip().lower()).strip("_")


def _found_out(ours: str, names: Sequence[str], where: str) -> str | None:
    """Return the one column that has our name, or else another common name for it."""
    for known in ((ours,), COMMON_NAMES[ours]):
        meant = [name for name in names if plain(name) in known]
        if len(meant) > 1:
            raise DataError(
                f"{where}: both {meant[0]!r} and {meant[1]!r} could be {ours}; "
                f"say which is meant: --column {ours}={meant[0]}"
            )
        if meant:
            return meant[0]
    return None


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name[:40]) for name in names[:20])
    return (shown or "no columns") + (" ..." if len(names) > 20 else "")  # noqa: PLR2004
