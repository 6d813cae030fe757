"""What a process that is to be disturbed runs first: it counts what the process does to its home, and disturbs it.

Counted are operations on files under `SHELFPRICE_HOME`, Parquet files that are written, commits of databases, and calls
that change MLflow's registry. Lock files are left out, for they hold nothing. Nothing of the product is changed: the
functions of the standard library and of the other packages are wrapped, in this process alone.
"""

import ctypes
import datetime as dt
import errno
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Kind = Literal["none", "count", "kill", "full"]

_FILE_OPERATIONS = ("replace", "rename", "link", "unlink", "remove", "mkdir", "rmdir")
_CHANGES_THE_REGISTRY = ("create_", "set_", "update_", "delete_", "log_", "finalize_")
WRITES = {"open", "parquet", "fsync", "mkdir", "link", "commit"}
"""Operations that fail on a full disk."""
TWO_MOMENTS = {"replace", "rename", "link", "parquet"}
"""Operations that are also killed right after; of a Parquet file, half is there then."""


@dataclass(frozen=True)
class Fault:
    """What is done to a process: at which operation, from 1, right before or right after it, and to its clock."""

    kind: Kind = "none"
    at: int = 0
    after: bool = False
    clock: float = 0.0


class Injection:
    """Counts the operations of this process, and kills it or fills its disk at one of them."""

    def __init__(self, fault: Fault, home: Path, log: Path) -> None:
        self._fault, self._home = fault, f"{home}{os.sep}"
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._count, self._lock, self._own = 0, threading.Lock(), threading.local()
        self._wrapped: set[str] = set()

    def install(self) -> None:
        """Begin; there is no end but that of the process."""
        for name in _FILE_OPERATIONS:
            setattr(os, name, self._of_file(name, getattr(os, name)))
        os.fsync = self._of_descriptor(os.fsync)
        sys.addaudithook(self._on_audit)
        self._wrap_what_is_imported()

    def happens(self, kind: str, what: str) -> bool:
        """Count one operation that is about to happen; return whether the process is to be killed right after it."""
        with self._lock:
            self._count += 1
            number = self._count
            fault = self._fault
            is_here = number == fault.at
            if fault.kind == "count" or (is_here and fault.kind != "none"):
                os.write(self._log, f"{number}\t{kind}\t{what.replace(self._home, '')}\n".encode())
            if is_here and fault.kind == "kill" and not fault.after:
                _die()
        if fault.kind == "full" and number >= fault.at and kind in WRITES:
            raise _no_space(kind, what)
        return is_here and fault.kind == "kill"

    def _of_file(self, name: str, act: Callable[..., Any]) -> Callable[..., Any]:
        def counted(path: Any, *arguments: Any, **options: Any) -> Any:
            places = [self._place(one) for one in (path, *arguments[:1]) if isinstance(one, str | os.PathLike)]
            at_home = [place for place in places if place]
            if not at_home or (name == "mkdir" and os.path.isdir(at_home[0])):  # noqa: PTH112 - called for every file
                return act(path, *arguments, **options)
            dies = self.happens(name, " -> ".join(at_home))
            done = act(path, *arguments, **options)
            if dies:
                _die()
            return done

        return counted

    def _of_descriptor(self, act: Callable[[int], None]) -> Callable[[int], None]:
        def counted(descriptor: int) -> None:
            with self._unseen():
                place = self._place(os.readlink(f"/proc/self/fd/{int(descriptor)}"))  # noqa: PTH115 - of a descriptor
            dies = bool(place) and self.happens("fsync", str(place))
            act(descriptor)
            if dies:
                _die()

        return counted

    def _on_audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event != "open" or getattr(self._own, "unseen", False):
            return
        self._wrap_what_is_imported()
        path, mode, flags = arguments
        is_written = any(letter in mode for letter in "wax+") if mode else bool(flags & (os.O_WRONLY | os.O_RDWR))
        place = self._place(path) if is_written and isinstance(path, str | os.PathLike) else None
        if place and os.path.isdir(os.path.dirname(place)):  # noqa: PTH112, PTH120 - called for every file
            try:
                dies = self.happens("open", place)
            except OSError:
                with self._unseen():  # the name is there, and nothing in it
                    os.close(os.open(place, os.O_WRONLY | os.O_CREAT, 0o600))
                raise
            if dies:
                _die()

    def _wrap_what_is_imported(self) -> None:
        """Wrap what has been imported by now, as early as it can be."""
        for module, wrap in (
            ("pyarrow.parquet", self._wrap_parquet),
            ("sqlalchemy.engine", self._wrap_commits),
            ("mlflow.tracking.client", self._wrap_registry),
        ):
            if module in sys.modules and module not in self._wrapped and wrap(sys.modules[module]):
                self._wrapped.add(module)

    def _wrap_parquet(self, module: Any) -> bool:
        write = getattr(module, "write_table", None)
        if write is None:
            return False

        def counted(table: Any, where: Any, *arguments: Any, **options: Any) -> Any:
            place = self._place(where)
            dies = bool(place) and self.happens("parquet", str(place))
            done = write(table, where, *arguments, **options)
            if dies:
                os.truncate(where, os.stat(where).st_size // 2)  # noqa: PTH116
                _die()
            return done

        module.write_table = counted
        return True

    def _wrap_commits(self, module: Any) -> bool:
        if not hasattr(module, "Engine") or "sqlalchemy.event" not in sys.modules:
            return False

        def before_commit(connection: Any) -> None:
            file = str(connection.engine.url.database or "")
            if self._place(file) and self.happens("commit", file):
                connection.connection.commit()  # the driver's own
                _die()

        sys.modules["sqlalchemy.event"].listen(module.Engine, "commit", before_commit)
        return True

    def _wrap_registry(self, module: Any) -> bool:
        client = getattr(module, "MlflowClient", None)
        if client is None or not hasattr(client, "set_terminated"):
            return False
        for name, act in list(vars(client).items()):
            if name.startswith(_CHANGES_THE_REGISTRY) and callable(act):
                setattr(client, name, self._of_registry(name, act))
        return True

    def _of_registry(self, name: str, act: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **options: Any) -> Any:
            dies = self.happens("mlflow", name)
            done = act(*arguments, **options)
            if dies:
                _die()
            return done

        return counted

    def _place(self, path: Any) -> str | None:
        """Return where a path is when that is in the home and no lock."""
        place = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - links are not followed
        return place if place.startswith(self._home) and not place.endswith(".lock") else None

    def _unseen(self) -> "_Unseen":
        return _Unseen(self._own)


class _Unseen:
    """While it is entered, what this thread opens is not counted."""

    def __init__(self, own: threading.local) -> None:
        self._own = own

    def __enter__(self) -> None:
        self._own.unseen = True

    def __exit__(self, *_: object) -> None:
        self._own.unseen = False


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)  # for the signal to arrive


def _no_space(kind: str, what: str) -> Exception:
    if kind == "commit":
        import sqlite3

        return sqlite3.OperationalError("database or disk is full")
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), what)


def move_clock(seconds: float) -> None:
    """Let this process read a clock that is off by some seconds.

    The class `datetime` stays what it is, for libraries that are imported later derive their own from it, and only its
    `now` is another one. `today` asks `time.time`.
    """
    now, now_ns = time.time, time.time_ns
    of_class: dict[str, Any] = gc.get_referents(dt.datetime.__dict__)[0]  # what the read-only view is of
    real = of_class["now"]

    def moved(cls: type[dt.datetime], tz: dt.tzinfo | None = None) -> dt.datetime:
        there: dt.datetime = real.__get__(None, cls)(tz) + dt.timedelta(seconds=seconds)
        return there

    time.time = lambda: now() + seconds
    time.time_ns = lambda: now_ns() + round(seconds * 1e9)
    of_class["now"] = classmethod(moved)
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(dt.datetime))


def disturb(fault: Fault, home: Path, log: Path) -> None:
    """Let a fault come over this process."""
    if fault.clock:
        move_clock(fault.clock)
    if fault.kind != "none":
        Injection(fault, home, log).install()
