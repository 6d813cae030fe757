"""The configuration reference as Markdown, written from settings and records: `python -m catalog.configuration`."""

import json
import sys
from collections.abc import Iterator
from typing import Any

from catalog.records.deliveries import Deliveries
from catalog.records.product import Product
from catalog.records.store import Store
from catalog.settings import Settings

_WORDS = {"string": "text", "number": "number", "integer": "whole number", "boolean": "true or false", "null": "null"}


def configuration() -> str:
    """Return the reference: environment variables, then the fields of both YAML files, record by record."""
    lines = [
        "# Configuration",
        "",
        "Written from `catalog` by `make docs`; a test fails when the two differ. Loading is strict: a field that is",
        "unknown, out of bounds or in conflict with another is refused with file, field and value, and the catalog in",
        "force stays.",
        "",
        "## Environment",
        "",
        "Read once, when a command starts. A variable that is empty counts as not set. Prefect and MLflow read more",
        "variables of their own.",
        "",
        *_variables(Settings.model_json_schema()),
        "",
        "## products.yaml",
        "",
        "A list under `products`, in the order in which they are shown. `--catalog DIR` names another folder with both",
        "files.",
        "",
        *_fields(Product.model_json_schema()),
        "",
        "### deliveries",
        "",
        *_fields(Deliveries.model_json_schema()),
    ]
    for path, record in _records(Store.model_json_schema(), "Store", ""):
        lines += ["", f"### {path}" if path else "## store.yaml", "", *_fields(record)]
    return "\n".join(lines) + "\n"


def _records(schema: dict[str, Any], name: str, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each record of a schema with the path of fields that leads to it, in the order of the fields."""
    record = schema if name == schema["title"] else schema["$defs"][name]
    yield path, record
    for field, described in record["properties"].items():
        by_name: dict[str, Any] = next(iter(described.get("patternProperties", {}).values()), {})
        choice = next((one["$ref"] for one in described.get("anyOf", ()) if "$ref" in one), None)
        inner = described.get("$ref") or described.get("items", {}).get("$ref") or by_name.get("$ref") or choice
        if inner:
            yield from _records(schema, inner.rsplit("/", 1)[1], f"{path}.{field}" if path else field)


def _variables(settings: dict[str, Any]) -> list[str]:
    rows = [
        f"| `{variable}` | {_default_of_variable(described)} | {described['description']} |"
        for variable, described in settings["properties"].items()
    ]
    return ["| variable | default | meaning |", "|---|---|---|", *rows]


def _default_of_variable(described: dict[str, Any]) -> str:
    return described.get("default_in_words") or (f"`{described['default']}`" if described["default"] else "none")


def _fields(record: dict[str, Any]) -> list[str]:
    required = record.get("required", [])
    rows = [
        f"| `{field}` | {_type(described)} | {_default(described, is_required=field in required)} "
        f"| {described['description']} |"
        for field, described in record["properties"].items()
    ]
    return ["| field | value | default | meaning |", "|---|---|---|---|", *rows]


def _type(described: dict[str, Any]) -> str:
    """Describe what a field takes, with its bounds."""
    match described:
        case {"$ref": _}:
            text = "fields"
        case {"anyOf": choices}:
            text = " or ".join(_type(choice) for choice in choices)
        case {"enum": values}:
            text = " or ".join(f"`{value}`" for value in values)
        case {"const": value}:
            text = f"`{value}`"
        case {"type": "array", "items": items}:
            text = f"list of {_type(items)}"
        case {"type": "object", "patternProperties": by_name}:
            key = "sku" if "propertyNames" in described else "store"  # a store's name has its length in its pattern
            text = f"{_type(next(iter(by_name.values())))}, by {key}"
        case {"type": "object", "additionalProperties": dict(of_a_name)}:  # of any text, which a category alone is
            text = f"{_type(of_a_name)}, by category"
        case {"format": "date"}:
            text = "date"
        case _:
            text = _WORDS[described["type"]] + _bounds(described)
    return text


def _bounds(described: dict[str, Any]) -> str:
    lowest = [f"above {described['exclusiveMinimum']:,.9g}"] if "exclusiveMinimum" in described else []
    lowest += [f"from {described['minimum']:,.9g}"] if "minimum" in described else []
    highest = [f"to {described['maximum']:,.9g}"] if "maximum" in described else []
    return "".join(f" {bound}" for bound in (*lowest, *highest))


def _default(described: dict[str, Any], *, is_required: bool) -> str:
    if is_required:
        return "required"
    default = described.get("default")
    if "$ref" in described or isinstance(default, dict | list) or "default" not in described:
        return "as below" if "$ref" in described else "none"
    if default == "":
        return "empty"
    return f"`{default}`" if isinstance(default, str) else f"`{json.dumps(default)}`"


if __name__ == "__main__":
    sys.stdout.write(configuration())
