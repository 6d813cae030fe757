"""Questions as they come: in the address of one request, or as a list of objects. What cannot be asked is named."""

import math
import re
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import orjson

from catalog.limits import HIGHEST_NUMBER, HIGHEST_PRICE, LOWEST_PRICE
from connect.api.problems import KINDS, Problem
from serving.quote import PriceQuestion

MOST_QUESTIONS = 10_000
"""Of one request."""
MOST_CHARACTERS = 200
"""Of a sku or of the name of a store."""
_LONGEST_QUERY = 4_096  # bytes
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[+-]?([0-9]{1,18}(\.[0-9]{0,18})?|\.[0-9]{1,18})")
_SHOWN = 80  # characters of what was found


class Field(NamedTuple):
    """One part of a question: its name, what kind of value it is, its bounds, and what it says."""

    name: str
    kind: type
    lowest: float
    highest: float
    said: str


FIELDS = {
    field.name: field
    for field in (
        Field("sku", str, 1, MOST_CHARACTERS, "Stock-keeping unit."),
        Field("stock", int, 0, HIGHEST_NUMBER, "Units on the shelf."),
        Field("ticks_left", int, 1, HIGHEST_NUMBER, "Ticks until closing, this one included; else the whole day."),
        Field("shown", float, LOWEST_PRICE, HIGHEST_PRICE, "Price on the shelf now, for limits on steps."),
        Field("opening", float, LOWEST_PRICE, HIGHEST_PRICE, "Price at opening; by default `shown`."),
        Field(
            "store",
            str,
            1,
            MOST_CHARACTERS,
            "Answer for one store: by what its own sales of the day led to, what people ordered there, or the old "
            "price where it keeps that this week. Without it the answer holds in every store, or is refused.",
        ),
    )
}
REQUIRED = ("sku", "stock")


class Asked(NamedTuple):
    """A question, and the store that asks; None for every one."""

    question: PriceQuestion
    store: str | None


def question_of_query(query: bytes, lowest: float = LOWEST_PRICE) -> Asked:
    """Read the question in the query of an address; prices are not below the lowest of the shelf's currency.

    Raises
    ------
    Problem
        When it cannot be read, or a value cannot be used.
    """
    if len(query) > _LONGEST_QUERY:
        raise _not_valid(f"expected a query of at most {_LONGEST_QUERY} bytes, found {len(query)}")
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError as error:  # bytes that are no text
        raise Problem(
            "unreadable",
            "expected a query in UTF-8 with what is not a letter as %.., found another; nothing was quoted: encode it",
        ) from error
    given = dict(pairs)
    if len(given) < len(pairs):
        twice = next(name for name, _ in pairs if sum(name == other for other, _ in pairs) > 1)
        raise _not_valid(f"expected each parameter once, found {_found(twice)} again")
    return _asked({name: _from_text(name, text) for name, text in given.items()}, lowest)


def questions_of_body(body: bytes) -> list[Any]:
    """Read a list of questions; what is in it is looked at one by one, by `question_of`.

    Raises
    ------
    Problem
        When it is no JSON, no list, or too long a one.
    """
    try:
        questions = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Problem("unreadable", KINDS["unreadable"].example) from error
    if not isinstance(questions, list):
        raise _not_valid(f"expected a list of questions, found {_found(questions)}")
    if len(questions) > MOST_QUESTIONS:
        raise _not_valid(f"expected at most {MOST_QUESTIONS} questions, found {len(questions)}")
    return questions


def question_of(given: object, lowest: float = LOWEST_PRICE) -> Asked:
    """Read one question of a list; prices are not below the lowest of the shelf's currency.

    Raises
    ------
    Problem
        When it is no object, or a value cannot be used.
    """
    if not isinstance(given, dict):
        raise _not_valid(f"expected an object with sku and stock, found {_found(given)}")
    return _asked({name: value for name, value in given.items() if value is not None or name in REQUIRED}, lowest)


def _asked(given: dict[str, Any], lowest: float) -> Asked:
    for name in given:
        if name not in FIELDS:
            raise _not_valid(f"expected {', '.join(FIELDS)}, found {_found(name)}")
    for name in REQUIRED:
        if name not in given:
            raise _not_valid(f"{name}: expected a value, found none")
    values = {name: _checked(FIELDS[name], value, lowest) for name, value in given.items()}
    store = values.pop("store", None)
    return Asked(PriceQuestion(**values), store)


def _from_text(name: str, text: str) -> Any:
    """Return a parameter as the number it is written as; what is none stays a text, and is refused."""
    field = FIELDS.get(name)
    if field is not None and field.kind is int and _WHOLE.fullmatch(text):
        return int(text)
    if field is not None and field.kind is float and _DECIMAL.fullmatch(text):
        return float(text)
    return text


def _checked(field: Field, value: Any, lowest_price: float) -> Any:
    """Return a value that can be used."""
    if field.kind is str:
        if isinstance(value, str) and field.lowest <= len(value) <= field.highest:
            return value
        raise _not_valid(f"{field.name}: expected a text of 1 to {MOST_CHARACTERS} characters, found {_found(value)}")
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    lowest = lowest_price if field.kind is float else field.lowest
    if is_number and lowest <= value <= field.highest and field.kind(value) == value:
        return field.kind(value)
    kind = "a whole number" if field.kind is int else "a price"
    raise _not_valid(f"{field.name}: expected {kind} from {lowest} to {field.highest}, found {_found(value)}")


def _not_valid(said: str) -> Problem:
    return Problem("not-valid", f"{said}; nothing was quoted: give another")


def _found(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
