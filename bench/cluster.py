"""What a cluster costs and brings: batches of a million decisions in threads, in processes and on Dask workers.

All ratios are of one run on one machine, whose load is said: it is shared, and what others do there counts.
"""

import datetime as dt
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.measure import Measurement, NotHereError, Otherwise, say
from catalog.load import CLASSIC, load
from catalog.settings import Settings, read_settings
from catalog.spread import HERE, InThisProcess, Spread
from deploy.servers.dask import dask
from etl.batches import batches_of
from etl.live.calendar import DEFAULT_START, ONE_DAY, dates_from
from flows.spreading import in_processes, spreading
from flows.workspace import prepared
from serving.in_force import pricing_on
from serving.playing import batches_to_play, play_one

_STORES = 2_000  # with the catalog's visits, a million decisions a day
_BATCHES = 16
_TURNS, _FIRST_TURN = 2, 4  # the first is of fewer batches, and does not count
_TASKS = 400


@dataclass(frozen=True)
class Nothing:
    """A job without work."""

    name: str


def do_nothing(job: Nothing) -> str:
    """Do no work."""
    return job.name


def cluster() -> Iterator[Measurement]:
    """One process against two, one Dask worker against two, and the overhead of a job."""
    if find_spec("distributed") is None:
        raise NotHereError("Dask is not installed: make install-cluster")
    places: dict[str, tuple[Settings, Spread]] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="shelfprice-bench-")))
        for count in (1, 2):
            servers = stack.enter_context(dask(folder / f"workers-{count}", count))
            settings = _settings(servers.folder, servers.url)
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
    two = rates["Dask, 2"] / rates["Dask, 1"]
    yield Measurement("cluster", f"{what}, two Dask workers, one is 1", two, "times as fast", (), 1.8)
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


def _play(settings: Settings, spread: Spread, dates: list[dt.date]) -> tuple[int, float]:
    """Play a batch of each date, and return the decisions and the seconds that it took."""
    workspace = prepared(settings, load(CLASSIC))
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


def _settings(home: Path, cluster: str | None = None) -> Settings:
    home.mkdir(parents=True, exist_ok=True)
    return read_settings({"SHELFPRICE_HOME": str(home)} | ({"SHELFPRICE_DASK": cluster} if cluster else {}))
