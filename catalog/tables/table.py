"""What a table is: a grain, a key, and columns with a type, a unit and a meaning; and how a YAML file declares tables.

A file has a record for each table, by name. A column is a row `name: [type, unit, meaning]`, without the unit where the
type says it: of text, flags and dates. A name that ends in `?` may be null. A type is `text`, `word` (text of few
values, kept as codes), `date`, `moment` (UTC), `bool` or a number of Arrow; `[type]` is a list, and
`{name: type, ...}` a struct. A name alone is a column of `shared.yaml`. `like` takes the columns of another table.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import yaml

TEXT = pa.dictionary(pa.int32(), pa.string())
MOMENT = pa.timestamp("us", tz="UTC")
CLAMPS = pa.list_(pa.struct([("rule", pa.string()), ("before", pa.float64()), ("after", pa.float64())]))
_TYPES = {"text": pa.string(), "word": TEXT, "moment": MOMENT, "date": pa.date32()}


@dataclass(frozen=True)
class Column:
    """One column: its type, meaning and unit, and whether it may be null."""

    name: str
    type: pa.DataType
    unit: str
    meaning: str
    nullable: bool


@dataclass(frozen=True)
class Table:
    """One table: `grain` says what one row is, `key` names the columns that identify it.

    The key is unique among all rows of a business date, or of the table where there are no dates; with
    `unique_in="partition"` within one partition only, as each comparison or group of stores has rows of its own.
    `varied` are columns of moments, integers and floats of 32 bits that hold so many values that a file is written
    faster without codes of them, and hardly gets smaller by compression.
    """

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    by: Literal["day", "key"] = "day"
    unique_in: Literal["partition", "date"] = "date"
    varied: tuple[str, ...] = ()

    @cached_property
    def schema(self) -> pa.Schema:
        """The Arrow schema of one partition file."""
        return pa.schema([pa.field(column.name, column.type, nullable=column.nullable) for column in self.columns])


def tables_in(file: Path) -> tuple[Table, ...]:
    """Read the tables that a YAML file declares, in its order."""
    tables: dict[str, Table] = {}
    for name, declared in _read(file).items():
        if "like" in declared:
            tables[name] = replace(tables[declared["like"]], name=name, grain=declared["grain"])
            continue
        columns = tuple(
            SHARED[column] if row is None else _column(column, row) for column, row in declared.pop("columns").items()
        )
        others: dict[str, Any] = {key: tuple(x) if isinstance(x, list) else x for key, x in declared.items()}
        tables[name] = Table(name=name, columns=columns, **others)
    return tuple(tables.values())


def _read(file: Path) -> Any:
    return yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)


def _column(name: str, row: list[Any]) -> Column:
    arrow_type, unit = _type(row[0]), row[1] if len(row) == 3 else _unit_of(row[0])  # noqa: PLR2004 - with a unit
    return Column(name.removesuffix("?"), arrow_type, unit, row[-1], name.endswith("?"))


def _type(declared: Any) -> pa.DataType:
    if isinstance(declared, list):
        return pa.list_(pa.dictionary(pa.int8(), pa.string()) if declared == ["word"] else _type(declared[0]))
    if isinstance(declared, dict):
        return pa.struct([(name, _type(part)) for name, part in declared.items()])
    return _TYPES.get(declared) or pa.type_for_alias(declared)


def _unit_of(declared: Any) -> str:
    """Return the unit that a type implies; text has none: "-"."""
    return {"date": "date", "bool": "yes or no"}.get(str(declared), "-")


_SHARED_ROWS = _read(Path(__file__).with_name("shared.yaml"))
SHARED = {name.removesuffix("?"): _column(name, row) for name, row in _SHARED_ROWS.items()}
"""Columns that several tables have."""
