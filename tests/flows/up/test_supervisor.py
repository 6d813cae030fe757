"""A group of services, with small processes in their place."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from catalog.errors import ServiceError
from flows.environment import UP, api_url_file, prepare
from flows.up.reaper import GRACE, stop_groups
from flows.up.services import Service
from flows.up.supervisor import run_group
from warehouse.files import write_durably
from warehouse.locks import held

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
)


def service(name: str, code: str, answers: Callable[[], bool] = lambda: True, after: tuple[str, ...] = ()) -> Service:
    return Service(name, "a test", (sys.executable, "-c", code), {}, None, answers, after)


def wait_until(true: Callable[[], object]) -> None:
    limit = time.monotonic() + 30
    while not true():
        assert time.monotonic() < limit
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_when_a_service_exits_it_is_named_and_all_are_stopped(tmp_path: Path) -> None:
    started = tmp_path / "pid"
    lives = (
        "import os, pathlib, time\n"
        f"pathlib.Path({str(tmp_path / 'draft')!r}).write_text(str(os.getpid()))\n"
        f"os.replace({str(tmp_path / 'draft')!r}, {str(started)!r})\n"
        "time.sleep(60)"
    )
    exits = "import sys; print('no disk', flush=True); sys.exit(3)"
    lines: list[tuple[str, str]] = []
    with pytest.raises(ServiceError, match="exits exited with code 3, its last lines say why; all services were"):
        run_group(
            [service("lives", lives, started.exists), service("exits", exits, after=("lives",))],
            lambda name, line: lines.append((name, line)),
            lambda: None,
            Event(),
        )
    wait_until(lambda: ("exits", "no disk") in lines)
    assert not is_running(int(started.read_text()))


def test_a_service_starts_when_those_it_depends_on_answer(tmp_path: Path) -> None:
    ready, stop, lines = tmp_path / "ready", Event(), list[str]()
    slow = f"import time, pathlib; pathlib.Path({str(ready)!r}).touch(); time.sleep(60)"
    second = f"import pathlib, time; print(pathlib.Path({str(ready)!r}).exists(), flush=True); time.sleep(60)"
    run_group(
        [service("first", slow, ready.exists), service("second", second, lambda: bool(lines), ("first",))],
        lambda _name, line: lines.append(line),
        stop.set,
        stop,
    )
    assert lines == ["True"]


def test_services_that_stop_when_asked_are_not_waited_for_any_longer() -> None:
    stop, begun = Event(), list[float]()

    def all_answer() -> None:
        begun.append(time.monotonic())
        stop.set()

    sleeps = "import time; time.sleep(60)"
    run_group([service(name, sleeps) for name in ("first", "second", "third")], lambda *_: None, all_answer, stop)
    assert time.monotonic() - begun[0] < GRACE


def test_a_process_that_ignores_the_request_to_stop_is_killed_after_the_grace_period() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "deaf\n"
    stop_groups([process.pid], grace=0.2)
    assert process.wait(timeout=5) == -signal.SIGKILL
    process.stdout.close()


def test_the_reaper_stops_the_groups_when_its_input_ends_and_not_before() -> None:
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    reaper = subprocess.Popen(
        [sys.executable, "-m", "flows.up.reaper"], stdin=subprocess.PIPE, text=True, env=os.environ
    )
    assert reaper.stdin is not None
    reaper.stdin.write(f"{sleeper.pid}\n")
    reaper.stdin.flush()
    wait_until(lambda: ignores_sigterm(reaper.pid))
    reaper.send_signal(signal.SIGTERM)
    with pytest.raises(subprocess.TimeoutExpired):
        reaper.wait(timeout=0.1)
    assert sleeper.poll() is None
    reaper.stdin.close()
    assert sleeper.wait(timeout=10) == -signal.SIGTERM
    assert reaper.wait(timeout=10) == 0


def ignores_sigterm(pid: int) -> bool:
    ignored = next(
        line.split()[1] for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("SigIgn")
    )
    return bool(int(ignored, 16) >> (signal.SIGTERM - 1) & 1)


def test_while_all_services_run_commands_use_their_prefect_server_and_start_no_second_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", {"SHELFPRICE_HOME": str(tmp_path)})
    settings = prepare()
    assert "PREFECT_API_URL" not in os.environ
    with held(settings.locks, UP):
        write_durably(api_url_file(settings), "http://127.0.0.1:4321/api\n")
        prepare()
        assert os.environ["PREFECT_API_URL"] == "http://127.0.0.1:4321/api"
