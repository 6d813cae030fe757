"""Every command ends within three seconds of the first Ctrl-C, says one sentence, and leaves no process."""

import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import pytest
from pressed import SOONEST, Ended, press

from catalog.settings import Settings
from flows.cli.program import NOTHING_CHANGED

pytestmark = pytest.mark.server

LIGHT = (
    ("quote", "--sku", "MILK", "--stock", "8"),
    ("sql", "select count(*) from interactions, range(100000000000)"),
    ("health", "--files"),
    ("champions",),
    ("champions", "--on", "2026-01-05"),
    ("health",),
)
HEAVY = (("demo",), ("simulate", "--days", "400", "--stores", "20"), ("pipeline",))
SIGNALS = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture(scope="module")
def home(sell_two_days: Callable[[Path], Settings], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sell_two_days(tmp_path_factory.mktemp("endings") / "home").home


def ended_at_random(command: tuple[str, ...], number: signal.Signals, home: Path, latest: float) -> Ended:
    """Press at a random moment that lies before a command's own end."""
    while (ended := press(command, home, random.uniform(SOONEST, latest), number)) is None:
        pass
    return ended


def test_commands_that_read_end_at_any_moment(home: Path) -> None:
    pressed = [*product(LIGHT, SIGNALS)] * 2
    ends = [ended_at_random(command, number, home, 0.8) for command, number in pressed]
    assert [ended for ended in ends if not ended.is_good] == []


def test_commands_that_run_flows_end_at_any_moment(tmp_path: Path) -> None:
    pressed = random.sample([*product(HEAVY, SIGNALS)], k=5)
    ends = [ended_at_random(command, number, tmp_path / "home", 5.0) for command, number in pressed]
    assert [ended for ended in ends if not ended.is_good] == []


def test_a_command_that_is_killed_leaves_no_server(tmp_path: Path) -> None:
    ended = press(("simulate", "--days", "400", "--stores", "20"), tmp_path / "home", 3.0, signal.SIGKILL)
    assert ended is not None
    assert ended.stayed == ()


@contextmanager
def begun(program: str) -> Iterator[subprocess.Popen[str]]:
    """Run a program, and go on once it has said that it began."""
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        yield process


DEAF = """
import sys, time
import flows.cli.main
from flows.cli.program import say_when_stopped
def busy():
    say_when_stopped("stopped; what stands is said")
    print("begun", flush=True)
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass  # as a library that swallows what it does not know
flows.cli.main.main = busy
from flows.cli.program import main
main()
"""


@pytest.mark.parametrize("presses", [1, 2])
def test_work_that_swallows_the_interrupt_is_ended_all_the_same(presses: int) -> None:
    with begun(DEAF) as process:
        process.send_signal(signal.SIGINT)
        if presses > 1:
            assert process.stderr is not None
            process.stderr.readline()
            process.send_signal(signal.SIGINT)
        said, complained = process.communicate(timeout=3 if presses == 1 else 1)
    assert process.returncode == 130
    assert said == ""
    assert complained == ("" if presses > 1 else "stopped; what stands is said\n")


LOADING = """
import os, sys, time
from importlib.machinery import ExtensionFileLoader
import flows.cli.main
class Native(ExtensionFileLoader):
    def exec_module(self, module):
        print("begun", flush=True)
        try:
            time.sleep(60)
        except BaseException:
            os.abort()  # as a module in C++ does while it is imported
flows.cli.main.main = lambda: Native("native", "native.so").exec_module(None)
from flows.cli.program import main
main()
"""


def test_an_interrupt_while_native_code_is_imported_is_an_end_like_any_other() -> None:
    with begun(LOADING) as process:
        process.send_signal(signal.SIGINT)
        _, complained = process.communicate(timeout=3)
    assert (process.returncode, complained) == (130, f"{NOTHING_CHANGED}\n")


BEGINNING = """
import os, signal, threading
class Slow(threading.Thread):
    def start(self):
        os.kill(os.getpid(), signal.SIGTERM)
        super().start()
threading.Thread = Slow
from flows.cli.program import main
main()
"""


def test_an_interrupt_while_the_program_begins_is_an_end_like_any_other() -> None:
    done = subprocess.run([sys.executable, "-c", BEGINNING], capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stderr) == (128 + signal.SIGTERM, f"{NOTHING_CHANGED}\n")


def test_a_command_in_the_background_of_a_script_ignores_the_interrupt_as_the_shell_asks() -> None:
    program = """
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
from flows.cli.program import Ending
Ending()
"""
    check = "print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)"
    done = subprocess.run([sys.executable, "-c", program + check], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
