"""Objects by name under one prefix of a bucket: a thin layer over obstore.

What must hold: an object that is created appears whole and at once, and of many who create one name, one does. That
comes from the server's conditional writes, which `refuse_careless` tries.
"""

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    NotFoundError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import ObjectStore, S3Store

from catalog.errors import LakeError, first_line
from catalog.settings import Settings
from plugins.operations.delta.address import ATTEMPTS, LakeAddress, lake_address, retries, server_of, store_options

if TYPE_CHECKING:
    from obstore import ObjectMeta

Content = bytes | memoryview

PROBES = "probes"
"""The folder of objects by which a store is tried out."""

_KEYS = "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
_REFUSALS = {
    "RequestTimeTooSkewed": "its clock and this machine's are too far apart: set this machine's",
    "ExpiredToken": f"our key has expired: {_KEYS}, and AWS_SESSION_TOKEN",
    "403 Forbidden": f"it refuses our key or what we asked for: {_KEYS}",
    "401 Unauthorized": f"it refuses our key or what we asked for: {_KEYS}",
}
"""Why a store refuses, by what its answer holds; the first that fits counts."""
_BRANCH = re.compile(r"\x1b\[\d*m|↳")  # how delta-rs shows what an error came from
_AT_ONCE = 500  # names that one request removes at most, half of what S3 takes


@dataclass(frozen=True)
class ObjectState:
    """An object as it stands.

    Attributes
    ----------
    name
        Below the prefix of the lake.
    version
        The server's ETag: another one after each write of other bytes.
    changed_at
        When it was written last (UTC), in whole seconds in a bucket.
    """

    name: str
    bytes: int
    version: str
    changed_at: dt.datetime


class Objects:
    """The objects of a lake in a bucket."""

    def __init__(self, address: LakeAddress, server: str, store: ObjectStore, once: ObjectStore) -> None:
        """Open nothing yet; `once` is the same store without retries, where a lost answer would mislead."""
        self.address, self.server, self._store, self._once = address, server, store, once

    def create(self, name: str, content: Content) -> bool:
        """Write an object unless one has this name; return whether it was written.

        Raises
        ------
        LakeError
            When the store is absent or refuses; whether the object is there is not known then.
        """
        try:
            with self._told(name):
                obstore.put(self._once, name, content, mode="create")
        except (AlreadyExistsError, PreconditionError):
            return False
        return True

    def write(self, name: str, content: Content) -> None:
        """Write an object, over one that stands there."""
        with self._told(name):
            obstore.put(self._store, name, content, use_multipart=False)

    def replace(self, name: str, content: Content, version: str) -> bool:
        """Write an object over a known version of it, and tell whether that was the one that stood there."""
        try:
            with self._told(name):
                obstore.put(self._once, name, content, mode={"e_tag": version})
        except (AlreadyExistsError, PreconditionError, FileNotFoundError, NotFoundError):
            return False
        return True

    def read(self, name: str) -> bytes | None:
        """Return the bytes of an object; None when there is none."""
        content = self.read_with_state(name)
        return content and content[0]

    def read_with_state(self, name: str) -> tuple[bytes, ObjectState] | None:
        """Return the bytes of an object and the state they are of; None when there is none."""
        try:
            with self._told(name):
                answer = obstore.get(self._store, name)
                return answer.bytes().to_bytes(), _state(answer.meta)
        except (FileNotFoundError, NotFoundError):
            return None

    def state(self, name: str) -> ObjectState | None:
        """Return how an object stands; None when there is none."""
        try:
            with self._told(name):
                return _state(obstore.head(self._store, name))
        except (FileNotFoundError, NotFoundError):
            return None

    def under(self, folder: str) -> Iterator[ObjectState]:
        """Yield every object below a folder, in no order; those of the whole lake for an empty one."""
        with self._told(folder):
            for some in obstore.list(self._store, folder or None):
                yield from map(_state, some)

    def directly_in(self, folder: str) -> tuple[list[ObjectState], list[str]]:
        """Return the objects of a folder itself, and the names of the folders in it."""
        with self._told(folder):
            listing = obstore.list_with_delimiter(self._store, folder or None)
        objects = map(_state, listing["objects"])  # some servers list an empty folder as an object of its name
        return [name for name in objects if name.name != folder], list(listing["common_prefixes"])

    def remove(self, names: Sequence[str]) -> None:
        """Remove objects; those that are not there do no harm."""
        for first in range(0, len(names), _AT_ONCE):
            some = list(names[first : first + _AT_ONCE])
            try:
                with self._told(some[0]):
                    obstore.delete(self._store, some)
            except (FileNotFoundError, NotFoundError):
                continue

    @contextmanager
    def _told(self, name: str) -> Iterator[None]:
        """Turn what the store refuses into one line; what is an answer (there, not there) stays as it is."""
        try:
            yield
        except (AlreadyExistsError, PreconditionError):
            raise
        except (FileNotFoundError, NotFoundError) as error:
            if "NoSuchBucket" in str(error):
                raise self.refused(error) from error
            raise
        except (BaseError, OSError) as error:
            raise self.refused(error, name) from error

    def refused(self, error: BaseException, name: str = "") -> LakeError:
        """Return an error of one line that says where the store is and why it refused; it holds no secret."""
        text = str(error)
        remedy = next((why for sign, why in _REFUSALS.items() if sign in text), None)
        if remedy is None and isinstance(error, PermissionDeniedError | UnauthenticatedError):
            remedy = _REFUSALS["403 Forbidden"]
        if remedy is not None:
            why = remedy
        elif "NoSuchBucket" in text:
            why = f"it has no bucket {self.address.bucket!r}: create it, or set SHELFPRICE_LAKE to one that is there"
        else:
            why = f"it does not answer as it should ({_cause_of(error)}): start it or mend it, and run again"
        where = f"{self.address.text}, {name}" if name else self.address.text
        return LakeError(f"{where}: expected an object store at {self.server}; {why}")


