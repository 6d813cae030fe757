"""Every scenario that was asked for, two logs at a time."""

import signal
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from catalog.progress import Progress, silent
from evaluation.planted.play import play
from evaluation.planted.records import Job, Played
from evaluation.planted.scenarios import Scenario
from evaluation.planted.world import GRAINS, Size
from own_data.exports.columns import Grain

PROCESSES = 2
_STAGE = "planted logs"


@dataclass(frozen=True)
class Question:
    """What to play: every scenario in every grain that can show it, once per seed."""

    scenarios: tuple[Scenario, ...]
    grains: tuple[Grain, ...] = GRAINS
    seeds: int = 1
    size: Size = field(default_factory=Size)
    response_only: bool = False

    def jobs(self) -> tuple[Job, ...]:
        """Return the logs to write, in the order in which they are reported."""
        return tuple(
            Job(scenario, grain, seed, self.size, self.response_only)
            for scenario in self.scenarios
            for grain in self.grains
            if grain in scenario.grains
            for seed in range(1, self.seeds + 1)
        )


def run(question: Question, processes: int = PROCESSES, progress: Progress = silent) -> list[Played]:
    """Play all logs of a question, side by side in so many processes; one process plays them here."""
    jobs = question.jobs()
    if processes == 1:
        return _one_by_one(jobs, progress)
    with ProcessPoolExecutor(processes, get_context("spawn"), _leave_interrupts_to_the_first_process) as pool:
        places = {pool.submit(play_and_forget, job): place for place, job in enumerate(jobs)}
        found: dict[int, Played] = {}
        try:
            for done in as_completed(places):
                found[places[done]] = done.result()
                progress(_STAGE, len(found), len(jobs))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [found[place] for place in range(len(jobs))]


def _one_by_one(jobs: Sequence[Job], progress: Progress) -> list[Played]:
    found = []
    for done, job in enumerate(jobs, start=1):
        found.append(play_and_forget(job))
        progress(_STAGE, done, len(jobs))
    return found


def play_and_forget(job: Job) -> Played:
    """Play one log in a folder that is removed afterwards."""
    with TemporaryDirectory(prefix="shelfprice-planted-") as folder:
        return play(job, Path(folder))


def _leave_interrupts_to_the_first_process() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
