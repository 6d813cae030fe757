"""Whoever is killed, nothing stays: not of the services, not of what they started."""

import itertools
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from plugins.operations.up.child_process import _WRAPPER as WRAPPER
from plugins.operations.up.child_process import ChildProcess

pytestmark = pytest.mark.server

ROOT = Path(__file__).parents[4]
FAKE = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(90)"], stdin=subprocess.DEVNULL)
time.sleep(90)
"""
UP = """
import sys
from plugins.operations.up.services import Service
from plugins.operations.up.supervisor import Patience, Stop, run_group
services = [
    Service(name, "a test", (sys.executable, "-S", sys.argv[1], name), {}, None, lambda: True)
    for name in ("one", "two")
]
run_group(services, lambda *_: None, lambda: None, Stop(), patience=Patience(failures=99, longest_pause=0.05))
"""
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
)
VICTIMS = ("up", "a wrapper", "a service", "all wrappers")
ORDERS = [order for n in (1, 2) for order in itertools.permutations(VICTIMS, n)]
ALL = 7  # up, and for each of two services its wrapper, itself and what it started


@dataclass
class House:
    """A small `up` with two services that start a process each."""

    mark: str
    process: subprocess.Popen[bytes]

    def living(self) -> dict[int, str]:
        """Return every process of it, with its command line."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if f"HOUSE={self.mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                    found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue  # it has ended, or is not ours
        return {number: command for number, command in found.items() if command}

    def victims(self, victim: str) -> list[int]:
        living = self.living()
        wrappers = [number for number, command in living.items() if "plugins/operations/up/child_process.py" in command]
        services = [number for number, command in living.items() if " one " in command and number not in wrappers]
        return {
            "up": [self.process.pid],
            "a wrapper": [number for number in wrappers if " one " in living[number]],
            "a service": services,
            "all wrappers": wrappers,
        }[victim]

    def kill(self, victim: str) -> None:
        for number in self.victims(victim):
            with suppress(ProcessLookupError):  # a kill before this one may end it first
                os.kill(number, signal.SIGKILL)
        if victim == "up":
            self.process.wait(timeout=10)


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Callable[[], House]]:
    houses: list[House] = []
    (tmp_path / "fake.py").write_text(FAKE)

    def one_more() -> House:
        mark = f"{tmp_path}-{len(houses)}"
        command = (sys.executable, "-c", UP, str(tmp_path / "fake.py"))
        houses.append(House(mark, subprocess.Popen(command, env={**os.environ, "HOUSE": mark})))
        return houses[-1]

    yield one_more
    for house in houses:
        house.process.kill()
        house.process.wait(timeout=10)
        for number in house.living():
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)


def is_whole_again(house: House, before: set[int]) -> bool:
    living = house.living()
    return len(living) == ALL and len(living.keys() - before) >= 3


def wait_until(true: Callable[[], object], patience: float = 30.0) -> None:
    limit = time.monotonic() + patience
    while not true():
        assert time.monotonic() < limit
        time.sleep(0.02)


def test_when_up_is_among_the_killed_nothing_stays_whatever_the_order(build: Callable[[], House]) -> None:
    orders = [order for order in ORDERS if "up" in order]
    houses = [build() for _ in orders]
    for house in houses:
        wait_until(partial(is_whole_again, house, set()))
    for house, order in zip(houses, orders, strict=True):
        for victim in order:
            house.kill(victim)
    wait_until(lambda: not any(house.living() for house in houses), 10)


def test_while_up_lives_what_was_killed_is_started_again_whatever_the_order(build: Callable[[], House]) -> None:
    house = build()
    for order in [order for order in ORDERS if "up" not in order]:
        wait_until(lambda: len(house.living()) == ALL)
        before = set(house.living())
        for victim in order:
            house.kill(victim)
        wait_until(partial(is_whole_again, house, before), 10)
    house.kill("up")
    wait_until(lambda: not house.living(), 10)