@dataclass(frozen=True)
class ObjectNotes:
    """Small texts by name, one object each; see `warehouse.stores.protocol.Notes`."""

    objects: Objects

    def where(self, name: str) -> str:
        """Return the address of a note."""
        return self.objects.address.of(name)

    def read(self, name: str) -> str | None:
        """Return a note, or None when there is none."""
        content = self.objects.read(name)
        return None if content is None else content.decode()

    def write(self, name: str, text: str) -> None:
        """Write a note whole or not at all, over one that stands there."""
        self.objects.write(name, text.encode())

    def create(self, name: str, text: str) -> bool:
        """Write a note unless there is one, and tell whether we did: of many who try at once, one does."""
        return self.objects.create(name, text.encode())

    def move(self, name: str, to: str) -> bool:
        """Give a note another name; False when there is none of the first name.

        For an instant it has both names. A pending record of what is in force already asks for nothing to be done.
        """
        content = self.objects.read(name)
        if content is None:
            return False
        self.objects.write(to, content)
        self.objects.remove([name])
        return True

    def remove(self, name: str) -> None:
        """Remove a note; does nothing when there is none."""
        self.objects.remove([name])

    def names(self, folder: str) -> list[str]:
        """Return the whole names of the notes directly in a folder, ascending."""
        listed, _ = self.objects.directly_in(folder)
        return sorted(entry.name for entry in listed)

    def changed_at(self, name: str) -> int:
        """Return when a note was written last, nanoseconds since 1970; 0 when there is none."""
        state = self.objects.state(name)
        return round(state.changed_at.timestamp() * 1e6) * 1000 if state else 0


def refuse_careless(objects: Objects) -> None:
    """Refuse a store that ignores conditions, as some servers do: two who commit at once would both be told they did.

    Raises
    ------
    LakeError
        When the store ignores a condition, is absent or refuses.
    """
    name = f"{PROBES}/{uuid4().hex}"
    fault = _fault_of(objects, name)
    with suppress(LakeError) if fault else nullcontext():
        objects.remove([name])
    if fault:
        raise LakeError(
            f"{objects.address.text}: expected an object store that keeps its word on conditional writes, found that "
            f"{fault}; nothing was published, for two who commit at once would destroy each other's work: use another "
            "store, or a newer version of this one"
        )


def _fault_of(objects: Objects, name: str) -> str | None:
    """Return the first fault; each request is made only when those before were answered rightly."""
    if not objects.create(name, b"first"):
        return "it refuses to create an object that is not there"
    if objects.create(name, b"second"):
        return "it created one object twice"
    state = objects.state(name)
    version = state.version if state else ""
    if objects.replace(name, b"stale", '"0123456789abcdef0123456789abcdef"'):
        return "it replaced an object whose ETag was another one"
    if not objects.replace(name, b"third", version):
        return "it refuses to replace an object of the ETag named"
    if objects.replace(name, b"late", version):
        return "it replaced an object whose ETag had changed"
    return None if objects.read(name) == b"third" else "it returns other bytes than were written last"


def open_objects(settings: Settings) -> Objects:
    """Return the objects of the lake that the settings name."""
    address = lake_address(settings)
    options, prefix = store_options(settings), address.prefix or None
    store, once = (
        S3Store(address.bucket, prefix=prefix, retry_config=retries(attempts), **options) for attempts in (ATTEMPTS, 0)
    )
    return Objects(address, server_of(settings), store, once)


def _cause_of(error: BaseException) -> str:
    """Return what an error of obstore or delta-rs says in one line: of a tree of causes, the last."""
    causes = [cause for line in str(error).splitlines() if (cause := _BRANCH.sub("", line).strip())]
    return causes[-1][:200] if "↳" in str(error) else first_line(error).split("<?xml")[0].rstrip(" :")


def _state(meta: "ObjectMeta") -> ObjectState:
    return ObjectState(meta["path"], meta["size"], meta["e_tag"] or "", meta["last_modified"])
