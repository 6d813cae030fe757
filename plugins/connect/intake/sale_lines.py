"""Lines of receipts as a till sends them: what each must hold, and why one cannot be taken.

A line is told from every other by its event id, or by its receipt and number on the business date of its store: tills
begin their numbers anew. What a till takes back is a line of its own: units below 0 for what was brought back, `voids`
for a line that never was, `corrects` for one that this line takes the place of. So lines are only ever added, and their
order does not matter.
"""

import datetime as dt
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from catalog.bounds import HIGHEST_PRICE
from catalog.load import Catalog
from catalog.records.refusals import refused, schema_of

MOST_LINES = 10_000
"""Of one request."""
ACCEPTED_DAYS = 62
"""How long after a sale its line is accepted."""

_AHEAD = dt.timedelta(minutes=5)  # by which the clock of a till may be fast
_NOISE = 0.01  # smallest units, of prices that a device keeps in 32 bits
_LONGEST_ID = 64  # characters of a name, an id or a receipt's number
_LONGEST = 200  # characters of what was found

Kind = Literal["sales", "stock", "traffic", "rivals"]
"""What lines are of."""
Contents = Kind | Literal["announced"]
"""What a file holds; `announced` is events and the weather of dates."""

Reason = Literal[
    "not_valid",
    "no_id",
    "unknown_store",
    "other_store",
    "unknown_product",
    "units",
    "price",
    "reference",
    "in_the_future",
    "too_long_ago",
    "says_otherwise",
]
_Model = TypeVar("_Model", bound=BaseModel)
Row = dict[str, Any]
Key = tuple[object, ...]
"""What a row is told from others by."""
Id = Annotated[str, StringConstraints(min_length=1, max_length=_LONGEST_ID, pattern=r"^[^\x00-\x1f\x7f]+$")]


