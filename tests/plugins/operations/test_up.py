"""The command that runs all services, with small processes in their place."""

import datetime as dt
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from threading import Thread

import pytest
from shell import Terminal

from catalog.settings import Settings, read_settings
from plugins.operations.commands import services as up_module
from plugins.operations.up import services as services_module
from plugins.operations.up.services import Service
from plugins.operations.up.states import ServiceState, running_services, write_service_states
from warehouse.commits.locks import UP, held

pytestmark = pytest.mark.server

SLEEPS = (sys.executable, "-S", "-c", "import time; time.sleep(60)")
CHATTERS = (sys.executable, "-S", "-c", "import time\nwhile True: print('x' * 100, flush=True); time.sleep(0.01)")
EXITS = (sys.executable, "-S", "-c", "print('no disk'); raise SystemExit(3)")


def stand_in(monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], *, answers: bool = True) -> None:
    fake = [Service(name, "a test", command, {}, None, lambda: answers) for name in ("one", "two")]
    monkeypatch.setattr(services_module, "services_of", lambda *_: fake)


@pytest.fixture
def hang_up() -> Iterator[Callable[[signal.Handlers], object]]:
    """Return what sets how this process takes SIGHUP, until the test ends."""
    before = signal.getsignal(signal.SIGHUP)
    yield lambda handler: signal.signal(signal.SIGHUP, handler)
    signal.signal(signal.SIGHUP, before)


def press(settings: Settings, number: signal.Signals, when: Callable[[], bool]) -> None:
    """Send this process a signal once something is true while `up` runs in it."""
    limit = time.monotonic() + 120
    while time.monotonic() < limit and not when():
        time.sleep(0.02)
    assert running_services(settings) is not None  # and it hears the signal, not the tests
    os.kill(os.getpid(), number)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_all_with_its_code_and_one_sentence(
    terminal: Terminal,
    monkeypatch: pytest.MonkeyPatch,
    hang_up: Callable[[signal.Handlers], object],
    number: signal.Signals,
    code: int,
) -> None:
    stand_in(monkeypatch, SLEEPS)
    hang_up(signal.SIG_DFL)
    settings = read_settings({"SHELFPRICE_HOME": str(terminal.home)})
    seen: list[int] = []

    def all_answer() -> bool:
        running = running_services(settings)
        if not running or any(one.condition != "answers" for one in running.services):
            return False
        seen.append(running.process)
        return True

    presses = Thread(target=lambda: press(settings, number, all_answer))
    presses.start()
    answer = terminal("up")
    presses.join()
    assert answer.returncode == code
    assert answer.stderr.splitlines()[-1] == "stopped; everything that was published is kept"
    assert seen == [os.getpid()]
    assert running_services(settings) is None


def test_under_nohup_the_end_of_the_terminal_ends_nothing(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, hang_up: Callable[[signal.Handlers], object]
) -> None:
    stand_in(monkeypatch, SLEEPS)
    hang_up(signal.SIG_IGN)
    settings = read_settings({"SHELFPRICE_HOME": str(terminal.home)})

    def hung_up_before() -> bool:
        if running_services(settings) is None:
            return False
        os.kill(os.getpid(), signal.SIGHUP)
        return True

    presses = Thread(target=lambda: press(settings, signal.SIGTERM, hung_up_before))
    presses.start()
    assert terminal("up").returncode == 143
    presses.join()


def test_the_services_go_on_when_whoever_read_the_log_has_left(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, CHATTERS)
    settings, said = read_settings({"SHELFPRICE_HOME": str(terminal.home)}), list[str]()

    def leave(text: str) -> None:
        said.append(text)
        if len(said) > 1:
            raise SystemExit(1)  # as rich does

    monkeypatch.setattr(up_module, "remark", leave)
    presses = Thread(target=lambda: press(settings, signal.SIGTERM, lambda: len(said) > 100))
    presses.start()
    answer = terminal("up")
    presses.join()
    assert answer.returncode == 143
    assert not [line for line in said if "exited" in line]


def test_a_service_that_keeps_failing_is_one_line_that_says_why(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, EXITS, answers=False)  # what it says before an answer would be forgotten with it
    answer = terminal("up")
    assert answer.returncode == 1
    last = answer.stderr.splitlines()[-1]
    assert "failed 5 times within 60 s, the last time it exited with code 3: no disk; all services were stopped" in last


def test_a_second_up_says_that_it_runs_already_with_its_addresses_and_process(terminal: Terminal) -> None:
    settings = read_settings({"SHELFPRICE_HOME": str(terminal.home)})
    with held(settings.locks, UP):
        settings.prefect_home.mkdir()
        (settings.prefect_home / "api-url").write_text("http://127.0.0.1:1/api\n")
        assert "are being started by another `shelfprice up`" in terminal("up").stderr
        write_service_states(
            settings,
            4711,
            [ServiceState("monitor", "sales", "http://127.0.0.1:18050", "answers", dt.datetime.now(dt.UTC))],
        )
        answer = terminal("up")
    assert answer.returncode == 1
    assert answer.stderr == (
        f"declined: the services of {settings.home} are running already, as process 4711, with the monitor at "
        "http://127.0.0.1:18050; nothing was started: open it, or stop them with Ctrl-C where they were started or "
        "with `kill 4711`\n"
    )


def test_reset_removes_what_up_left(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, EXITS)
    assert terminal("up").returncode == 1
    assert (terminal.home / "services.json").exists()
    assert terminal("token", "add", "till-7", "--scope", "read").returncode == 0
    for made in ("api", "dask", "spill"):  # by the quote API's tokens, by Dask's workers, by a query that was killed
        (terminal.home / made).mkdir(exist_ok=True)
    assert terminal("reset", "--yes").returncode == 0
    assert not terminal.home.exists()
