"""A group of services, with small processes in their place."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from catalog.errors import ServiceError
from flows.environment import UP, api_url_file, prepare
from flows.up.reaper import end_groups
from flows.up.services import Service
from flows.up.supervisor import run_group
from warehouse.files import write_durably
from warehouse.locks import held

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
)


def service(name: str, code: str, answers: Callable[[], bool] = lambda: True, after: tuple[str, ...] = ()) -> Service:
    return Service(name, "a test", (sys.executable, "-c", code), {}, None, answers, after)


def test_a_service_that_ends_by_itself_takes_the_others_with_it_and_is_named(tmp_path: Path) -> None:
    number = tmp_path / "number"
    lives = f"import os, pathlib, time; pathlib.Path({str(number)!r}).write_text(str(os.getpid())); time.sleep(60)"
    ends = (
        "import pathlib, sys, time; print('no disk', flush=True)\n"
        f"while not pathlib.Path({str(number)!r}).exists(): time.sleep(.01)\n"
        "sys.exit(3)"
    )
    lines: list[tuple[str, str]] = []
    with pytest.raises(ServiceError, match="ends ended with code 3"):
        run_group(
            [service("lives", lives), service("ends", ends)],
            lambda name, line: lines.append((name, line)),
            lambda: None,
            Event(),
        )
    assert ("ends", "no disk") in lines
    with pytest.raises(ProcessLookupError):
        os.kill(int(number.read_text()), 0)


def test_a_service_starts_when_those_it_stands_on_answer(tmp_path: Path) -> None:
    ready, stop, lines = tmp_path / "ready", Event(), list[str]()
    slow = f"import time, pathlib; time.sleep(.5); pathlib.Path({str(ready)!r}).touch(); time.sleep(60)"
    second = f"import pathlib, time; print(pathlib.Path({str(ready)!r}).exists(), flush=True); time.sleep(60)"
    run_group(
        [service("first", slow, ready.exists), service("second", second, lambda: bool(lines), ("first",))],
        lambda _name, line: lines.append(line),
        stop.set,
        stop,
    )
    assert lines == ["True"]


def test_a_process_that_does_not_listen_is_killed_after_the_patience() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "deaf\n"
    end_groups([process.pid], patience=0.2)
    assert process.wait(timeout=5) == -signal.SIGKILL
    process.stdout.close()


def test_the_guardian_ends_the_groups_when_its_input_ends() -> None:
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    guardian = subprocess.Popen(
        [sys.executable, "-m", "flows.up.reaper"], stdin=subprocess.PIPE, text=True, env=os.environ
    )
    assert guardian.stdin is not None
    guardian.stdin.write(f"{sleeper.pid}\n")
    guardian.stdin.flush()
    with pytest.raises(subprocess.TimeoutExpired):
        sleeper.wait(timeout=0.3)
    guardian.stdin.close()
    assert sleeper.wait(timeout=10) == -signal.SIGTERM
    assert guardian.wait(timeout=10) == 0


def test_while_everything_is_up_commands_use_its_orchestrator_and_no_second_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", {"SHELFPRICE_HOME": str(tmp_path)})
    settings = prepare()
    assert "PREFECT_API_URL" not in os.environ
    with held(settings.locks, UP):
        write_durably(api_url_file(settings), "http://127.0.0.1:4321/api\n")
        prepare()
        assert os.environ["PREFECT_API_URL"] == "http://127.0.0.1:4321/api"
