"""Fail every test that leaves its process otherwise than it found it, and put right what it left.

Tests share a process, so what one of them sets, the next one reads: a suite that must be green in any order needs a
process that is the same before each test. What is watched:

- the environment, the working directory, `sys.path`, `tempfile.tempdir` and the signal handlers;
- the addresses that MLflow keeps for the process, its active run, and Prefect's settings;
- threads that hold up the end of the process, and child processes.

Prefect keeps a thread that tells its server of events, and that draws from the module `random` for its pings. It is
ended before each property test, which fails when `random` changes while it draws.

Settings must be as they were when the tests were collected after each test, whichever fixture changed them. A fixture
of a module or a session may keep threads and processes while its tests run, and none after them. A server that takes
long to start may run to the end of the session, when its fixture says so.
"""

import gc
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

_OF_THE_LIMIT = {signal.SIGALRM}  # set anew for each test, which may take so long and no longer
PATIENCE = 30.0  # seconds for threads and processes that are just ending, on a busy machine
_DRAINED_WITHIN = 5.0  # seconds
_LOOK_EVERY = 0.02  # seconds
_OWN = {
    *("PYTEST_CURRENT_TEST", "PYTEST_VERSION"),  # pytest sets them itself
    *("KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK"),  # scikit-learn sets them when it is imported
    "_RJEM_MALLOC_CONF",  # and Polars
}

KNOWN: frozenset[str] = frozenset()
"""What is put right and not reported: environment variables and calls. Remove a name once nothing sets it."""


KEPT: set[int] = set()
"""Processes that a fixture of the session keeps."""


@dataclass(frozen=True)
class Settings:
    """What a process has set, by name."""

    environ: dict[str, str]
    folder: Path
    path: tuple[str, ...]
    temporary: str | None
    handlers: dict[signal.Signals, Any]
    prefect: Any

    @classmethod
    def now(cls) -> "Settings":
        """Read them."""
        return cls(
            environ={name: value for name, value in os.environ.items() if name not in _OWN},
            folder=Path.cwd(),
            path=tuple(sys.path),
            temporary=tempfile.tempdir,
            handlers={number: signal.getsignal(number) for number in signal.valid_signals() - _OF_THE_LIMIT},
            prefect=_prefect_settings(),
        )

    def changes(self) -> dict[str, str]:
        """Say what is otherwise now, by name."""
        now = Settings.now()
        found = {
            name: f"the environment variable {name} was {_shown(self.environ, name)} and is {_shown(now.environ, name)}"
            for name in sorted(self.environ.keys() | now.environ.keys())
            if self.environ.get(name) != now.environ.get(name)
        }
        if now.folder != self.folder:
            found["os.chdir"] = f"the working directory was {self.folder} and is {now.folder}"
        if now.path != self.path:
            found["sys.path"] = f"sys.path was {list(self.path)} and is {list(now.path)}"
        if now.temporary != self.temporary:
            found["tempfile.tempdir"] = f"tempfile.tempdir was {self.temporary} and is {now.temporary}"
        for number, handler in now.handlers.items():
            if self.handlers[number] != handler:
                found[number.name] = f"the handler of {number.name} was {self.handlers[number]} and is {handler}"
        if now.prefect is not self.prefect and self.prefect is not None:
            found["prefect"] = "Prefect's settings are not those it began with"
        return found | _kept_by_mlflow()

    def restore(self) -> None:
        """Put everything back."""
        for name in os.environ.keys() - self.environ.keys() - _OWN:
            del os.environ[name]
        os.environ.update(self.environ)
        os.chdir(self.folder)
        sys.path[:] = self.path
        tempfile.tempdir = self.temporary
        for number, handler in self.handlers.items():
            if signal.getsignal(number) != handler and handler is not None:
                signal.signal(number, handler)


def _shown(environ: dict[str, str], name: str) -> str:
    return repr(environ[name]) if name in environ else "not set"


def _prefect_settings() -> Any:
    module = sys.modules.get("prefect.context")
    return module.get_settings_context() if module else None


def _kept_by_mlflow() -> dict[str, str]:
    """Say what MLflow keeps for the process, where it was imported; it keeps nothing at first. Make it forget."""
    mlflow, found = sys.modules.get("mlflow"), {}
    if mlflow is None or not hasattr(mlflow, "get_registry_uri"):
        return found
    if mlflow.active_run():
        found["mlflow.start_run"] = f"MLflow's run {mlflow.active_run().info.run_id} was not ended"
        with suppress(mlflow.exceptions.MlflowException):  # its server may be gone; it is forgotten nevertheless
            mlflow.end_run()
    if mlflow.get_registry_uri() != mlflow.get_tracking_uri():
        found["mlflow.set_registry_uri"] = f"MLflow's registry is {mlflow.get_registry_uri()} for the whole process"
        mlflow.set_registry_uri("")
    if mlflow.is_tracking_uri_set():
        found["mlflow.set_tracking_uri"] = f"MLflow's server is {mlflow.get_tracking_uri()} for the whole process"
        mlflow.set_tracking_uri(None)
    return found