def test_up_kills_what_a_service_left_whose_wrapper_could_not_do_it_any_more(build: Callable[[], House]) -> None:
    house = build()
    wait_until(partial(is_whole_again, house, set()))
    before = set(house.living())
    (wrapper,) = house.victims("a wrapper")
    os.kill(wrapper, signal.SIGSTOP)
    house.kill("a service")
    os.kill(wrapper, signal.SIGKILL)
    wait_until(partial(is_whole_again, house, before), 10)
    assert len(set(house.living()) & before) == ALL - 3


def test_a_killed_wrapper_takes_its_command_with_it_even_when_nobody_is_left_to_notice(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    code = (
        "import os, subprocess, sys, pathlib, time\n"
        "sleeps = [sys.executable, '-S', '-c', 'import time; time.sleep(60)']\n"
        "child = subprocess.Popen(sleeps, stdin=subprocess.DEVNULL)\n"
        f"pathlib.Path({str(pids)!r}).write_text(f'{{os.getpid()}} {{child.pid}} ')\n"
        "time.sleep(60)\n"
    )
    told, wrapper_end = os.pipe()
    command = (*WRAPPER, str(wrapper_end), sys.executable, "-S", "-c", code)
    wrapper = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=(wrapper_end,))
    os.close(wrapper_end)
    wait_until(lambda: pids.exists() and pids.read_text().endswith(" "))
    wrapper.kill()
    wrapper.wait(timeout=10)
    wait_until(lambda: not any(is_running(int(pid)) for pid in pids.read_text().split()), 5)
    assert wrapper.stdin is not None
    wrapper.stdin.close()
    os.close(told)


def test_a_wrapper_whose_starter_ended_before_it_began_ends_its_command() -> None:
    told, wrapper_end = os.pipe()
    os.close(told)
    sleeps = (sys.executable, "-S", "-c", "import time; time.sleep(60)")
    command = (*WRAPPER, str(wrapper_end), *sleeps)
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, pass_fds=(wrapper_end,)
    ) as wrapper:
        os.close(wrapper_end)
        assert wrapper.wait(timeout=10) == 128 + signal.SIGTERM
        assert wrapper.stderr is not None
        assert wrapper.stderr.read() == b""


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def ended(process: ChildProcess) -> int:
    wait_until(lambda: process.poll() is not None)
    code = process.poll()
    assert code is not None
    return code


@pytest.mark.parametrize(
    ("code", "expected"),
    [("raise SystemExit(3)", 3), ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 128 + 9)],
)
def test_the_exit_code_is_the_commands(code: str, expected: int) -> None:
    assert ended(ChildProcess((sys.executable, "-S", "-c", code), {}, lambda _line: None)) == expected


def test_a_command_that_is_not_there_is_said_in_one_line() -> None:
    process = ChildProcess(("/nowhere/at-all",), {}, lambda _line: None)
    assert ended(process) == 127
    assert process.last_lines == "/nowhere/at-all: No such file or directory"


def test_the_last_lines_are_kept_short_and_a_reader_who_leaves_stops_nothing() -> None:
    def leave(_line: str) -> None:
        raise BrokenPipeError

    code = "[print('x' * 500, n) for n in range(2000)]; print(); print('no disk')"
    process = ChildProcess((sys.executable, "-S", "-c", code), {}, leave)
    assert ended(process) == 0
    assert process.last_lines.endswith("x 1999 / no disk")
    assert len(process.last_lines) <= 300


def test_what_it_wrote_after_a_moment_is_kept_when_what_it_wrote_before_is_forgotten_later(tmp_path: Path) -> None:
    go, read = tmp_path / "go", list[str]()
    waits = f"import pathlib, time\nwhile not pathlib.Path({str(go)!r}).exists(): time.sleep(0.01)"
    code = f"print('banner', flush=True)\n{waits}\nprint('no disk')"
    process = ChildProcess((sys.executable, "-S", "-c", code), {}, read.append)
    limit = time.monotonic() + 60
    while not read and time.monotonic() < limit:
        time.sleep(0.01)
    moment = time.monotonic()
    go.touch()
    assert ended(process) == 0
    process.forget_lines(before=moment)
    assert process.last_lines == "no disk"


