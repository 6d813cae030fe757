"""How a command ends when it is told to: within three seconds of the first Ctrl-C, with one sentence.

What the lake holds bears a kill at any moment, so a command need not finish anything. A thread waits for the signal,
because the main thread may be deep in work that no signal interrupts, such as training. It says the sentence at once
and silences the rest. The main thread then has two seconds to unwind, for example to tell Prefect that its run ended;
after that, or at a second Ctrl-C, the process is over.
"""

import atexit
import os
import select
import signal
import sys
from contextlib import suppress
from importlib.machinery import ExtensionFileLoader
from threading import Event, Lock, Thread
from types import FrameType

GRACE = 2.0  # seconds
_TOLD_WITHIN = 0.5  # seconds
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SHOW_CURSOR = b"\r\x1b[2K\x1b[?25h"  # a progress bar may have hidden it

NOTHING_CHANGED = "stopped; nothing was changed"

_RUNNING: "list[Ending]" = []
"""The ending of this process, where it is the program; none in a test that calls a command."""


def say_when_stopped(sentence: str) -> None:
    """Say this from now on when the process is stopped: what stands, and what goes on at the next run."""
    for ending in _RUNNING:
        ending.sentence = sentence


def leave_the_end_to_the_command() -> None:
    """Let the command that runs end by handlers of its own."""
    for ending in _RUNNING:
        ending.release()


class Ending:
    """The end of this process, from the moment that somebody asks for it.

    Attributes
    ----------
    code
        Exit code of a process that ends by itself.
    sentence
        What is said then: nothing was changed, until a command begins and says otherwise.
    """

    def __init__(self) -> None:
        self.code = 0
        self.sentence = NOTHING_CHANGED
        self._asked_by: int | None = None  # number of the signal
        self._is_released = False
        self._lock, self._told = Lock(), Event()
        self._heard_before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        self._read, write = os.pipe()
        os.set_blocking(write, False)
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup, or in the background of a script
                signal.signal(number, self._interrupt)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)  # it is written to whatever the main thread does
        Thread(target=self._wait, daemon=True).start()
        _RUNNING.append(self)

    def hear(self) -> None:
        """Hear signals from now on, also one that came since this was made: the caller handles the interrupt."""
        signal.pthread_sigmask(signal.SIG_SETMASK, self._heard_before)

    def release(self) -> None:
        """Leave the end to a command that has handlers of its own and ends in time."""
        self._is_released = True

    def leave_if_asked(self, within: float = 0.0) -> None:
        """End the process now if it was asked to end, whatever still runs.

        Parameters
        ----------
        within
            Seconds for a signal that interrupted the main thread to be noticed here.
        """
        if self._told.wait(within) and self._asked_by is not None:
            os._exit(128 + self._asked_by)

    def leave(self) -> None:
        """End a process that is done, before Python takes itself apart: a signal would end that without a word."""
        self.leave_if_asked()
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):  # its reader has left, or it is closed
                stream.flush()
        os._exit(self.code)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        """Unwind the main thread, once; its own handlers may be gone or replaced meanwhile."""
        for other in _SIGNALS:
            signal.signal(other, signal.SIG_IGN if signal.getsignal(other) is signal.SIG_IGN else _do_nothing)
        self._tell(number)
        if _is_loading_native_code(frame):
            os._exit(128 + number)
        raise KeyboardInterrupt

    def _wait(self) -> None:
        number = self._next_signal()
        self._tell(number)
        select.select([self._read], [], [], GRACE)
        os._exit(128 + number)

    def _next_signal(self) -> int:
        while (number := os.read(self._read, 1)[0]) not in _SIGNALS or self._is_released:
            pass
        return number

    def _tell(self, number: int) -> None:
        """Say the sentence, and let nothing be printed after it."""
        if not self._lock.acquire(blocking=False):
            self._told.wait(_TOLD_WITHIN)  # the other thread tells
            return
        self._asked_by = number
        before = _SHOW_CURSOR if sys.stderr.isatty() else b""
        terminal, silence = os.dup(2), os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        with suppress(OSError):  # its reader may have left
            os.write(terminal, before + f"{self.sentence}\n".encode())
        self._told.set()


def _is_loading_native_code(frame: FrameType | None) -> bool:
    """Whether a module in C or C++ is being imported; some, such as DuckDB's, abort when an exception meets them."""
    while frame is not None:
        if isinstance(frame.f_locals.get("self"), ExtensionFileLoader):
            return True
        frame = frame.f_back
    return False


def _do_nothing(_number: int, _frame: FrameType | None) -> None:
    """Let a further signal reach the thread alone."""


_NOTICED_WITHIN = 0.5  # seconds


def main() -> None:
    """Run the command line, and end when told to."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # matrices are small: threads for them only wait for each other
    ending = Ending()
    atexit.register(ending.leave)  # registered first, so it comes last
    try:
        ending.hear()
        from flows.cli.main import main as run

        run()
    except SystemExit as ended:
        ending.code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        raise
    except BaseException:
        ending.code = 1
        ending.leave_if_asked(_NOTICED_WITHIN)
        raise
    finally:
        ending.leave_if_asked()
