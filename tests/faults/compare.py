"""What is compared: the state in which a home was left, without what differs between any two undisturbed runs.

Every file of the lake counts by the SHA-256 of its bytes. Where a table keeps the moment by the clock, or the name that
MLflow gave a run, its rows count instead, without those. Of the registry count its versions with the gate's verdict,
the aliases, and the tag that names the change of champion which was followed.
"""

import json
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

_NOT_COMPARED: Mapping[str, frozenset[str]] = {
    "champions": frozenset({"decided_at"}),
    "model_versions": frozenset({"run_id", "training_run_id", "model_sha256"}),
    "ingested_files": frozenset({"ingested_at"}),
}
"""Columns that differ between any two runs, by table."""

_DURATION = re.compile(r"\d+\.\d+ seconds")
_LONG_NUMBER = re.compile(r"(\d\.\d{9})\d+")  # two cores add up in any order
_QUERIES = {
    "versions": (
        "select v.version, t.value from model_versions v left join model_version_tags t "
        "on t.name = v.name and t.version = v.version and t.key = 'gate' order by v.version"
    ),
    "aliases": "select alias, version from registered_model_aliases order by alias",
    "followed": "select value from registered_model_tags where key = 'champion_change'",
}

State = dict[str, Any]


def look() -> dict[str, Any]:
    """Return the state of the home of this process, and what `health --files` finds."""
    from catalog.settings import read_settings
    from plugins.operations.checks.proving import verify
    from warehouse.lake import Lake

    settings = read_settings()
    lake = Lake(settings)
    if not lake.root.is_dir():
        return {"findings": [], "state": {"files": {}, "registry": {}, "drafts": []}}
    found = verify(lake)
    findings = [f"lake/{one.name} {one.kind}: {one.message}" for one in found.findings]
    state = {
        "files": _files(lake),
        "registry": _registry(settings.home / "mlflow" / "mlflow.db"),
        "drafts": sorted(str(path.relative_to(lake.root)) for path in _drafts(lake.root)),
    }
    return {"findings": findings, "state": state}


def difference(found: State, expected: State) -> list[str]:
    """Say where two states differ, in a line for each."""
    lines = []
    for part in ("files", "registry"):
        ours, theirs = found[part], expected[part]
        lines += [
            f"{name}: found {_short(ours.get(name))}, expected {_short(theirs.get(name))}"
            for name in sorted({*ours, *theirs})
            if ours.get(name) != theirs.get(name)
        ]
    lines += [f"{draft}: a draft that nobody removed" for draft in found["drafts"] if draft not in expected["drafts"]]
    return lines


def _files(lake: Any) -> dict[str, Any]:
    from warehouse.files import sha256_of

    found: dict[str, Any] = {}
    for data in sorted(lake.root.rglob("part-*.parquet")):
        name = data.relative_to(lake.root)
        hidden = _NOT_COMPARED.get(name.parts[0])
        found[str(name)] = sha256_of(data) if hidden is None else _rows(data, hidden)
    for record in sorted(lake.root.glob("commits/**/*.commit.json")):
        found[str(record.relative_to(lake.root))] = _parts_of(record)
    origin = lake.root / "origin.json"
    if origin.exists():
        found["origin.json"] = origin.read_text(encoding="utf-8")
    return found


def _rows(data: Path, hidden: frozenset[str]) -> list[str]:
    import pyarrow.parquet as pq

    try:
        rows = pq.ParquetFile(data).read().to_pylist()
    except (OSError, ValueError) as error:
        return [f"cannot be read: {error}"]
    return [_plain({name: value for name, value in row.items() if name not in hidden}) for row in rows]


def _parts_of(record: Path) -> list[str]:
    """Return the parts that a commit record names, each with the SHA-256 of its file; empty for a removed part."""
    parts = json.loads(record.read_text(encoding="utf-8"))["parts"]
    names = (f"{part['table']}/{part['business_date']}/{part['group']}" for part in parts)
    hashes = (part["receipt"]["sha256"] if part["receipt"] else "" for part in parts)
    return [
        name if name.split("/")[0] in _NOT_COMPARED else f"{name} {sha256}"
        for name, sha256 in zip(names, hashes, strict=True)
    ]


def _plain(row: Mapping[str, Any]) -> str:
    text = json.dumps({name: str(value) for name, value in row.items()}, sort_keys=True)
    return _LONG_NUMBER.sub(r"\1", _DURATION.sub("some seconds", text))


def _registry(file: Path) -> dict[str, Any]:
    if not file.exists():
        return {}
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=10)) as database:
        try:
            return {name: [list(row) for row in database.execute(query)] for name, query in _QUERIES.items()}
        except sqlite3.OperationalError as error:  # its tables are not there yet
            return {"versions": str(error)}


def _drafts(root: Path) -> list[Path]:
    """Return what a writer left behind; a pending receipt proves its partition until the next one replaces it."""
    return [path for path in root.rglob("part-*") if not path.name.endswith((".parquet", ".json", ".json.new"))]


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return "nothing" if value is None else text if len(text) < 60 else f"{text[:56]} ..."
