"""The page for people at `/docs`, rendered from the OpenAPI document: no script, nothing from another host.

The framework's own page loads scripts from a CDN. Everything here is escaped text of the document; the one stylesheet
is inline, and the content security policy names its hash.
"""

import base64
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from connect.api.api_tokens import MAY
from connect.api.problems import KINDS

_STYLE = (Path(__file__).parent / "docs_page.css").read_text(encoding="utf-8")
STYLE_HASH = f"sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}"
"""As a content security policy names it."""


def page_of(document: dict[str, Any]) -> str:
    """Return the page of an OpenAPI document."""
    operations = [
        {"method": method.upper(), "path": path, "is_pushed": part == "webhooks", **operation}
        for part in ("paths", "webhooks")
        for path, methods in document[part].items()
        for method, operation in methods.items()
    ]
    return (
        _environment()
        .get_template("docs_page.html.j2")
        .render(
            info=document["info"],
            operations=operations,
            kinds=KINDS.values(),
            may=MAY,
            needed=_scopes_of,
            style=Markup(_STYLE),  # noqa: S704 - our own file, byte for byte as its hash says
            shown=_shown,
            example=_example,
            fields=lambda schema: _fields(document, schema),
        )
    )


def _scopes_of(operation: dict[str, Any]) -> list[str]:
    """Return the scopes that an operation needs; empty where everybody may read."""
    return [scope for schemes in operation.get("security", ()) for scope in schemes.get("token", ())]


def _example(part: dict[str, Any]) -> str:
    """Return the example of a parameter or a body; the first one where it has several, empty where it has none."""
    named: list[dict[str, Any]] = [*part.get("examples", {}).values()]
    value = named[0]["value"] if named else next(iter(part["schema"].get("examples", [part.get("example")])))
    if isinstance(value, list) and "in" in part:  # a parameter that may be repeated
        return "&".join(f"{part['name']}={one}" for one in value)
    return "" if value is None else _shown(value)


def _fields(document: dict[str, Any], schema: dict[str, Any]) -> list[dict[str, str]]:
    """Return the fields of an object, or of each object of a list, as rows of a table; of several kinds, of all."""
    schema = schema.get("items", schema)
    if "anyOf" in schema:
        kinds = [{row["name"]: row for row in _fields(document, kind)} for kind in schema["anyOf"]]
        rows = {name: row for kind in kinds for name, row in kind.items()}
        always = {name for name in rows if all(kind.get(name, {}).get("needed") == "yes" for kind in kinds)}
        return [row | {"needed": "yes" if name in always else "no"} for name, row in rows.items()]
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    needed = schema.get("required", ())
    found = list[dict[str, str]]()
    for name, field in schema.get("properties", {}).items():
        said = {"needed": "yes" if name in needed else "no", "said": field.get("description", "")}
        found.append({"name": name, "kind": _kind(field), **said})
        if "$ref" in field.get("items", {}):  # a list of objects: their fields follow
            found += [row | {"name": f"{name}[].{row['name']}"} for row in _fields(document, field)]
    return found


def _kind(field: dict[str, Any]) -> str:
    """Return the JSON type of a field; one that is not needed may be null, too."""
    kinds = [kind for kind in field.get("anyOf", [field]) if kind.get("type") != "null"]
    names = (kind.get("enum") or [", ".join(filter(None, (kind.get("type"), kind.get("format"))))] for kind in kinds)
    return " or ".join(" | ".join(name) for name in names)


def _shown(value: Any) -> str:
    """Return an example as it would be sent, indented."""
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
