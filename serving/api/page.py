"""The page for people at `/docs`, written from the OpenAPI document: no script, nothing from another host.

Everything in it is text of the document, escaped. Its one stylesheet stands in it, and the browser is told its hash.
"""

import base64
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from serving.api.problems import KINDS

_STYLE = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
STYLE_HASH = f"sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}"
"""As a content security policy names it."""


def page_of(document: dict[str, Any]) -> str:
    """Return the page of an OpenAPI document."""
    operations = [
        {"method": method.upper(), "path": path, **operation}
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            info=document["info"],
            operations=operations,
            kinds=KINDS.values(),
            style=Markup(_STYLE),  # noqa: S704 - our own file, byte for byte as its hash says
            shown=_shown,
        )
    )


def _shown(value: Any) -> str:
    """Return an example as it would be sent, spread over lines where it is long."""
    if isinstance(value, str):
        return value
    return json.dumps(value, indent=2, ensure_ascii=False)


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
