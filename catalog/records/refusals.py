"""What a value may be, in our words: for the reference of the configuration, and for the refusal of another value.

pydantic checks records, settings, request bodies and lines. Its messages name its own types and no remedy. So a refusal
is written from the schema of the record: what the field takes, with an example, or the field that a typo was meant for.
The rules that records have of their own say all of it themselves.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from catalog.errors import did_you_mean

Schema = Mapping[str, Any]
"""A JSON schema, or a part of one."""

_WORDS = {"string": "text", "number": "number", "integer": "whole number", "boolean": "true or false", "null": "null"}
_COUNTED = re.compile(r"(whole )?number|list|date")
_PATTERNS = {
    r"^[^\x00-\x1f\x7f]+$": ("without line breaks and other control characters", "MILK"),
    r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$": (
        "of 1 to 32 letters from a to z, digits, dots, dashes and underscores, a letter or a digit first",
        "S01",
    ),
    r"^[^\s@<>,;]+@[^\s@<>,;]+$": ("that is an address of mail", "prices@example.org"),
    r"^[A-Za-z0-9.:_-]+$": ("that is a host, of letters, digits, dots, colons, dashes and underscores", "localhost"),
    r"^[A-Za-z][A-Za-z0-9-]{0,63}$": ("that is a header, of letters, digits and dashes", "X-Remote-User"),
    r"^https?://\S+$": ("that begins with http:// or https://", "https://example.org/alerts"),
}
"""What the patterns of texts ask for, and an example of each."""
_FORMATS = {"date": ("date", "2026-12-24"), "date-time": ("date and time", "2026-12-24T09:30:00+01:00")}
_OURS = {"value_error": "Value error, ", "assertion_error": "Assertion failed, "}
_NO_JSON = "expected JSON, such as {}"
_NUMBERS = (1, 2, 0.5, 5, 10, 50, 100, 1_000, 0.1, 0.01, 0)
_MOST_FIELDS = 12


class _Words(str):
    """Words that stand for a value, and are shown without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


MISSING = _Words("none")


class Refusal(NamedTuple):
    """Why a value is refused.

    Attributes
    ----------
    field
        Path to the field, such as `guardrails.frozen.MILK`; empty for the whole record.
    words
        What is expected, with an example; or the sentence of a rule, which names what it found.
    found
        The value; `MISSING` where none was given.
    hint
        What was meant by an unknown field, or which fields there are.
    is_rule
        Whether `words` are a rule's, and name the value.
    """

    field: str
    words: str
    found: object
    hint: str = ""
    is_rule: bool = False

    def sentence(self, shown: Callable[[object], str] = repr, outcome: str = "") -> str:
        """Return field, expectation, value and outcome in a sentence; `shown` writes a value."""
        where = f"{self.field}: " if self.field else ""
        value = "" if self.is_rule else f", found {self.found if isinstance(self.found, _Words) else shown(self.found)}"
        return f"{where}{self.words}{value}{outcome and '; '}{outcome}{self.hint}"


@lru_cache
def schema_of(model: type[BaseModel]) -> Schema:
    """Return the schema of a record, worked out once."""
    return model.model_json_schema()


def refused(error: ValidationError | Sequence[Any], schema: Schema, definitions: Schema | None = None) -> Refusal:
    """Return why a record is refused: its first error, or where a field is missing, the typo that stands for it.

    Parameters
    ----------
    error
        The error, or its details as `ValidationError.errors` lists them.
    schema, definitions
        What the record takes, and the schemas that it refers to; None is those within it.
    """
    errors = error.errors(include_url=False) if isinstance(error, ValidationError) else error
    first = errors[0]
    if first["type"] == "missing":
        typos = (
            other for other in errors if other["type"] == "extra_forbidden" and other["loc"][:-1] == first["loc"][:-1]
        )
        first = next(typos, first)
    kind, where = first["type"], first["loc"]
    whole = _Whole(schema.get("$defs", {}) if definitions is None else definitions)
    if kind == "extra_forbidden":
        path, record = whole.found_at(schema, where[:-1])
        name = str(where[-1])
        return Refusal(".".join([*path, name]), whole.no_field(path, record), first["input"], whole.meant(record, name))
    path, taken = whole.found_at(schema, where)
    field, value = ".".join(path), MISSING if kind == "missing" else first["input"]
    if kind == "too_long":
        value = _Words(f"{len(value)} items")
    if kind in _OURS:
        return Refusal(field, first["msg"].removeprefix(_OURS[kind]), value, is_rule=True)
    return Refusal(field, _NO_JSON if kind == "json_invalid" else whole.expected(taken, value), value)


