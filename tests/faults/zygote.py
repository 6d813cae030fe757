"""A process that has imported everything and forks a child for each job, so that a job begins at once.

It starts no thread before it forks. Jobs come as a line of JSON on standard input, several in a line run at once, and
what became of them goes back as a line of JSON. Run it as `python -m tests.faults.zygote`; `Zygote` speaks to it.
"""

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.child import Fault, disturb

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 600.0  # seconds for one job, on a busy machine
DECLINED, BROKEN = 3, 4  # exit codes of a child: refused on purpose; an error that nobody foresaw
_POLL = 0.005  # seconds
_IMPORTS = (
    "scipy.special",  # skops looks for its functions in all modules, the first first
    "mlflow.pyfunc",
    "mlflow.sklearn",
    "mlflow.tracking.client",
    "mlflow.store.model_registry.sqlalchemy_store",
    "mlflow.store.tracking.sqlalchemy_store",
    "pyarrow.pandas_compat",
    "skops.io",
    "flows.environment",
    "flows.workspace",
    "flows.runs",
    "plugins.own_store.history.ingest",
    "training.backfill",
    "training.night",
    "training.fit.session",
    "serving.book.make",
    "warehouse.checks.proof",
    "tests.faults.commands",
)


@dataclass(frozen=True)
class Job:
    """One step in a home.

    Attributes
    ----------
    variables
        What is added to its environment.
    said_as
        Tells two of a kind apart that run at once.
    delay
        Seconds to wait before it begins.
    """

    step: str
    home: Path
    options: Mapping[str, Any] = field(default_factory=dict)
    fault: Fault = field(default_factory=Fault)
    variables: Mapping[str, str] = field(default_factory=dict)
    said_as: str = ""
    delay: float = 0.0

    @property
    def log(self) -> Path:
        """Where the operations are written down."""
        return self.home.with_name(f"{self.home.name}.operations")


@dataclass(frozen=True)
class Ended:
    """How a job ended: its exit code, negative for a signal and None when it hung; what it said; and how long."""

    code: int | None
    said: str
    seconds: float

    @property
    def last_words(self) -> str:
        """The last line of what it said."""
        lines = [line for line in self.said.splitlines() if line.strip()]
        return lines[-1][-300:] if lines else "nothing"


class Zygote:
    """Runs jobs in children of a process that is ready."""

    def __init__(self) -> None:
        own = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "SHELFPRICE_"))}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.zygote"],
            cwd=ROOT,
            env=own | {"MPLBACKEND": "Agg"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for who started it
            text=True,
        )

    def run(self, *jobs: Job) -> list[Ended]:
        """Run jobs at once, and return how each ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([asdict(job) for job in jobs], default=str) + "\n")
        self._process.stdin.flush()
        return [Ended(**one) for one in json.loads(self._process.stdout.readline())]

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


class Pool:
    """Some zygotes, each of which works for one at a time."""

    def __init__(self, size: int) -> None:
        self._all = [Zygote() for _ in range(size)]
        self._free: queue.SimpleQueue[Zygote] = queue.SimpleQueue()
        for one in self._all:
            self._free.put(one)

    def run(self, *jobs: Job) -> list[Ended]:
        """Run jobs at once in a zygote that is free."""
        zygote = self._free.get()
        try:
            return zygote.run(*jobs)
        finally:
            self._free.put(zygote)

    def close(self) -> None:
        """End them."""
        for one in self._all:
            one.close()


@contextmanager
def pool_of(size: int) -> Iterator[Pool]:
    """Start some zygotes; they are gone in the end."""
    pool = Pool(size)
    try:
        yield pool
    finally:
        pool.close()


def main() -> None:
    """Do jobs until standard input ends."""
    _get_ready()
    for line in sys.stdin:
        jobs = [Job(**one | {"home": Path(one["home"]), "fault": Fault(**one["fault"])}) for one in json.loads(line)]
        sys.stdout.write(json.dumps([asdict(ended) for ended in _run(jobs)]) + "\n")
        sys.stdout.flush()


def _get_ready() -> None:
    from importlib import import_module

    from catalog.names import REGISTRY_PATIENCE

    os.environ.update(
        MLFLOW_DISABLE_TELEMETRY="true",
        MLFLOW_LOGGING_LEVEL="CRITICAL",
        MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR="false",
        **REGISTRY_PATIENCE,
    )
    for name in _IMPORTS:
        import_module(name)
    import_module("sqlalchemy.orm").configure_mappers()  # a child would need half a second for it
    _play_a_day()


def _play_a_day() -> None:
    """Load what Numba has compiled, in memory alone: another half second of each child."""
    from catalog.load import CLASSIC, load
    from etl.twin.store_day import play
    from serving.store.storefront import storefront_before_champion
    from tests.faults.commands import START

    catalog = load(CLASSIC)
    play(catalog, storefront_before_champion(catalog, None), catalog.store.stores[:1], START, 7)


def _run(jobs: list[Job]) -> list[Ended]:
    begun = [(_start(job), time.monotonic()) for job in jobs]
    return [_wait(number, start, job) for job, (number, start) in zip(jobs, begun, strict=True)]


def _start(job: Job) -> int:
    number = os.fork()
    if number == 0:
        try:
            os.setsid()
            code = _do(job)
        except BaseException:  # noqa: BLE001 - the child must end here
            traceback.print_exc()
            code = BROKEN
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    return number


def temporary_of(home: Path) -> str:
    """Return a folder beside a home for what a killed process cannot remove; it goes with the home."""
    folder = home.with_name("temporary")
    folder.mkdir(exist_ok=True)
    return str(folder)


def _said_in(job: Job) -> Path:
    return job.home.with_name(f"{job.home.name}.{job.step}{job.said_as}.said")


def _do(job: Job) -> int:
    from catalog.errors import Declined, ShelfpriceError
    from tests.faults.commands import STEPS

    silence, said = os.open(os.devnull, os.O_RDWR), os.open(_said_in(job), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(silence, 0)
    os.dup2(said, 1)
    os.dup2(said, 2)
    os.environ.update(SHELFPRICE_HOME=str(job.home), SHELFPRICE_USER="somebody", **job.variables)
    tempfile.tempdir = os.environ["TMPDIR"] = temporary_of(job.home)
    time.sleep(job.delay)
    disturb(job.fault, job.home, job.log)
    try:
        STEPS[job.step](**job.options)
    except Declined as error:
        sys.stdout.write(f"declined: {error}\n")
        return DECLINED
    except ShelfpriceError as error:
        sys.stdout.write(f"error: {error}\n")
        return 1
    return 0


def _wait(number: int, start: float, job: Job) -> Ended:
    while True:
        done, status = os.waitpid(number, os.WNOHANG)
        if done:
            break
        if time.monotonic() - start > PATIENCE:
            os.killpg(number, signal.SIGKILL)
            os.waitpid(number, 0)
            return Ended(None, "it hung", PATIENCE)
        time.sleep(_POLL)
    said = _said_in(job)
    text = said.read_text(encoding="utf-8", errors="replace") if said.exists() else ""
    return Ended(os.waitstatus_to_exitcode(status), text.strip()[-2000:], time.monotonic() - start)


if __name__ == "__main__":
    main()
