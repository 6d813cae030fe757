"""Entries of a table's log: what they say, in the words of Delta's protocol, and what is in force after each."""

import json
import time
from collections.abc import Iterable, Iterator
from typing import Any

from cluster.delta.look import Look
from cluster.delta.naming import PartInForce, in_table, object_name, of_object
from warehouse.commit_record import CommittedPart
from warehouse.receipts import CODE_VERSION

Action = dict[str, Any]

ADD, REMOVE = "add", "remove"
_INFO, _NAME = "commitInfo", "shelfprice"
_COMMITS_KNOWN = 500
_MILLION = 1_000_000  # nanoseconds in a millisecond


def lines_of(entry: bytes) -> Iterator[Action]:
    """Yield what an entry says, action by action."""
    yield from map(json.loads, entry.splitlines())


def info_of(commit: str | None, partitioned_by: list[str]) -> Action:
    """Return what the log says of an entry itself: when it was made, by what, and for which commit."""
    said = {
        "timestamp": time.time_ns() // _MILLION,
        "operation": "WRITE",
        "operationParameters": {"mode": "Append", "partitionBy": json.dumps(partitioned_by)},
        "engineInfo": f"shelfprice/{CODE_VERSION}",
    }
    return {_INFO: said | ({_NAME: commit} if commit else {})}


def after(known: Look, table: str, actions: Iterable[Action]) -> Look:
    """Return what is in force after one more entry of the log; files that others than we added are not ours."""
    dates, version, commits = dict(known.dates), known.version + 1, dict(known.commits)
    for action in sorted(actions, key=lambda one: ADD in one):  # what is replaced goes before what replaces it
        if name := action.get(_INFO, {}).get(_NAME):
            commits[version] = name
        said = action.get(ADD) or action.get(REMOVE)
        found = said and of_object(f"{table}/{said['path']}")
        if not said or not found:
            continue
        partition, fingerprint = found
        parts = dict(dates.get(partition.business_date, {}))
        if ADD in action:
            parts[partition] = PartInForce(fingerprint, _rows(said), said["size"], said["modificationTime"])
        elif (stands := parts.get(partition)) and stands.is_of(fingerprint):
            del parts[partition]
        dates[partition.business_date] = parts
    since = known.complete_since
    if len(commits) > _COMMITS_KNOWN:
        commits, since = {version: commits[version]} if version in commits else {}, version - 1
    return Look(version, {date: parts for date, parts in dates.items() if parts}, commits, since)


def actions_of(part: CommittedPart, known: Look) -> list[Action]:
    """Return what the log says of a part: what is taken away, and what is added."""
    partition, before = part.partition, known.standing(part.partition)
    day = partition.business_date and partition.business_date.isoformat()
    now = max(time.time_ns() // _MILLION, known.newest_since(partition.business_date) + 1)
    both = {"partitionValues": {"business_date": day} if day else {}, "dataChange": True}
    actions: list[Action] = []
    if before is not None:
        path = in_table(object_name(partition, before.fingerprint))
        removed = {"path": path, "size": before.bytes, "deletionTimestamp": now, "extendedFileMetadata": True}
        actions.append({REMOVE: removed | both})
    if part.receipt is not None:
        path = in_table(object_name(partition, part.receipt.fingerprint))
        stats = json.dumps({"numRecords": part.receipt.rows})
        added = {"path": path, "size": part.receipt.bytes, "modificationTime": now, "stats": stats}
        actions.append({ADD: added | both})
    return actions


def _rows(said: dict[str, Any]) -> int:
    return int(said["rows"] if "rows" in said else json.loads(said["stats"])["numRecords"])
