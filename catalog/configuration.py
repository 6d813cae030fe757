"""The configuration reference as Markdown, written from settings and records: `python -m catalog.configuration`.

Only what has no other source stands here: what an environment variable means and what it is by default.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from catalog.meanings import MEANINGS, PRODUCT
from catalog.records import Product, Store

_WORDS = {"string": "text", "number": "number", "integer": "whole number", "boolean": "true or false", "null": "null"}


@dataclass(frozen=True)
class Variable:
    """An environment variable: its default in words, and what it means."""

    name: str
    default: str
    meaning: str


ENVIRONMENT = (
    Variable("SHELFPRICE_HOME", "`data`", "folder of everything that is generated: lake, warehouse, models, runs"),
    Variable("MLFLOW_TRACKING_URI", "a file in `SHELFPRICE_HOME`", "MLflow's tracking store and model registry"),
    Variable("PREFECT_API_URL", "the one of `shelfprice up`, else one of its own", "Prefect's API"),
    Variable("SHELFPRICE_CATALOG", "the shelf that ships", "folder of both YAML files without `--catalog`"),
    Variable("SHELFPRICE_USER", "the system's user", "who is recorded for a promotion or a rollback by hand"),
    Variable("SHELFPRICE_PREFECT_ADDRESS", "`127.0.0.1:4200`", "where `shelfprice up` lets Prefect listen"),
    Variable("SHELFPRICE_MLFLOW_ADDRESS", "`127.0.0.1:5000`", "where it lets MLflow listen"),
    Variable("SHELFPRICE_MONITOR_ADDRESS", "`127.0.0.1:8050`", "where it lets the monitor listen"),
    Variable("SHELFPRICE_MONITOR_USER", "none", "user the monitor asks for; wanted where others could reach it"),
    Variable("SHELFPRICE_MONITOR_PASSWORD", "none", "the password with it"),
    Variable("SHELFPRICE_MONITOR_HOSTS", "none", "further host names the monitor answers to, separated by commas"),
    Variable(
        "PREFECT_SERVER_API_AUTH_STRING", "none", "`user:password` of Prefect; wanted where others could reach it"
    ),
)
"""Variables that this project reads; Prefect and MLflow read more of their own."""


def configuration() -> str:
    """Return the reference: environment variables, then the fields of both YAML files, record by record."""
    lines = [
        "# Configuration",
        "",
        "Written from `catalog` by `make docs`; a test fails when the two differ. Loading is strict: a field that is",
        "unknown, out of bounds or in conflict with another is refused with file, field and value, and what was in",
        "force stays.",
        "",
        "## Environment",
        "",
        "Read once, when a command starts.",
        "",
        "| variable | default | meaning |",
        "|---|---|---|",
        *(f"| `{variable.name}` | {variable.default} | {variable.meaning} |" for variable in ENVIRONMENT),
        "",
        "## products.yaml",
        "",
        "A list under `products`, in the order in which they are shown. `--catalog DIR` names another folder with both",
        "files.",
        "",
        *_fields(Product.model_json_schema(), PRODUCT),
    ]
    schema = Store.model_json_schema()
    for path, record in _records(schema, "Store", ""):
        lines += ["", f"### {path}" if path else "## store.yaml", "", *_fields(record, MEANINGS[record["title"]])]
    return "\n".join(lines) + "\n"


def _records(schema: dict[str, Any], name: str, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each record of a schema with the path of fields that leads to it, in the order of the fields."""
    record = schema if name == schema["title"] else schema["$defs"][name]
    yield path, record
    for field, described in record["properties"].items():
        inner = described.get("$ref") or described.get("items", {}).get("$ref")
        if inner:
            yield from _records(schema, inner.rsplit("/", 1)[1], f"{path}.{field}" if path else field)


def _fields(record: dict[str, Any], meanings: dict[str, str]) -> list[str]:
    required = record.get("required", [])
    rows = [
        f"| `{field}` | {_type(described)} | {_default(described, is_required=field in required)} | {meanings[field]} |"
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
        case {"type": "object", "patternProperties": by_sku}:
            text = f"{_type(next(iter(by_sku.values())))}, by sku"
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
