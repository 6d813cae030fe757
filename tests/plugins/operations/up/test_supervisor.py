"""A group of services, with small processes in their place."""

import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Thread

import pytest

from catalog.addresses import Address
from catalog.errors import ServiceError
from flows.environment import api_url_file, prepare
from plugins.operations.up.child_process import GRACE
from plugins.operations.up.services import Service
from plugins.operations.up.states import ServiceState
from plugins.operations.up.supervisor import Patience, Stop, run_group
from warehouse.commits.locks import UP, held
from warehouse.files import write_durably

pytestmark = pytest.mark.server

SLEEPS = "import time; time.sleep(60)"
EXITS = "import sys; print('no disk', flush=True); sys.exit(3)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
QUICK = Patience(first_pause=0.01, longest_pause=0.01)


def service(
    name: str,
    code: str,
    answers: Callable[[], bool] = lambda: True,
    after: tuple[str, ...] = (),
    address: Address | None = None,
) -> Service:
    return Service(name, "a test", (sys.executable, "-S", "-c", code), {}, address, answers, after)


def wait_until(true: Callable[[], object]) -> None:
    limit = time.monotonic() + 120
    while not true():
        assert time.monotonic() < limit
        time.sleep(0.01)


@dataclass
class Ran:
    """What a group said while it ran, and how its services were."""

    lines: list[tuple[str, str]] = field(default_factory=list)
    states: list[tuple[ServiceState, ...]] = field(default_factory=list)
    stop: Stop = field(default_factory=Stop)
    error: ServiceError | None = None

    def run(
        self,
        services: Sequence[Service],
        until: Callable[[], object],
        patience: Patience = QUICK,
        all_answer: Callable[[], None] = lambda: None,
    ) -> "Ran":
        """Run services until something is true, or they give up."""

        def record(states: Sequence[ServiceState]) -> None:
            self.states.append(tuple(states))

        def go() -> None:
            try:
                run_group(services, lambda *said: self.lines.append(said), all_answer, self.stop, record, patience)
            except ServiceError as error:
                self.error = error

        group = Thread(target=go)
        group.start()
        try:
            wait_until(lambda: until() or not group.is_alive())
        finally:
            self.stop.hear(signal.SIGTERM)
            group.join()
        return self

    def said(self, name: str) -> list[str]:
        return [line for one, line in self.lines if one == name]

    def told(self, name: str) -> list[str]:
        """Return the lines that say why a service is started again."""
        return [line for line in self.said(name) if "; it is started again in " in line]

    def all_said(self, line: str, services: int) -> bool:
        """Tell whether so many services have said this line."""
        return [said for _, said in self.lines].count(line) == services

    def conditions(self, name: str) -> list[str]:
        found = [state.condition for states in self.states for state in states if state.name == name]
        return [one for n, one in enumerate(found) if n == 0 or found[n - 1] != one]


def test_a_service_that_exits_is_started_again_and_told_while_the_others_run_on(tmp_path: Path) -> None:
    once, starts = tmp_path / "once", tmp_path / "starts"
    fails_once = (
        f"import pathlib, sys, time\nif not pathlib.Path({str(once)!r}).exists():\n"
        f" pathlib.Path({str(once)!r}).touch(); print('no disk', flush=True); sys.exit(3)\nprint('again', flush=True)\n"
        "time.sleep(60)"
    )
    lives = f"import time\nwith open({str(starts)!r}, 'a') as file: file.write('x')\ntime.sleep(60)"
    ran = Ran()
    first = service("exits", fails_once, lambda: "again" in ran.said("exits"))
    ran.run([first, service("lives", lives, starts.exists, ("exits",))], starts.exists)
    assert ran.said("exits") == [
        "no disk",
        "exited with code 3: no disk; it is started again in 0.01 s",
        "again",
        "answers again",
    ]
    assert starts.read_text() == "x"
    assert ran.conditions("exits") == ["starting", "restarting", "answers"]
    newest = ran.states[-1][0]
    assert (newest.reason, len(newest.restarts)) == ("exited with code 3: no disk", 1)
    assert newest.since >= newest.restarts[-1]


def test_those_that_depend_on_a_killed_service_run_on(tmp_path: Path) -> None:
    pid, starts, ran = tmp_path / "pid", tmp_path / "starts", Ran()
    base = f"import os, time\nwith open({str(pid)!r}, 'a') as file: file.write(f'{{os.getpid()}}\\n')\ntime.sleep(60)"
    lives = f"import time\nwith open({str(starts)!r}, 'a') as file: file.write('x')\ntime.sleep(60)"

    def kill_once() -> None:
        wait_until(starts.exists)
        os.kill(int(pid.read_text()), signal.SIGKILL)

    ran.run(
        [service("base", base, pid.exists), service("second", lives, after=("base",))],
        lambda: "answers again" in ran.said("base"),
        all_answer=kill_once,
    )
    assert ran.told("base")[0] == "exited with code 137 (SIGKILL); it is started again in 0.01 s"
    assert starts.read_text() == "x"
    assert ran.conditions("second") == ["starting", "answers"]


