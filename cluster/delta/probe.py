"""Try out whether an object store keeps its word on conditional writes, for everything else rests on it.

Some servers take the conditions and ignore them: two who commit at once would then both be told that they did. What one
writer can find out is tried by every process, for a store may have been swapped. The race of many, which holds some
servers up for seconds, is remembered for some days in a note that names the server.
"""

import datetime as dt
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from uuid import uuid4

from catalog.errors import LakeError
from cluster.delta.objects import Objects

FOLDER = "probes"
_NOTE = f"{FOLDER}/raced.json"
_REMEMBERED_FOR = dt.timedelta(days=7)
_AT_ONCE = 8
_NO_VERSION = '"0123456789abcdef0123456789abcdef"'


def probe(objects: Objects) -> None:
    """Try conditional writes, and take away what was written for that.

    Raises
    ------
    LakeError
        When the store ignores a condition, is absent or refuses.
    """
    place = f"{FOLDER}/{uuid4().hex}"
    single, raced, again = f"{place}/single", f"{place}/raced", f"{place}/again-raced"
    fault = _fault_alone(objects, single)
    if not fault and not _is_remembered(objects):
        fault = _fault_at_once(objects, raced, again)
        if not fault:
            said = {"server": objects.server, "at": dt.datetime.now(dt.UTC).isoformat()}
            objects.write(_NOTE, json.dumps(said).encode())
    with suppress(LakeError) if fault else nullcontext():
        objects.remove([single, raced, again])
    if fault:
        raise LakeError(
            f"{objects.address.text}: expected an object store that keeps its word on conditional writes, found that "
            f"{fault}; nothing was published, for two who commit at once would destroy each other's work: use another "
            "store, or a newer version of this one"
        )


def _fault_alone(objects: Objects, name: str) -> str | None:
    """Return the first fault of one writer's requests; each is made only when those before were answered rightly."""
    versions: list[str] = []

    def _names_a_version() -> bool:
        found = objects.state(name)
        versions.append(found.version if found else "")
        return bool(versions[0])

    requests: tuple[tuple[Callable[[], bool], str], ...] = (
        (lambda: objects.create(name, b"first"), "it refuses to create an object that is not there"),
        (lambda: not objects.create(name, b"second"), "it created one object twice"),
        (_names_a_version, "it gives an object no ETag"),
        (lambda: not objects.replace(name, b"stale", _NO_VERSION), "it replaced an object whose ETag was another one"),
        (lambda: objects.replace(name, b"third", versions[0]), "it refuses to replace an object of the ETag named"),
        (lambda: not objects.replace(name, b"late", versions[0]), "it replaced an object whose ETag had changed"),
        (lambda: objects.read(name) == b"third", "it returns other bytes than were written last"),
    )
    return next((fault for is_kept, fault in requests if not is_kept()), None)


def _fault_at_once(objects: Objects, name: str, again: str) -> str | None:
    """Return the fault of many writers at once.

    They may hold a store up for longer than a request waits. So where one got no answer, they try once more.
    """
    with suppress(LakeError):
        return _fault_in_race(objects, name)
    return _fault_in_race(objects, again)


def _fault_in_race(objects: Objects, name: str) -> str | None:
    with ThreadPoolExecutor(_AT_ONCE) as writers:
        created = sum(writers.map(lambda number: objects.create(name, f"{number}".encode()), range(_AT_ONCE)))
    return None if created == 1 else f"of {_AT_ONCE} who created one object at once, {created} were told that they did"


def _is_remembered(objects: Objects) -> bool:
    """Tell whether this server was raced some days ago at most."""
    try:
        said = json.loads(objects.read(_NOTE) or b"{}")
        age = dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(said["at"])
    except (ValueError, TypeError, KeyError):
        return False
    return said.get("server") == objects.server and dt.timedelta() <= age <= _REMEMBERED_FOR
