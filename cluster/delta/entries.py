"""Entries of a table's log: what they say, in the words of Delta's protocol, and what is in force after each."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from cluster.delta.look import Look
from cluster.delta.naming import PartInForce, in_table, object_name, of_object
from warehouse.commit_record import CommittedPart
from warehouse.receipts import CODE_VERSION

Action = dict[str, Any]

ADD, REMOVE = "add", "remove"
INFO, _NAME = "commitInfo", "shelfprice"
_COMMITS_KNOWN = 500
_MILLION = 1_000_000  # nanoseconds in a millisecond


def lines_of(entry: bytes) -> Iterator[Action]:
    """Yield what an entry says, action by action."""
    yield from map(json.loads, entry.splitlines())


def entry_of(actions: Sequence[Action], commit: str | None, partitioned_by: list[str]) -> list[Action]:
    """Return an entry of the log: what is changed, and before it when that was done, by what, and for which commit."""
    adds = any(ADD in one for one in actions)
    mode = "Overwrite" if any(REMOVE in one for one in actions) else "Append"
    said = {
        "timestamp": time.time_ns() // _MILLION,
        "operation": "WRITE" if adds else "DELETE",
        "operationParameters": {"mode": mode, "partitionBy": json.dumps(partitioned_by)} if adds else {},
        "engineInfo": f"shelfprice/{CODE_VERSION}",
    }
    return [{INFO: said | ({_NAME: commit} if commit else {})}, *actions]


def after(known: Look, table: str, actions: Iterable[Action]) -> Look:
    """Return what is in force after one more entry of the log; files that others than we added are not ours."""
    dates, version, commits, foreign = dict(known.dates), known.version + 1, dict(known.commits), set(known.foreign)
    for action in sorted(actions, key=lambda one: ADD in one):  # what is replaced goes before what replaces it
        if name := action.get(INFO, {}).get(_NAME):
            commits[version] = name
        said = action.get(ADD) or action.get(REMOVE)
        if not said:
            continue
        found = of_object(f"{table}/{said['path']}")
        if not found:
            (foreign.add if ADD in action else foreign.discard)(said["path"])
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
    return Look(version, {date: parts for date, parts in dates.items() if parts}, commits, since, frozenset(foreign))


def actions_of(part: CommittedPart, known: Look, statistics_of: Callable[[str], str]) -> list[Action]:
    """Return what the log says of a part: what is taken away, and what is added, with what its rows hold."""
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
        name = object_name(partition, part.receipt.fingerprint)
        added = {"path": in_table(name), "size": part.receipt.bytes, "modificationTime": now}
        added["stats"] = statistics_of(name)
        actions.append({ADD: added | both})
    return actions


def _rows(said: dict[str, Any]) -> int:
    return int(said["rows"] if "rows" in said else json.loads(said["stats"])["numRecords"])