class SentLine(BaseModel):
    """A line as its sender writes it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, coerce_numbers_to_str=True)


class LineOfStore(SentLine):
    """A line that a store sends."""

    store_id: Id = Field(description="the store, as store.yaml names it")


class LineReference(SentLine):
    """Another line of the same store: a receipt and the number of the line on it."""

    receipt: Id = Field(description="number of the receipt")
    line: int = Field(ge=0, lt=2**31, description="number of the line on it")


class SaleLine(LineOfStore):
    """One line of a receipt."""

    sku: Id = Field(description="the product, as products.yaml names it")
    sold_at: AwareDatetime = Field(description="when it was sold, ISO 8601 in UTC or with an offset")
    units: float | None = Field(
        default=None, description="units sold, below 0 for what was brought back; needed unless the line voids another"
    )
    price: float | None = Field(
        default=None, description="price charged for one unit; needed unless the line voids another"
    )
    event_id: Id | None = Field(default=None, description="an id of the line that no other line of the store has")
    receipt: Id | None = Field(default=None, description="number of the receipt; needed without an event_id")
    line: int | None = Field(
        default=None, ge=0, lt=2**31, description="number of the line on the receipt; needed without an event_id"
    )
    currency: str | None = Field(default=None, max_length=3, description="currency of the price; null is the shelf's")
    offer: Id | None = Field(default=None, description="name of the till's own offer that made the price")
    voids: Id | LineReference | None = Field(
        default=None, description="the line that this one voids: its event_id, or its receipt and line"
    )
    corrects: Id | LineReference | None = Field(
        default=None, description="the line that this one takes the place of: its event_id, or its receipt and line"
    )


@dataclass(frozen=True)
class RefusedLine:
    """A line that was not taken: its position in the request from 0, why, and what was expected and found."""

    index: int
    reason: Reason
    expected: str
    found: str


@dataclass(frozen=True)
class IntakeResult:
    """The result of taking lines in: how many are new, how many were known already, and those that are refused."""

    taken: int
    known: int
    refused: tuple[RefusedLine, ...]


class LineRefusal(Exception):  # noqa: N818 - a refusal is an answer, not an error
    """Why a line cannot be taken."""

    def __init__(self, reason: Reason, expected: str, value: object) -> None:
        self.reason, self.expected = reason, expected
        self.found = str(value)[:_LONGEST].encode(errors="replace").decode()
        super().__init__(expected)

    def at(self, index: int) -> RefusedLine:
        """Return the refusal of the line at a position."""
        return RefusedLine(index, self.reason, self.expected, self.found)


class LineCheck:
    """Checks lines against a catalog.

    Parameters
    ----------
    now
        The time, UTC.
    """

    def __init__(self, catalog: Catalog, now: dt.datetime) -> None:
        self._store, self._money = catalog.store, catalog.store.money
        self._stores, self._skus = frozenset(catalog.store.stores), frozenset(catalog.skus)
        self._some = (catalog.store.stores[0], catalog.skus[0])
        self._first, self._last = now - dt.timedelta(days=ACCEPTED_DAYS), now + _AHEAD

    def sale(self, given: Any) -> SaleLine:
        """Return a line of a receipt, with its price in whole smallest units.

        Raises
        ------
        LineRefusal
            When it cannot be taken.
        """
        line = parsed(SaleLine, given)
        if line.event_id is None and (line.receipt is None or line.line is None):
            raise LineRefusal("no_id", "event_id, or receipt and line", "neither")
        self.refuse_unknown(line.store_id, line.sku)
        self._refuse_reference(line)
        price = line.price
        if line.voids is None:
            most = self._store.most_units_per_line
            if line.units is None or line.units == 0:
                raise LineRefusal("units", "units: a number other than 0", line.units)
            if abs(line.units) > most:
                expected = f"units: at most {most:,.12g} on a line; split a larger sale, or raise most_units_per_line"
                raise LineRefusal("units", f"{expected} in store.yaml", line.units)
            price = self._price_of(line)
        self.refuse_time("sold_at", line.sold_at)
        return line if price == line.price else line.model_copy(update={"price": price})

    def refuse_unknown(self, store: str, sku: str | None) -> None:
        """Refuse a store, or a product, that the catalog does not have.

        Raises
        ------
        LineRefusal
            When it does not.
        """
        if store not in self._stores:
            raise LineRefusal("unknown_store", f"store_id: a store of store.yaml, such as {self._some[0]}", store)
        if sku is not None and sku not in self._skus:
            raise LineRefusal("unknown_product", f"sku: a product of products.yaml, such as {self._some[1]}", sku)

    def refuse_time(self, field: str, moment: dt.datetime) -> None:
        """Refuse a moment that nothing is accepted of.

        Raises
        ------
        LineRefusal
            When it is too late or too early.
        """
        if moment > self._last:
            raise LineRefusal("in_the_future", f"{field}: at most {self._last:%Y-%m-%dT%H:%M:%SZ}", moment.isoformat())
        if moment < self._first:
            raise LineRefusal("too_long_ago", f"{field}: {self._first:%Y-%m-%dT%H:%M:%SZ} or later", moment.isoformat())

    def _price_of(self, line: SaleLine) -> float:
        if line.currency not in (None, self._money.code):
            raise LineRefusal("price", f"currency: {self._money.code}, that of store.yaml", line.currency)
        if line.price is None or not 0 < line.price <= HIGHEST_PRICE:
            raise LineRefusal("price", f"price: a number above 0, at most {HIGHEST_PRICE:,.0f}", line.price)
        whole = round(line.price, self._money.digits)
        if whole <= 0 or not math.isclose(line.price, whole, rel_tol=0, abs_tol=_NOISE / self._money.scale):
            raise LineRefusal("price", f"price: whole {self._money.units_in_words}", line.price)
        return whole

    def _refuse_reference(self, line: SaleLine) -> None:
        if line.voids is not None and line.corrects is not None:
            raise LineRefusal("reference", "voids or corrects", "both")
        other = line.voids if line.corrects is None else line.corrects
        identity = (line.event_id, None if line.receipt is None else (line.receipt, line.line))
        if other is not None and (other if isinstance(other, str) else (other.receipt, other.line)) in identity:
            raise LineRefusal(
                "reference", "another line in voids or corrects, with an id of its own", "the line itself"
            )


def parsed(model: type[_Model], given: Any) -> _Model:
    """Return what was given as a record.

    Raises
    ------
    LineRefusal
        When a field is missing, unknown or not what it should be.
    """
    try:
        return model.model_validate(given)
    except ValidationError as error:
        refusal = refused(error, schema_of(model))
        expected = f"{refusal.words.removeprefix('expected ')}{refusal.hint}"
        raise LineRefusal("not_valid", f"{refusal.field or 'a line'}: {expected}", refusal.found) from error


def checked(
    lines: Iterable[Any], row_of: Callable[[Any], Row], refused: list[RefusedLine], start: int = 0
) -> list[tuple[int, Row]]:
    """Return the rows of the lines that can be taken, with their places from `start` on; others are refused."""
    rows = list[tuple[int, Row]]()
    for index, given in enumerate(lines, start):
        try:
            rows.append((index, row_of(given)))
        except LineRefusal as refusal:
            refused.append(refusal.at(index))
    return rows


def new_among(
    rows: Iterable[tuple[int, Row]],
    there: dict[Key, Row],
    ids_of: Callable[[Row], Iterable[Key]],
    said_of: Callable[[Row], object],
    contradicts: Callable[[Row, Row], LineRefusal] | None,
    refused: list[RefusedLine],
) -> tuple[list[Row], int]:
    """Return the rows that are new, and the number of those that are known.

    Parameters
    ----------
    there
        The rows that are known, by each of their ids; those that are new are added.
    said_of
        Returns what a row that comes again has to say as it did.
    contradicts
        Returns the refusal of a row that says something else than the one before; None where it takes its place.
    """
    new, repeated = list[Row](), 0
    for index, row in rows:
        before = [there[id_] for id_ in ids_of(row) if id_ in there]
        other = next((row_before for row_before in before if said_of(row_before) != said_of(row)), None)
        if other is not None and contradicts is not None:
            refused.append(contradicts(other, row).at(index))
        elif before and other is None:
            repeated += 1
        else:
            new.append(row)
            there |= dict.fromkeys(ids_of(row), row)
    return new, repeated
