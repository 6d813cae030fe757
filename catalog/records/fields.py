"""What every record has in common: frozen and strict, and the values that several of them hold."""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationInfo, WithJsonSchema

from catalog.currency import EUR, Currency

if TYPE_CHECKING:
    from catalog.records.product import Product
    from catalog.records.store import Store

Name = Annotated[str, StringConstraints(min_length=1, max_length=10_000)]
Sku = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]
Price = Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)]
Cost = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


_ID = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$"
_MOST_SHOWN = 60


def _check_id(text: str, expected: str, remedy: str) -> str:
    if not re.fullmatch(_ID, text) or text.endswith("\n"):
        raise ValueError(
            f"expected {expected}: at most 32 letters (a to z, A to Z), digits, `_`, `.` and `-`, a letter or digit "
            f"first; found {text[:_MOST_SHOWN]!r}; {remedy}"
        )
    return text


def _check_name(text: str) -> str:
    if not text.strip() or any(character < " " or character == "\x7f" for character in text):
        raise ValueError(f"expected a name on one line, such as Köln Süd, found {text!r}; write it, or leave it out")
    return text


_ID_SCHEMA = WithJsonSchema({"type": "string", "pattern": _ID})
_WORD = partial(_check_id, expected="a word such as north", remedy="write another word")
_STORE = partial(
    _check_id,
    expected="the id of a store, such as S01 or KOELN-SUED",
    remedy="give the store such an id, and write its name under `names`, such as `names: {KOELN-SUED: Köln Süd}`",
)
Label = Annotated[str, AfterValidator(_WORD), _ID_SCHEMA]
StoreId = Annotated[str, AfterValidator(_STORE), _ID_SCHEMA]
StoreName = Annotated[str, StringConstraints(min_length=1, max_length=80), AfterValidator(_check_name)]


def _time_of_day(text: str) -> str:
    try:
        parsed = dt.datetime.strptime(text, "%H:%M")  # noqa: DTZ007 - a time of day has no zone
    except ValueError as error:
        raise ValueError(f'expected a time of day such as "08:00" in quotes, found {text!r}') from error
    return parsed.strftime("%H:%M")


def _in_whole_units(price: float, info: ValidationInfo) -> float:
    """Refuse a price that is no whole number of the currency's smallest units; of cents, where none is known yet."""
    currency: Currency = (info.context or {}).get("currency", EUR)
    if not currency.is_whole(price):
        raise ValueError(f"a price on a shelf is in whole {currency.units_in_words}, found {price}")
    return price


TimeOfDay = Annotated[str, AfterValidator(_time_of_day)]
ClosingTime = Annotated[str, AfterValidator(lambda text: text if text == "24:00" else _time_of_day(text))]
ShelfPrice = Annotated[Price, AfterValidator(_in_whole_units)]


class Record(BaseModel):
    """A frozen record that converts nothing and refuses unknown fields; the text below a field is its documentation."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


@dataclass(frozen=True)
class Section:
    """A section of store.yaml that a plugin adds.

    Attributes
    ----------
    decides_prices
        Whether it is part of the catalog's fingerprint.
    conflicts
        Yields what the section says against products or store, each as `field: what was found and what to do`.
    """

    name: str
    model: type[Record]
    description: str
    decides_prices: bool = True
    conflicts: Callable[[Any, Sequence["Product"], "Store"], Iterable[str]] | None = None
