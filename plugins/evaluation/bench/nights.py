"""Whether a night costs the same however long a store has been selling, and what follows the night of a chain.

`python -m plugins.evaluation.bench.nights` does one night after another until it is ended, beside a server that
answers.

Three lakes of different age, each a home of its own, do night after night in turns: the day is closed, its decisions
are grouped, drift is watched, forests are trained, judged and perhaps promoted, and tomorrow is priced, by the very
functions of the flow. The first night of each is not counted. Then the prices of a chain's night are proposed, shown at
the Desk and exported.

The registry is kept in memory. A thousand trainings in MLflow would take longer to make than everything else here, and
what MLflow itself costs is not ours to change: we ask it for single versions by name, and for the newest one.
"""

import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from catalog.load import load
from flows.workspace import prepared
from plugins.evaluation.bench.aged_lake import PLAYED, SEED, AgedStore, date_of
from plugins.evaluation.bench.measure import Measurement, say
from plugins.evaluation.bench.price_changes import price_changes
from plugins.evaluation.memory_registry import MemoryRegistry
from serving.store.play import close_day
from training.night import run_night
from training.schedule import night_to_do, refuse_what_cannot_be_closed

AGES = (30, 365, 1_000)  # days
_REPEATS = 4
_MOST = 1.1  # times a night of the youngest


@dataclass
class Nights:
    """A store of some age, and what its nights took, seconds of the processor and of the clock."""

    store: AgedStore
    registry: MemoryRegistry
    processor: list[float] = field(default_factory=list)
    clock: list[float] = field(default_factory=list)

    def live(self) -> None:
        """Sell the next day, and do the night after it."""
        began, busy = time.perf_counter(), time.process_time()
        do_next_night(self.store, self.registry)
        self.processor.append(time.process_time() - busy)
        self.clock.append(time.perf_counter() - began)


def nights() -> Iterator[Measurement]:
    """Nights at each age; and what follows the night of a chain, price by price."""
    with TemporaryDirectory(prefix="shelfprice-bench-") as folder:
        ages = dict(zip(AGES, map(_of, stores_of(Path(folder))), strict=True))
        for repeat in range(_REPEATS + 1):
            for days, own in ages.items():
                own.live()
                say(f"  night {repeat} at day {days}: {own.processor[-1]:.2f} s, {own.clock[-1]:.2f} s by the clock")
        for what, name in (("processor", "processor time"), ("clock", "wall clock")):
            yield from _at_each_age(f"a night, {name}", {days: getattr(own, what) for days, own in ages.items()})
    yield from price_changes()


def _at_each_age(what: str, took: Mapping[int, list[float]]) -> Iterator[Measurement]:
    """Yield the median of all times but the first at each age, and how many times that of the youngest it is."""
    middle = {days: median(times[1:]) for days, times in took.items()}
    young = middle.pop(AGES[0])
    yield Measurement("nights", f"{what}, day {AGES[0]}", young, "s")
    for days, old in middle.items():
        yield Measurement("nights", f"{what}, day {days:,}", old, "s")
        yield Measurement("nights", f"{what}, day {days:,} against {AGES[0]}", old / young, "times", (), _MOST)


def stores_of(folder: Path) -> Iterator[AgedStore]:
    """Yield a store of each age, the youngest first; the older ones begin as copies of it."""
    store = AgedStore(folder / "played", PLAYED, load())
    for days in AGES:
        store = store.copied(folder / str(days))
        say(f"  making a lake of {days:,} days")
        store.age(days)
        yield store


def do_next_night(store: AgedStore, registry: MemoryRegistry) -> None:
    """Do what the nightly flow does, from opening the workspace on; the store is a day older then."""
    date = date_of(store.days)
    workspace = prepared(store.settings, store.catalog)
    night_to_do(workspace.lake)
    refuse_what_cannot_be_closed(workspace.lake, date)
    close_day(workspace, date, SEED)
    run_night(workspace, registry, date, SEED)
    store.days += 1


def _of(store: AgedStore) -> Nights:
    return Nights(store, store.registry())


def main() -> None:
    """Say on a line of its own that the first night begins, and go on."""
    with TemporaryDirectory(prefix="shelfprice-bench-") as folder:
        ongoing = _of(AgedStore(Path(folder), PLAYED))
        sys.stdout.write("night\n")
        sys.stdout.flush()
        while True:
            ongoing.live()


if __name__ == "__main__":
    main()
