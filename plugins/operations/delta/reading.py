"""Let DuckDB read the objects of a bucket, which it does through a file system of Python, without an extension.

What must hold: an object never changes, since its name says what it holds. So what was read of a name stays right, and
small objects are read whole by one request and kept for a while: DuckDB opens each file twice in one query.
"""

import datetime as dt
import io
from collections import OrderedDict
from threading import Lock
from typing import Any

import obstore
from fsspec import AbstractFileSystem
from obstore.store import ObjectStore, S3Store

from catalog.settings import Settings
from plugins.operations.delta.address import ATTEMPTS, lake_address, retries, store_options

_READ_WHOLE = 8 << 20  # bytes; of larger objects, only what a query needs is read
_KEPT = 64 << 20  # bytes
_NEVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def duckdb_filesystem(settings: Settings) -> "ObjectFiles":
    """Return what `connection.register_filesystem` takes, so that `read_parquet` opens lists of `s3://` addresses.

    It opens addresses that are written out. A pattern finds nothing, for it would also find objects that are not in
    force.
    """
    address = lake_address(settings)
    return ObjectFiles(
        address.bucket, S3Store(address.bucket, retry_config=retries(ATTEMPTS), **store_options(settings))
    )


class ObjectFiles(AbstractFileSystem):  # type: ignore[misc] # it carries no types
    """The objects of a bucket as files that can be read."""

    protocol = "s3"
    cachable = False  # codespell:ignore cachable - fsspec spells it so; two lakes may be in two stores

    def __init__(self, bucket: str, store: ObjectStore) -> None:
        """Open nothing yet."""
        super().__init__()
        self._bucket, self._store = bucket, store
        self._locking = Lock()
        self._whole: OrderedDict[str, bytes] = OrderedDict()  # the one that was asked for last is the last
        self._sizes: dict[str, int] = {}

    def glob(self, path: str, **_options: Any) -> list[str]:
        """Return an address that is written out, where there is an object; nothing for a pattern."""
        try:
            return [] if set(path) & set("*?[") else [str(self.info(path)["name"])]
        except FileNotFoundError:
            return []

    def info(self, path: str, **_options: Any) -> dict[str, Any]:
        """Return the size of an object.

        Raises
        ------
        FileNotFoundError
            When there is none.
        """
        name = self._name(path)
        if name not in self._sizes:
            self._read(name)
        return {"name": path, "size": self._sizes[name], "type": "file"}

    def modified(self, path: str) -> dt.datetime:  # noqa: ARG002 - whichever it is
        """Return one and the same time: objects never change."""
        return _NEVER

    def _open(self, path: str, mode: str = "rb", **_options: Any) -> Any:
        if mode != "rb":
            raise OSError(f"{path}: expected to read, found mode {mode!r}: objects are published by the lake alone")
        name = self._name(path)
        content = self._read(name)
        if content is None:
            return obstore.open_reader(self._store, name, size=self._sizes[name])
        return io.BytesIO(content)

    def _read(self, name: str) -> bytes | None:
        """Return an object whole, None for a large one; its size is known then."""
        with self._locking:
            if name in self._whole:
                self._whole.move_to_end(name)
                return self._whole[name]
            if self._sizes.get(name, 0) > _READ_WHOLE:
                return None
        answer = obstore.get(self._store, name)
        self._sizes[name] = answer.meta["size"]
        if answer.meta["size"] > _READ_WHOLE:
            return None
        content = answer.bytes().to_bytes()
        with self._locking:
            self._whole[name] = content
            while sum(map(len, self._whole.values())) > _KEPT:
                self._whole.popitem(last=False)
        return content

    def _name(self, path: str) -> str:
        return path.removeprefix("s3://").removeprefix(f"{self._bucket}/")