def described(taken: Schema, *, is_part: bool = False) -> str:
    """Describe what a field takes, with its bounds; a text that is part of a value is just called text."""
    match taken:
        case {"$ref": _} | {"properties": _}:
            text = "fields"
        case {"anyOf": choices}:
            text = " or ".join(described(choice, is_part=is_part) for choice in choices)
        case {"enum": values}:
            text = " or ".join(f"`{value}`" for value in values)
        case {"const": value}:
            text = f"`{value}`"
        case {"type": "array", "items": items}:
            text = f"list of {_count(taken, 'Items')}{described(items, is_part=True)}"
        case {"type": "object", "patternProperties": by_name}:
            key = "sku" if "propertyNames" in taken else "store"  # a store's name has its length in its pattern
            value = described(next(iter(by_name.values())), is_part=True)
            text = f"{_count(taken, 'Properties')}{value}, by {key}"
        case {"type": "object", "additionalProperties": dict(of_a_name)}:  # of any text, which a category alone is
            text = f"{described(of_a_name, is_part=True)}, by category"
        case {"type": str(kind)} if kind in _WORDS:
            form = _FORMATS.get(taken.get("format", ""))
            text = form[0] if form else _WORDS[kind] + ("" if is_part else _length(taken)) + _bounds(taken)
        case _:
            text = "another value"
    return text


def _count(taken: Schema, of: str) -> str:
    least, most = taken.get(f"min{of}", 0), taken.get(f"max{of}")
    return (f"at least {least} " if least else "") + ("" if most is None else f"at most {most:,} ")


def _length(taken: Schema) -> str:
    least, most, pattern = taken.get("minLength", 0), taken.get("maxLength"), taken.get("pattern", "")
    counted = f" of at least {least} character" if least else ""
    if most is not None:
        counted = f" of {least} to {most:,} characters" if least else f" of at most {most:,} characters"
    return f"{counted} {_PATTERNS[pattern][0]}" if pattern in _PATTERNS else counted


def _bounds(taken: Schema) -> str:
    lowest = [f"above {taken['exclusiveMinimum']:,.10g}"] if "exclusiveMinimum" in taken else []
    lowest += [f"from {taken['minimum']:,.10g}"] if "minimum" in taken else []
    highest = [f"to {taken['maximum']:,.10g}"] if "maximum" in taken else []
    if "exclusiveMaximum" in taken:
        highest = [f"and below {taken['exclusiveMaximum']:,.10g}"]
    return "".join(f" {bound}" for bound in (*lowest, *highest))


