"""The configuration reference as Markdown, from settings and records: `python -m plugins.operations.configuration`."""

import json
import sys
from collections.abc import Iterator
from typing import Any

from catalog.records.deliveries import Deliveries
from catalog.records.product import Product
from catalog.records.refusals import described
from catalog.records.store import Store
from catalog.settings import Settings


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
    for field, taken in record["properties"].items():
        by_name: dict[str, Any] = next(iter(taken.get("patternProperties", {}).values()), {})
        choice = next((option["$ref"] for option in taken.get("anyOf", ()) if "$ref" in option), None)
        inner = taken.get("$ref") or taken.get("items", {}).get("$ref") or by_name.get("$ref") or choice
        if inner:
            yield from _records(schema, inner.rsplit("/", 1)[1], f"{path}.{field}" if path else field)


def _variables(settings: dict[str, Any]) -> list[str]:
    rows = [
        f"| `{variable}` | {_default_of_variable(taken)} | {taken['description']} |"
        for variable, taken in settings["properties"].items()
    ]
    return ["| variable | default | meaning |", "|---|---|---|", *rows]


def _default_of_variable(taken: dict[str, Any]) -> str:
    return taken.get("default_in_words") or (f"`{taken['default']}`" if taken["default"] else "none")


def _fields(record: dict[str, Any]) -> list[str]:
    required = record.get("required", [])
    rows = [
        f"| `{field}` | {described(taken)} | {_default(taken, is_required=field in required)} "
        f"| {taken['description']} |"
        for field, taken in record["properties"].items()
    ]
    return ["| field | value | default | meaning |", "|---|---|---|---|", *rows]


def _default(taken: dict[str, Any], *, is_required: bool) -> str:
    if is_required:
        return "required"
    default = taken.get("default")
    if "$ref" in taken or isinstance(default, dict | list) or "default" not in taken:
        return "as below" if "$ref" in taken else "none"
    if default == "":
        return "empty"
    return f"`{default}`" if isinstance(default, str) else f"`{json.dumps(default)}`"


if __name__ == "__main__":
    sys.stdout.write(configuration())
