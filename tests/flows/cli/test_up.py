"""The command that runs all services, with small processes in their place."""

import datetime as dt
import os
import signal
import sys
import time
from threading import Thread

import pytest
from shell import Terminal

from catalog.settings import read_settings
from flows.up import services as services_module
from flows.up.services import Service
from warehouse.locks import held
from warehouse.service_states import UP, ServiceState, running_services, write_service_states

SLEEPS = (sys.executable, "-S", "-c", "import time; time.sleep(60)")
EXITS = (sys.executable, "-S", "-c", "print('no disk'); raise SystemExit(3)")


def stand_in(monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]) -> None:
    fake = [Service(name, "a test", command, {}, None, lambda: True) for name in ("one", "two")]
    monkeypatch.setattr(services_module, "services_of", lambda *_: fake)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_all_with_its_code_and_one_sentence(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, number: signal.Signals, code: int
) -> None:
    stand_in(monkeypatch, SLEEPS)
    settings = read_settings({"SHELFPRICE_HOME": str(terminal.home)})
    seen: list[int] = []

    def press() -> None:
        limit = time.monotonic() + 20
        while time.monotonic() < limit:
            running = running_services(settings)
            if running and all(one.condition == "answers" for one in running.services):
                seen.append(running.process)
                break
            time.sleep(0.02)
        os.kill(os.getpid(), number)

    presses = Thread(target=press)
    presses.start()
    answer = terminal("up")
    presses.join()
    assert answer.returncode == code
    assert answer.stderr.splitlines()[-1] == "stopped; everything that was published is kept"
    assert seen == [os.getpid()]
    assert running_services(settings) is None


def test_a_service_that_keeps_failing_is_one_line_that_says_why(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, EXITS)
    answer = terminal("up")
    assert answer.returncode == 1
    last = answer.stderr.splitlines()[-1]
    assert "failed 5 times within 60 s, the last time it exited with code 3: no disk; all services were stopped" in last


def test_a_second_up_says_that_it_runs_already_with_its_addresses_and_process(terminal: Terminal) -> None:
    settings = read_settings({"SHELFPRICE_HOME": str(terminal.home)})
    with held(settings.locks, UP):
        settings.prefect_home.mkdir()
        (settings.prefect_home / "api-url").write_text("http://127.0.0.1:1/api\n")
        assert "is being started" in terminal("up").stderr
        write_service_states(
            settings,
            4711,
            [ServiceState("monitor", "sales", "http://127.0.0.1:18050", "answers", dt.datetime.now(dt.UTC))],
        )
        answer = terminal("up")
    assert answer.returncode == 1
    assert answer.stderr == (
        f"declined: Shelfprice is up already in {settings.home} as process 4711: monitor http://127.0.0.1:18050; "
        "nothing was started: use that one, or stop it with `kill 4711`\n"
    )