class _Whole(NamedTuple):
    """A schema's definitions, by which the places within it are found."""

    definitions: Schema

    def found_at(self, schema: Schema, where: Sequence[int | str]) -> tuple[list[str], Schema]:
        """Return the path of fields to a place and what is taken there.

        A place also names the choices that were tried on the way; they are no fields, and left out.
        """
        taken, path = schema, list[str]()
        for part in where:
            inner = next(self._inner(taken, part), None)
            if inner is not None:
                taken = inner
            if part != "[key]" and (inner is not None or not schema):
                path.append(str(part))
        return path, taken

    def _choices(self, taken: Schema) -> Iterator[Schema]:
        """Yield what is taken, each choice apart, and references followed."""
        if "$ref" in taken:
            yield from self._choices(self.definitions.get(taken["$ref"].rsplit("/", 1)[1], {}))
        elif "anyOf" in taken:
            for choice in taken["anyOf"]:
                yield from self._choices(choice)
        else:
            yield taken

    def _inner(self, taken: Schema, part: int | str) -> Iterator[Schema]:
        """Yield what is taken at a part of the place: a field, a value or a key by name, or an item of a list."""
        for choice in self._choices(taken):
            values = [*choice.get("patternProperties", {}).items(), ("", choice.get("additionalProperties"))]
            by_name = [(pattern, value) for pattern, value in values if isinstance(value, Mapping)]
            if isinstance(part, int):
                items = choice.get("prefixItems", ())
                if part < len(items) or "items" in choice:
                    yield items[part] if part < len(items) else choice["items"]
            elif part == "[key]":
                yield _key_of(choice)
            elif part in choice.get("properties", {}):
                yield choice["properties"][part]
            elif by_name:
                yield by_name[0][1]

    def no_field(self, path: Sequence[str], record: Schema) -> str:
        """Say that a record, at a path, has no such field."""
        title = next((choice["title"] for choice in self._choices(record) if "title" in choice), "record")
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", title).lower()
        return f"no field of {path[-1] if path and not path[-1].isdecimal() else f'the {words}'}"

    def meant(self, record: Schema, name: str) -> str:
        """Return which field of a record was meant by a name, or which there are."""
        fields = [field for choice in self._choices(record) for field in choice.get("properties", {})]
        more = ", ..." if len(fields) > _MOST_FIELDS else ""
        return did_you_mean(name, fields) or f"; expected one of {', '.join(fields[:_MOST_FIELDS])}{more}"

    def expected(self, taken: Schema, value: object) -> str:
        """Say what is taken, with an example; of a text, that may be the value that was found, in quotes."""
        text, example = described(self._with_choices(taken)), self.example(taken)
        if example is None and text.startswith("text") and isinstance(value, int | float):
            example = str(value)
        such_as = "" if example is None else f", such as {json.dumps(example, ensure_ascii=False)}"
        return f"expected {'a ' if _COUNTED.match(text) else ''}{text}{such_as}"

    def _with_choices(self, taken: Schema) -> Schema:
        """Return what is taken with the choices of a list written out where it refers to them."""
        items = next(self._choices(taken.get("items", {})))
        return {**taken, "items": items} if "enum" in items else taken

    def example(self, taken: Schema) -> Any:
        """Return a value that is taken; None where none is known, or its description says as much."""
        if taken.get("examples"):
            return taken["examples"][0]
        default = taken.get("default")
        if isinstance(default, int | float) and not isinstance(default, bool):
            return default
        return next((made for choice in self._choices(taken) if (made := self._made(choice)) is not None), None)

    def _made(self, taken: Schema) -> Any:
        """Make a value that is taken, with the first of its parts that can be made."""
        if "items" in taken:
            item = self.example(taken["items"])
            return None if item is None else [item] * max(1, taken.get("minItems", 1))
        by_name = {_example(_key_of(taken)): value for value in taken.get("patternProperties", {}).values()}
        parts = {**taken.get("properties", {}), **by_name}
        made = ({name: value} for name, part in parts.items() if (value := self.example(part)) is not None)
        return next(made, None) if parts else _example(taken)


def _key_of(taken: Schema) -> Schema:
    """Return what the names of a mapping are."""
    pattern = next(iter(taken.get("patternProperties", {})), "")
    return {"type": "string", **taken.get("propertyNames", {}), "pattern": pattern}


def _example(taken: Schema) -> Any:
    """Return a text or a number that is taken; None for any other type, and for a text of any kind."""
    if taken.get("type") == "string":
        form = _FORMATS.get(taken.get("format", "")) or _PATTERNS.get(taken.get("pattern", ""))
        return form[1] if form else None
    if taken.get("type") not in {"number", "integer"}:
        return None
    lowest, highest = taken.get("minimum", -math.inf), taken.get("maximum", math.inf)
    above, below = taken.get("exclusiveMinimum", -math.inf), taken.get("exclusiveMaximum", math.inf)
    is_whole = taken["type"] == "integer"
    fit = (number for number in (*_NUMBERS, lowest) if lowest <= number <= highest and above < number < below)
    return next((int(number) if is_whole else number for number in fit if not is_whole or number == int(number)), None)
