"""The configuration reference as Markdown, from settings and records: `python -m plugins.operations.configuration`."""

import ast
import json
import sys
from collections.abc import Iterator
from inspect import getsource
from itertools import pairwise
from textwrap import dedent
from typing import Any

from pydantic import BaseModel

from catalog.records.deliveries import Deliveries
from catalog.records.fields import Record
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
        *_variables(documented(Settings)),
        "",
        "## products.yaml",
        "",
        "A list under `products`, in the order in which they are shown. `--catalog DIR` names another folder with both",
        "files.",
        "",
        *_fields(documented(Product)),
        "",
        "### deliveries",
        "",
        *_fields(documented(Deliveries)),
    ]
    for path, record in _records(documented(Store), "Store", ""):
        lines += ["", f"### {path}" if path else "## store.yaml", "", *_fields(record)]
    return "\n".join(lines) + "\n"


def documented(model: type[BaseModel]) -> dict[str, Any]:
    """Return the schema of a record with what its class says below each field as `description`."""
    schema = model.model_json_schema()
    models: dict[str, type[BaseModel]] = {own.__name__: own for own in _within(Record)}
    models["Settings"] = Settings
    for record in (schema, *schema.get("$defs", {}).values()):
        if record["title"] in models:
            texts = _texts_below_fields(models[record["title"]])
            for name, field in record["properties"].items():
                field.setdefault("description", texts.get(name))
    return schema


def _within(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for own in model.__subclasses__():
        yield own
        yield from _within(own)


def _texts_below_fields(model: type[BaseModel]) -> dict[str, str]:
    """Return the string below each field in the source of a record and of those it extends."""
    texts = {}
    for own in model.__mro__:
        if own.__module__.startswith(("catalog.", "plugins.")) and own.__name__ != "_WithSections":
            record: Any = ast.parse(dedent(getsource(own))).body[0]
            for field, text in pairwise(record.body):
                if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr):
                    name = ast.unparse(field.target)
                    alias = model.model_fields[name].validation_alias or name
                    texts[str(alias)] = " ".join(ast.literal_eval(text.value).split())
    return texts


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
