"""`python -m bench.endings`: end many commands at random moments, in every way, and see what each says and leaves.

By default 50 commands are told to end, by Ctrl-C or SIGTERM. With `--kill` they are killed or end by themselves, and
what counts is that no process stays. `--at-once 10` keeps the machine busy.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

COMMANDS: Mapping[tuple[str, ...], float] = {
    ("demo",): 40.0,
    ("simulate", "--days", "400", "--stores", "20"): 25.0,
    ("transform",): 8.0,
    ("train",): 20.0,
    ("price",): 10.0,
    ("pipeline", "--days", "9"): 30.0,
    ("compare", "--seeds", "20"): 20.0,
    ("live", "--speed", "10"): 15.0,
    ("backfill", "--start", "2026-01-05", "--days", "3"): 20.0,
    ("quote", "--sku", "MILK", "--stock", "8"): 2.0,
    ("sql", "select count(*) from interactions i, range(100000000000)"): 6.0,
    ("verify",): 2.0,
    ("monitor", "--port", "18050"): 6.0,
}
"""Commands that are told to end, and the seconds until then at most."""

SHORT: Mapping[tuple[str, ...], float] = {("simulate",): 12.0, ("transform",): 8.0}
"""Commands that are killed, or end by themselves."""

WITHIN = 3.0  # seconds
SOONEST = 0.15  # seconds; before that Python itself is not ready
_AT_ITS_END = 0.5  # seconds that Python takes to leave
_MOST = 120.0  # seconds to wait for an end
_GONE_WITHIN = 10.0  # seconds


@dataclass(frozen=True)
class Ended:
    """How one command ended: seconds from the signal to its end, and what it said after it; no signal: by itself."""

    command: tuple[str, ...]
    after: float
    number: signal.Signals | None
    seconds: float
    code: int
    said: tuple[str, ...]
    stayed: tuple[str, ...]

    @property
    def is_told(self) -> bool:
        """Whether it ended in time, with one sentence and the right code.

        A signal that comes before the program's first line ends Python itself, which says nothing.
        """
        if self.number is None:
            return self.code == 0
        if self.number == signal.SIGKILL or (self.code == -self.number and not self.said):
            return True
        is_sentence = len(self.said) == 1 and self.said[0].startswith("stopped; ")
        return is_sentence and self.seconds <= WITHIN and self.code == 128 + self.number

    @property
    def is_good(self) -> bool:
        """Whether it ended well and no process stayed."""
        return self.is_told and not self.stayed


def press(command: tuple[str, ...], home: Path, after: float, number: signal.Signals | None) -> Ended | None:
    """Start a command, ask it to end after some seconds, and return how it ended; None when it was done before.

    Parameters
    ----------
    number
        Signal that asks, to the process and its children, as a terminal does; SIGKILL to the process alone. With None
        the command ends by itself.
    """
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "flows", *command],
            env=_environment(home),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        if number is not None:
            time.sleep(after)
            if process.poll() is not None:
                return None
        before = os.fstat(output.fileno()).st_size
        if number == signal.SIGKILL:
            process.kill()
        elif number is not None:
            os.killpg(process.pid, number)
        start = time.monotonic()
        try:
            code = process.wait(_MOST)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        seconds = time.monotonic() - start
        stayed = _wait_for_the_rest(home)
        output.seek(before)
        said = tuple(line for line in output.read().decode(errors="replace").splitlines() if line.strip())
    if number is not None and code >= 0 and not said and seconds < _AT_ITS_END:
        return None  # it was just ending by itself
    return Ended(command, after, number, seconds, code, said, stayed)


def _environment(home: Path) -> dict[str, str]:
    """Return what a shell would hand over, without the Prefect server of the tests."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    return {**own, "SHELFPRICE_HOME": str(home), "PYTHONUNBUFFERED": "1"}


def _wait_for_the_rest(home: Path) -> tuple[str, ...]:
    limit = time.monotonic() + _GONE_WITHIN
    while (found := processes_of(home)) and time.monotonic() < limit:
        time.sleep(0.05)
    return found


def processes_of(home: Path) -> tuple[str, ...]:
    """Return the commands of the processes that live in a home, whoever started them."""
    wanted = f"SHELFPRICE_HOME={home}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append(f"{folder.name} " + (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue  # it has ended, or is somebody else's
    return tuple(found)


def main() -> None:
    """End commands, and print a row for each; exit 1 when one did not end well."""
    parser = argparse.ArgumentParser(prog="python -m bench.endings", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="home with a champion, as `shelfprice demo` leaves it")
    parser.add_argument("--ends", type=int, default=50, help="how many commands to end")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--at-once", type=int, default=1, help="how many commands run at the same time")
    parser.add_argument("--kill", action="store_true", help="kill them, or let them end by themselves")
    given = parser.parse_args()
    rng = random.Random(given.seed)  # noqa: S311 - moments, not secrets
    commands = SHORT if given.kill else COMMANDS
    numbers = [signal.SIGKILL, signal.SIGTERM, None] if given.kill else [signal.SIGINT, signal.SIGINT, signal.SIGTERM]
    lot = [
        (*rng.choice(list(commands.items())), rng.random(), numbers[end % len(numbers)]) for end in range(given.ends)
    ]
    ended = []
    with ThreadPoolExecutor(given.at_once) as pool:
        for one in pool.map(lambda drawn: _end_one(given.home, *drawn), lot):
            ended.append(one)
            _show(one)
    good = sum(one.is_good for one in ended)
    print(
        f"{good} of {len(ended)} ended well; the slowest took {max(one.seconds for one in ended if one.number):.2f} s"
    )
    sys.exit(good != len(ended))


def _end_one(
    prepared: Path, command: tuple[str, ...], latest: float, when: float, number: signal.Signals | None
) -> Ended:
    """End one command in a home of its own, sooner when it was done before the moment that was drawn."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        if command[0] not in {"demo", "pipeline"}:
            shutil.copytree(prepared, home)
        after = SOONEST + when * (latest - SOONEST)
        while (ended := press(command, home, after, number)) is None:
            after *= 0.7
        return ended


def _show(ended: Ended) -> None:
    mark, how = "  " if ended.is_good else "!!", ended.number.name if ended.number else "by itself"
    said = " | ".join(ended.said)[:160] if ended.number in {signal.SIGINT, signal.SIGTERM} else ""
    what = " ".join(ended.command)[:40]
    print(f"{mark} {ended.after:6.2f} s {how:9} {ended.seconds:6.2f} s {ended.code:4} {what:40} {said}", *ended.stayed)


if __name__ == "__main__":
    main()
