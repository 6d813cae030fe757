"""What a cluster costs and brings: batches of a million decisions in one process and in two, and on one to four hosts.

All ratios are of one run on one machine, whose load is said: it is shared, and what others do there counts.
"""

import datetime as dt
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.certificates import certificates_in
from bench.hosts import BRIDGE_ADDRESS, hosts, refuse_without_hosts
from bench.measure import Measurement, NotHereError, Otherwise, say
from catalog.load import load
from catalog.settings import Settings, read_settings
from catalog.spread import HERE, InThisProcess, Spread
from etl.batches import batches_of
from etl.business_dates import DEFAULT_START, ONE_DAY, dates_from
from etl.prepare import prepared
from flows.spreading.choose import spreading
from flows.spreading.processes import in_processes
from serving.in_force import pricing_on
from serving.playing import batches_to_play, play_one

_STORES = 2_000  # with the catalog's visits, a million decisions a day
_BATCHES, _BATCHES_OF_A_HOST = 16, 6
_TURNS, _FIRST_TURN = 2, 4  # the first is of fewer batches, and does not count
_TASKS = 400
_MOST_HOSTS, _SHARE = 4, 0.2
_STARTED_WITHIN = 120.0  # seconds


@dataclass(frozen=True)
class Nothing:
    """A job without work."""

    name: str


def do_nothing(job: Nothing) -> str:
    """Do no work."""
    return job.name


def cluster() -> Iterator[Measurement]:
    """One process against two, the overhead of a task, and one to four hosts."""
    if find_spec("distributed") is None:
        raise NotHereError("Dask is not installed: make install-cluster")
    with TemporaryDirectory(prefix="shelfprice-bench-") as folder:
        yield from _processes(Path(folder))
        refuse_without_hosts()
        yield from _hosts(Path(folder))


def _processes(folder: Path) -> Iterator[Measurement]:
    with ExitStack() as stack:
        places: dict[str, tuple[Settings, Spread]] = {}
        for count in (1, 2):
            settings = stack.enter_context(_cluster_on_loopback(folder / f"workers-{count}", count))
            places[f"Dask, {count}"] = settings, stack.enter_context(spreading(settings, seconds=0))
        processes = stack.enter_context(in_processes(2, say))
        places["processes, 2"] = _settings(folder / "processes"), processes
        places["one thread"] = _settings(folder / "here"), HERE
        places["two threads"] = _settings(folder / "threads"), InThisProcess(2)
        rates = _rates_in_turns(places)
        tasks = {name: _overhead(spread) for name, (_, spread) in places.items() if "," in name}
    what, one = f"{_BATCHES} batches of a million decisions", Otherwise("one thread", rates["one thread"])
    for name in ("two threads", "processes, 2"):
        yield Measurement("cluster", f"{what}, {name}", rates[name], "decisions/s", (one,))
    others = (Otherwise("one worker", rates["Dask, 1"]), one)
    yield Measurement("cluster", f"{what}, Dask with two workers", rates["Dask, 2"], "decisions/s", others)
    for name, seconds in tasks.items():
        yield Measurement("cluster", f"a job without work, {name}", 1_000 * seconds, "ms")


def _rates_in_turns(places: Mapping[str, tuple[Settings, Spread]]) -> dict[str, float]:
    """Return the decisions per second of each place: they take turns, so that a busy moment meets all of them."""
    took, played = dict.fromkeys(places, 0.0), dict.fromkeys(places, 0)
    for turn in range(_TURNS + 1):
        for name, (settings, spread) in places.items():
            begin = DEFAULT_START + turn * _BATCHES * ONE_DAY
            decisions, seconds = _play(settings, spread, dates_from(begin, _BATCHES if turn else _FIRST_TURN))
            say(f"  turn {turn}, {name}: {decisions / seconds:,.0f} decisions/s, load {os.getloadavg()[0]:.1f}")
            if turn:  # in the first, everything is compiled
                took[name] += seconds
                played[name] += decisions
    return {name: played[name] / took[name] for name in places}