def test_after_five_failures_within_a_minute_all_end_with_the_reason(tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    counted = f"open({str(starts)!r}, 'a').write('x')\n{EXITS}"
    never_answers = service("exits", counted, lambda: False)  # what it says before an answer would be forgotten with it
    ran = Ran().run([service("lives", SLEEPS), never_answers], lambda: False)
    assert str(ran.error) == (
        "exits failed 5 times within 60 s, the last time it exited with code 3: no disk; all services were stopped: "
        "mend what that says, then run `shelfprice up` again"
    )
    assert starts.read_text() == "xxxxx"
    assert ran.conditions("lives") == ["starting", "answers"]


def test_a_service_that_never_answers_in_five_starts_ends_all_however_slowly_it_fails() -> None:
    slow = Patience(window=0.0, first_pause=0.01, longest_pause=0.01)
    ran = Ran().run([service("exits", EXITS, lambda: False)], lambda: False, slow)
    assert str(ran.error).startswith("exits failed 5 times in a row, the last time it exited with code 3: no disk;")


def test_pauses_double_up_to_the_longest_and_begin_anew_once_it_ran_well(tmp_path: Path) -> None:
    starts, ran = tmp_path / "starts", Ran()
    fifth_runs_well = (
        f"import time\nwith open({str(starts)!r}, 'a') as file: file.write('x')\n"
        f"if len(open({str(starts)!r}).read()) == 5: time.sleep(1.5)\nraise SystemExit(3)"
    )
    patience = Patience(well=0.4, failures=9, first_pause=0.01, longest_pause=0.04)

    def is_fifth() -> bool:
        return starts.exists() and starts.read_text() == "xxxxx"

    ran.run([service("exits", fifth_runs_well, is_fifth)], lambda: len(ran.told("exits")) > 5, patience)
    pauses = [line.rpartition(" in ")[2] for line in ran.told("exits")[:6]]
    assert pauses == ["0.01 s", "0.02 s", "0.04 s", "0.04 s", "0.01 s", "0.02 s"]


def test_a_service_that_never_begins_to_answer_counts_as_failed() -> None:
    patience = Patience(start=0.3, failures=2, first_pause=0.01)
    ran = Ran().run([service("mute", SLEEPS, lambda: False)], lambda: False, patience)
    assert str(ran.error).startswith("mute failed 2 times within 60 s, the last time it did not answer for 0 s;")


def test_a_port_that_somebody_took_in_between_is_said_and_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        address = Address("127.0.0.1", stranger.getsockname()[1], "SOME_ADDRESS")
        ran = Ran()
        taken = f"found 127.0.0.1:{address.port} in use by another program; it is started again in 0.01 s"
        ran.run([service("late", SLEEPS, address=address)], lambda: taken in ran.said("late") and not stranger.close())
    assert ran.said("late")[0] == taken
    ran = Ran()
    ran.run([service("late", SLEEPS, address=address)], lambda: "answers" in ran.conditions("late"))
    assert ran.said("late") == ["answers"]


def test_a_service_is_asked_until_it_answers_and_is_ready_and_one_that_raises_does_not_answer() -> None:
    asked: list[bool] = []

    def answers() -> bool:
        asked.append(True)
        if len(asked) == 1:
            raise RuntimeError
        return True

    late = replace(service("late", SLEEPS, answers), is_ready=lambda: len(asked) > 2)
    ran = Ran()
    ran.run([late], lambda: ran.said("late"))
    assert ran.said("late") == ["answers"]
    assert len(asked) == 3


def test_a_service_starts_when_those_it_depends_on_answer(tmp_path: Path) -> None:
    ready, ran = tmp_path / "ready", Ran()
    slow = f"import time, pathlib; pathlib.Path({str(ready)!r}).touch(); time.sleep(60)"
    second = f"import pathlib, time; print(pathlib.Path({str(ready)!r}).exists(), flush=True); time.sleep(60)"
    ran.run(
        [service("second", second, after=("first",)), service("first", slow, ready.exists)],
        lambda: {"True", "False"} & {*ran.said("second")},
    )
    assert "True" in ran.said("second")


def test_services_that_stop_when_asked_are_not_waited_for_any_longer() -> None:
    ran, begun = Ran(), list[float]()
    ran.run([service(name, SLEEPS) for name in ("one", "two")], lambda: begun, all_answer=lambda: begun.append(now()))
    assert now() - begun[0] < GRACE


def test_those_that_are_deaf_to_the_request_are_killed_within_three_seconds_and_at_once_by_a_second_one() -> None:
    ran = Ran()
    ran.run([service(name, DEAF) for name in ("one", "two")], lambda: ran.all_said("deaf", 2))
    begun = ran.stop._asked_at
    assert GRACE <= now() - begun < 3.5
    ran = Ran()

    def press_twice() -> bool:
        if not ran.all_said("deaf", 2):
            return False
        ran.stop.hear(signal.SIGINT)
        time.sleep(0.4)
        return True

    ran.run([service(name, DEAF) for name in ("one", "two")], press_twice)
    assert now() - ran.stop._asked_at < GRACE
    assert ran.stop.number == signal.SIGINT


def test_a_signal_that_arrives_twice_at_once_is_one_press() -> None:
    stop = Stop()
    stop.hear(signal.SIGHUP)
    stop.hear(signal.SIGTERM)
    assert (stop.number, stop.is_urgent) == (signal.SIGHUP, False)


def now() -> float:
    return time.monotonic()


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
