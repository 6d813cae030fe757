"""Fail every test that leaves its process otherwise than it found it, and put right what it left.

Tests share a process, so what one of them sets, the next one reads. What is watched: the environment, the working
directory, `sys.path`, `tempfile.tempdir`, signal handlers, the addresses and the run that MLflow keeps for the process,
Prefect's settings, threads that hold up the end of the process, and child processes.

Settings must be as they were when the first test began, whichever fixture changed them. A fixture of a module may keep
threads and processes while its tests run. A server that takes long to start may run to the end of the session, when
its fixture says so.
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
from pathlib import Path
from typing import Any

import pytest

PATIENCE = 30.0  # seconds for threads and processes that are just ending, on a busy machine
_OF_THE_LIMIT = {signal.SIGALRM}  # set anew for each test, which may take so long and no longer
_OWN = {
    *("PYTEST_CURRENT_TEST", "PYTEST_VERSION"),  # pytest sets them itself
    *("KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK", "_RJEM_MALLOC_CONF"),  # scikit-learn and Polars, when imported
}
_DRAW_AT_RANDOM = (("prefect.events.worker", "EventsWorker"), ("prefect.logging.handlers", "APILogWorker"))
KEPT: set[object] = set()
"""Processes that a fixture of the session keeps."""
_FIRST: dict[str, Any] = {}
"""What was set before the first test."""
_OF_MODULE: list[Any] = [None, {}]
"""The module whose tests run, and what was at work before it."""


def settings_now() -> dict[str, Any]:
    """Return what this process has set, by name."""
    found: dict[str, Any] = {f"${name}": value for name, value in os.environ.items() if name not in _OWN}
    found |= {"working directory": Path.cwd(), "sys.path": tuple(sys.path), "tempfile.tempdir": tempfile.tempdir}
    found |= {number.name: signal.getsignal(number) for number in set(signal.Signals) - _OF_THE_LIMIT}
    if prefect := sys.modules.get("prefect.context"):
        found["Prefect's settings"] = prefect.get_settings_context()
    return found


def restore(before: dict[str, Any]) -> None:
    """Put everything back, but Prefect's settings, which end with their block."""
    environ = {name.removeprefix("$"): value for name, value in before.items() if name.startswith("$")}
    for name in os.environ.keys() - environ.keys() - _OWN:
        del os.environ[name]
    os.environ.update(environ)
    os.chdir(before["working directory"])
    sys.path[:] = before["sys.path"]
    tempfile.tempdir = before["tempfile.tempdir"]
    for number in set(signal.Signals) - _OF_THE_LIMIT:
        if signal.getsignal(number) != before[number.name] and before[number.name] is not None:
            signal.signal(number, before[number.name])


def forget_mlflow() -> list[str]:
    """Make MLflow forget what it keeps for the process, where it was imported, and say what that was."""
    mlflow, found = sys.modules.get("mlflow"), []
    if mlflow is None or not hasattr(mlflow, "get_registry_uri"):
        return []
    if mlflow.active_run():
        found.append(f"MLflow's run {mlflow.active_run().info.run_id} was not ended")
        with suppress(mlflow.exceptions.MlflowException):  # its server may be gone; it is forgotten nevertheless
            mlflow.end_run()
    if mlflow.is_tracking_uri_set() or mlflow.get_registry_uri() != mlflow.get_tracking_uri():
        found.append(f"MLflow's servers are {mlflow.get_tracking_uri()}, {mlflow.get_registry_uri()} for the process")
        mlflow.set_registry_uri("")
        mlflow.set_tracking_uri(None)
    return found


def at_work() -> dict[object, str]:
    """Return what this process runs beside itself: threads that hold up its end, and child processes."""
    found: dict[object, str] = {
        thread: f"the thread {thread.name!r}"
        for thread in threading.enumerate()
        if not thread.daemon and thread is not threading.main_thread()
    }
    for tasks in Path("/proc/self/task").glob("*/children"):
        numbers: list[int] = []
        with suppress(OSError):  # the thread may have ended
            numbers += map(int, tasks.read_text().split())
        for number in numbers:
            with suppress(OSError):  # it may have ended
                command = Path(f"/proc/{number}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                if "multiprocessing.resource_tracker" in command:
                    continue  # Python's own: one for the process, until its end
                found[number] = f"the process {number} ({command.strip() or 'ended, but never waited for'})"
    return {one: said for one, said in found.items() if one not in KEPT}


@contextmanager
def kept_for_the_session() -> Iterator[None]:
    """Let the processes that are started in a block go on until the end of the session, whose fixture ends them."""
    before = at_work()
    yield
    KEPT.update(at_work().keys() - before.keys())


def keep_for_the_session() -> None:
    """Let the processes that run now go on until the end of the session, whose fixture ends them."""
    KEPT.update(one for one in at_work() if isinstance(one, int))


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
        time.sleep(0.02)
    return []


def pytest_configure() -> None:
    """Hear Ctrl-C: a script lets what it runs in the background ignore it, and so would children."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """Look before any fixture of a test is made; nothing of Prefect's may draw random numbers in a property test."""
    if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
        for module, service in (
            ("prefect.events.worker", "EventsWorker"),
            ("prefect.logging.handlers", "APILogWorker"),
        ):
            if module in sys.modules:
                getattr(sys.modules[module], service).drain_all(timeout=5.0, at_exit=False)
    if not _FIRST:
        _FIRST.update(settings_now())
    if _OF_MODULE[0] is not (module := item.getparent(pytest.Module)):
        _OF_MODULE[:] = module, at_work()
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Look after the last fixture of a test has ended."""
    try:
        return (yield)
    finally:
        now = settings_now()
        _FIRST.setdefault("Prefect's settings", now.get("Prefect's settings"))  # imported since
        if _FIRST["Prefect's settings"] is None:
            del _FIRST["Prefect's settings"]
        names = sorted(name for name in _FIRST.keys() | now.keys() if _FIRST.get(name) != now.get(name))
        left = [f"{name} was {_FIRST.get(name)!r} and is {now.get(name)!r}" for name in names] + forget_mlflow()
        if names:
            restore(_FIRST)
        following = nextitem.getparent(pytest.Module) if nextitem else None
        _refuse(left if following is _OF_MODULE[0] else left + still_at_work(_OF_MODULE[1]))


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