def _hosts(folder: Path) -> Iterator[Measurement]:
    rates = dict[int, float]()
    for count in range(1, _MOST_HOSTS + 1):
        with ExitStack() as stack:
            made = stack.enter_context(hosts(count))
            settings = stack.enter_context(_scheduler(folder / f"hosts-{count}", BRIDGE_ADDRESS, "tls"))
            for host in made:
                command, log = _program("worker", "1"), settings.home / f"{host.name}.log"
                stack.callback(host.start(command, _environment(settings), log).wait)
                stack.callback(host.take_down)
            _wait_for_workers(settings, count)
            with spreading(settings, seconds=0) as spread:
                _play(settings, spread, dates_from(DEFAULT_START, 2 * count))  # everything is compiled
                for host in made:
                    host.allow(_SHARE)
                dates = dates_from(DEFAULT_START.replace(year=DEFAULT_START.year + 1), _BATCHES_OF_A_HOST * count)
                decisions, seconds = _play(settings, spread, dates)
            rates[count] = decisions / seconds
            say(f"  {count} hosts: {rates[count]:,.0f} decisions/s, load {os.getloadavg()[0]:.1f}")
    for count, rate in rates.items():
        others = (Otherwise("one host", rates[1]),)
        what = f"a host each with {_SHARE:.0%} of a processor, {count} of them"
        yield Measurement("cluster", what, rate, "decisions/s", others)


def _play(settings: Settings, spread: Spread, dates: list[dt.date]) -> tuple[int, float]:
    """Play a batch of each date, and return the decisions and the seconds that it took."""
    workspace = prepared(settings, load())
    own = batches_of(workspace.catalog, dates, _STORES)
    priced_by = {date: pricing_on(workspace.lake, workspace.catalog, date, "static") for date in dates}
    jobs, before = batches_to_play(workspace, own, priced_by, "static", 7, spread), time.perf_counter()
    decisions = sum(result.rows for result in spread(play_one, jobs))
    return decisions, time.perf_counter() - before


def _overhead(spread: Spread) -> float:
    """Return the seconds that a job without work takes."""
    jobs = [Nothing(f"nothing {number}") for number in range(_TASKS)]
    spread(do_nothing, jobs[:4])
    before = time.perf_counter()
    spread(do_nothing, jobs)
    return (time.perf_counter() - before) / _TASKS


@contextmanager
def _cluster_on_loopback(home: Path, workers: int) -> Iterator[Settings]:
    with _scheduler(home, "127.0.0.1", "tcp") as settings, _running("worker", str(workers), settings=settings):
        _wait_for_workers(settings, workers)
        yield settings


@contextmanager
def _scheduler(home: Path, host: str, how: str) -> Iterator[Settings]:
    """Start a scheduler on a free port; yields the settings of its clients and workers."""
    with socket.create_server((host, 0)) as probe:
        port = probe.getsockname()[1]
    certificates = certificates_in(home.with_suffix(".certificates")) if how == "tls" else {}
    settings = _settings(home, {"SHELFPRICE_DASK": f"{how}://{host}:{port}", **certificates})
    with _running("scheduler", settings=settings):
        limit = time.monotonic() + _STARTED_WITHIN
        while True:
            with socket.socket() as probe:
                if not probe.connect_ex((host, port)):
                    break
            if time.monotonic() > limit:
                raise TimeoutError(f"no scheduler at {host}:{port}: {(home / 'scheduler.log').read_text()[-500:]}")
            time.sleep(0.1)
        yield settings


@contextmanager
def _running(*words: str, settings: Settings) -> Iterator[None]:
    log = settings.home / f"{words[0]}.log"
    with (
        log.open("ab") as file,
        subprocess.Popen(_program(*words), env=_environment(settings), stdout=file, stderr=file) as process,
    ):
        try:
            yield
        finally:
            process.terminate()


def _wait_for_workers(settings: Settings, count: int) -> None:
    with import_module("cluster.on_dask").connected(settings) as client:
        client.wait_for_workers(count, timeout=_STARTED_WITHIN)


def _settings(home: Path, variables: Mapping[str, str] | None = None) -> Settings:
    home.mkdir(parents=True)
    return read_settings({"SHELFPRICE_HOME": str(home), **(variables or {})})


def _environment(settings: Settings) -> dict[str, str]:
    certificates = {"CA": settings.dask_ca, "CERT": settings.dask_cert, "KEY": settings.dask_key}
    own = {f"SHELFPRICE_DASK_{name}": str(file) for name, file in certificates.items() if file}
    return {**os.environ, **own, "SHELFPRICE_HOME": str(settings.home), "SHELFPRICE_DASK": str(settings.dask)}


def _program(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "cluster.dask_cluster", *words)
