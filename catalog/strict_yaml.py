"""Strict YAML: a value is read as it is written, or the file is refused.

Plain YAML keeps the last of two equal keys, reads `12:30` as 750, `0123` as 83 and `NO` as false, expands aliases
without limit and builds Python objects from tags. Each of these is an error here.
"""

import math
import re
from pathlib import Path
from typing import Any

import yaml

from catalog.errors import CatalogError

_MAX_BYTES = 4 * 1024 * 1024
_TRAPS = {
    "tag:yaml.org,2002:bool": (
        re.compile(r"(?i:yes|no|on|off|y|n)"),
        "write true or false, or quote the text",
    ),
    "tag:yaml.org,2002:int": (
        re.compile(r"[-+]?(0[0-9_]+|0[xob].*|[0-9_]*:.*|.*_.*)"),
        "write a plain decimal number, or quote the text",
    ),
    "tag:yaml.org,2002:float": (
        re.compile(r"[-+]?[0-9_]+:.*|.*_.*"),
        "write a plain decimal number, or quote the text",
    ),
}


class _StrictLoader(yaml.SafeLoader):
    """A safe loader that refuses aliases, duplicate keys, tags, and scalars that YAML would reinterpret."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(
                problem="aliases are not allowed: write the value out", problem_mark=event.start_mark
            )
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if getattr(event, "tag", None) is not None:
            raise yaml.MarkedYAMLError(
                problem=f"the tag {event.tag} is not allowed: write a plain value",
                problem_mark=event.start_mark,
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        seen: set[str] = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key must be a single word", problem_mark=key_node.start_mark)
            if key_node.tag == "tag:yaml.org,2002:merge":
                raise yaml.MarkedYAMLError(
                    problem="<< is not allowed: write the fields out", problem_mark=key_node.start_mark
                )
            if key_node.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key_node.value!r} is given twice: keep one",
                    problem_mark=key_node.start_mark,
                )
            seen.add(key_node.value)
        return super().construct_mapping(node, deep=deep)

    def construct_plain(self, node: yaml.ScalarNode) -> Any:
        trap = _TRAPS.get(node.tag)
        if trap and trap[0].fullmatch(node.value):
            raise yaml.MarkedYAMLError(
                problem=f"{node.value!r} does not mean what it looks like: {trap[1]}",
                problem_mark=node.start_mark,
            )
        value = yaml.SafeLoader.yaml_constructors[node.tag](self, node)
        if isinstance(value, float) and not math.isfinite(value):
            raise yaml.MarkedYAMLError(problem=f"{node.value!r} is not a finite number", problem_mark=node.start_mark)
        return value


for _tag in _TRAPS:
    _StrictLoader.add_constructor(_tag, _StrictLoader.construct_plain)


def read_mapping(path: Path) -> dict[str, Any]:
    """Read one YAML file whose top level is a mapping.

    Raises
    ------
    CatalogError
        When the file is missing, empty, too large, not UTF-8, or ambiguous; the message names the file, the line and
        the value.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise CatalogError(f"{path}: cannot be read ({error.strerror}); give a folder with --catalog DIR") from error
    if len(raw) > _MAX_BYTES:
        raise CatalogError(f"{path}: {len(raw)} bytes, at most {_MAX_BYTES} are allowed")
    try:
        loaded = yaml.load(raw.decode("utf-8-sig"), Loader=_StrictLoader)  # noqa: S506 - stricter than SafeLoader
    except UnicodeDecodeError as error:
        raise CatalogError(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8") from error
    except yaml.MarkedYAMLError as error:
        where = f" line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise CatalogError(f"{path}:{where}: {error.problem}") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise CatalogError(f"{path}: not readable as YAML: {error}") from error
    if not isinstance(loaded, dict):
        found = "nothing" if loaded is None else type(loaded).__name__
        raise CatalogError(f"{path}: expected fields at the top level, found {found}")
    return loaded