def at_work() -> dict[object, str]:
    """Return what this process runs beside itself: threads that hold up its end, and child processes."""
    threads: dict[object, str] = {
        thread: f"the thread {thread.name!r}"
        for thread in threading.enumerate()
        if not thread.daemon and thread is not threading.main_thread()
    }
    return threads | (_children() if _has_children() else {})


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _children() -> dict[object, str]:
    found: dict[object, str] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue  # it has ended
        if parent == os.getpid() and int(folder.name) not in KEPT:
            found[int(folder.name)] = f"the process {folder.name} ({command or 'ended, but never waited for'})"
    return found


def keep_for_the_session() -> None:
    """Let the processes that run now go on until the end of the session, whose fixture ends them."""
    KEPT.update(number for number in _children() if isinstance(number, int))


@contextmanager
def kept_for_the_session() -> Iterator[None]:
    """Let the processes that are started in a block go on after the test that did so; the fixture ends them."""
    before = _children()
    yield
    KEPT.update(number for number in _children() if isinstance(number, int) and number not in before)


def end_prefect_services() -> None:
    """End the threads in which Prefect sends events and logs, where some run; the next event starts them anew."""
    for module, service in (("prefect.events.worker", "EventsWorker"), ("prefect.logging.handlers", "APILogWorker")):
        if module in sys.modules:
            getattr(sys.modules[module], service).drain_all(timeout=_DRAINED_WITHIN, at_exit=False)


def still_at_work(before: dict[object, str]) -> list[str]:
    """Say what was not at work before and does not end soon; processes are killed then."""
    limit = time.monotonic() + PATIENCE
    while left := {one: said for one, said in at_work().items() if one not in before}:
        gc.collect()  # an executor's threads end with it
        if time.monotonic() > limit:
            for number in left:
                if isinstance(number, int):
                    with suppress(ProcessLookupError):
                        os.kill(number, signal.SIGKILL)
            return sorted(left.values())
        time.sleep(_LOOK_EVERY)
    return []


@dataclass
class Watch:
    """Compares the process after each test with what it was before."""

    settings: Settings | None = None
    before_module: dict[object, str] = field(default_factory=dict)
    module: Any = None

    def begins(self, item: pytest.Item) -> None:
        """Note what is there before the fixtures of a test."""
        if self.settings is None:
            self.settings = Settings.now()
        if self.module is not _module(item):
            self.module, self.before_module = _module(item), at_work()

    def ends(self, following: pytest.Item | None) -> list[str]:
        """Say what a test and the fixtures that ended with it left, and put the settings back."""
        if self.settings is None:
            return []
        changes = self.settings.changes()
        if changes:
            self.settings.restore()
        if self.settings.prefect is None:  # imported since
            self.settings = Settings.now()
        left = [said for name, said in changes.items() if name not in KNOWN]
        return left if _module(following) is self.module else left + still_at_work(self.before_module)


def _module(item: pytest.Item | None) -> Any:
    return item.getparent(pytest.Module) if item else None


_WATCH = pytest.StashKey[Watch]()


def pytest_configure(config: pytest.Config) -> None:
    """Begin to watch, with Ctrl-C heard: a script lets what it runs in the background ignore it, and so would children.

    Tests send it to what they start, and wait for the end.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.stash[_WATCH] = Watch()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """Look before any fixture of a test is made."""
    if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
        end_prefect_services()
    item.config.stash[_WATCH].begins(item)
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Look after the last fixture of a test has ended."""
    try:
        return (yield)
    finally:
        _refuse(item.config.stash[_WATCH].ends(nextitem))


@pytest.fixture(autouse=True)
def _ends_what_it_starts() -> Iterator[None]:
    """Fail a test whose own threads and processes outlive it, while its module goes on."""
    before = at_work()
    yield
    _refuse(still_at_work(before))


def _refuse(left: list[str]) -> None:
    if left:
        listed = "\n".join(f"- {one}" for one in left)
        pytest.fail(
            f"expected the process to be as before the test, found\n{listed}\n"
            "The next test would begin with it. Set it through monkeypatch, or end it in a fixture.",
            pytrace=False,
        )