def test_what_an_exited_command_left_running_is_asked_to_end_before_it_is_killed(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    left = (
        "import pathlib, signal, time\n"
        f"signal.signal(signal.SIGTERM, lambda *_: pathlib.Path({str(asked)!r}).touch())\n"
        "print('ready', flush=True)\n"
        "while True: time.sleep(60)\n"
    )
    code = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-S', '-c', {left!r}], stdout=subprocess.PIPE)\n"
        "child.stdout.readline(); print(child.pid)\n"
    )
    lines: list[str] = []
    process = ChildProcess((sys.executable, "-S", "-c", code), {}, lines.append)
    assert ended(process) == 0
    wait_until(lambda: not is_running(int(lines[0])), 5)
    assert asked.exists()


def test_where_the_kernel_cannot_kill_the_group_of_a_killed_wrapper_its_starter_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    elsewhere = f"import fcntl, runpy; del fcntl.F_SETSIG; runpy.run_path({WRAPPER[-1]!r}, run_name='__main__')"
    monkeypatch.setattr("plugins.operations.up.child_process._WRAPPER", (sys.executable, "-c", elsewhere))
    code = "import os, time; print(os.getppid(), os.getpid(), flush=True); time.sleep(60)"
    lines: list[str] = []
    process = ChildProcess((sys.executable, "-S", "-c", code), {}, lines.append)
    wait_until(lambda: lines)
    wrapper, command = map(int, lines[0].split())
    os.kill(wrapper, signal.SIGKILL)
    assert ended(process) == -signal.SIGKILL
    wait_until(lambda: not is_running(command), 5)


def test_asked_to_end_a_command_that_is_deaf_to_it_is_killed_after_the_grace_period() -> None:
    lines: list[str] = []
    process = ChildProcess((sys.executable, "-S", "-c", STUBBORN), {}, lines.append)
    wait_until(lambda: lines == ["deaf"])
    process.ask_to_end()
    assert ended(process) == 128 + signal.SIGKILL


def test_a_wrapper_that_is_asked_to_end_ends_its_command() -> None:
    told, wrapper_end = os.pipe()
    code = "import time; print('up', flush=True); time.sleep(60)"
    command = (*WRAPPER, str(wrapper_end), sys.executable, "-S", "-c", code)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=(wrapper_end,)) as wrapper:
        os.close(wrapper_end)
        assert wrapper.stdout is not None
        assert wrapper.stdout.readline() == b"up\n"
        wrapper.send_signal(signal.SIGTERM)
        assert wrapper.wait(timeout=10) == 128 + signal.SIGTERM
    os.close(told)


def test_a_killed_starter_takes_its_command_with_it_while_another_child_of_it_holds_the_pipe_open(
    tmp_path: Path,
) -> None:
    pids = tmp_path / "pids"
    code = (
        "import os, pathlib, sys, time\n"
        "from plugins.operations.up.child_process import ChildProcess\n"
        "child = ChildProcess((sys.executable, '-S', '-c', 'import time; time.sleep(60)'))\n"
        "other = os.fork()\n"
        f"other and pathlib.Path({str(pids)!r}).write_text(f'{{child.pid}} {{other}} ')\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen((sys.executable, "-c", code), env={**os.environ, "PYTHONPATH": str(ROOT)}) as starter:
        wait_until(lambda: pids.exists() and pids.read_text().endswith(" "))
        command, other = map(int, pids.read_text().split())
        starter.kill()
    try:
        wait_until(lambda: not is_running(command), 10)
        assert is_running(other)
    finally:
        os.kill(other, signal.SIGKILL)


def test_a_command_inherits_the_descriptors_that_it_is_passed_and_the_wrapper_keeps_none() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            code = f"import os, time; os.write({theirs.fileno()}, b'here'); os.close({theirs.fileno()}); time.sleep(60)"
            process = ChildProcess((sys.executable, "-S", "-c", code), pass_fds=(theirs.fileno(),))
        with process:
            ours.settimeout(30)
            assert ours.recv(10) == b"here"
            assert ours.recv(10) == b""
    assert process.poll() == 128 + signal.SIGTERM
