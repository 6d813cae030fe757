"""Jobs in threads and in processes: the order of results, failures, deaths, and that nothing stays behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import spread_jobs
from spread_jobs import Numbered

from catalog.errors import DamagedError, DataError, Declined, LakeError, ServiceError
from catalog.spread import HERE, InThreads, Spread, attempt
from flows.progress import listening
from flows.spreading import Processes

pytestmark = pytest.mark.server

PLUGINS = Path(spread_jobs.__file__).parent


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let processes import the jobs of the tests."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(PLUGINS), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setattr("catalog.spread._PAUSE", 0.01)


@pytest.fixture
def jobs(tmp_path: Path) -> list[Numbered]:
    return [Numbered(number, tmp_path) for number in range(6)]


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def processes(said: list[str]) -> Iterator[Processes]:
    with Processes(2, said.append) as opened:
        yield opened


@pytest.fixture(params=["here", "threads", "processes"])
def spread(request: pytest.FixtureRequest) -> Iterator[Spread]:
    with ExitStack() as stack:
        if request.param == "processes":
            yield stack.enter_context(Processes(2, lambda _: None))
        else:
            yield HERE if request.param == "here" else InThreads(2)


def test_results_come_in_the_order_of_the_jobs_and_each_is_told(spread: Spread, jobs: list[Numbered]) -> None:
    told: list[tuple[int, int]] = []
    assert spread(spread_jobs.square, jobs, lambda *done: told.append(done)) == [0, 1, 4, 9, 16, 25]
    assert told == [(done, 6) for done in range(1, 7)]
    assert spread(spread_jobs.square, []) == []


def test_how_far_a_job_has_come_is_heard_wherever_it_is_done(spread: Spread, jobs: list[Numbered]) -> None:
    heard: list[tuple[str, int, int]] = []
    with listening(lambda *told: heard.append(told)):
        assert spread(spread_jobs.tell_two_steps, jobs) == list(range(6))
    assert sorted(heard) == [(job.name, step, 2) for job in jobs for step in (1, 2)]


def test_after_a_failure_no_other_job_is_begun_and_its_error_is_raised(spread: Spread, jobs: list[Numbered]) -> None:
    with pytest.raises(DataError, match="two is refused") as caught:
        spread(spread_jobs.refuse_two, jobs)
    assert not jobs[5].marks("begun")
    trace = str(caught.value.__cause__)
    assert not isinstance(spread, Processes) or "in refuse_two" in trace  # where it was raised in the other process


def test_work_is_done_by_several_processes_that_are_gone_in_the_end(jobs: list[Numbered]) -> None:
    with Processes(2, lambda _: None) as opened:
        found = {*opened(spread_jobs.process_of, jobs), *opened(spread_jobs.process_of, jobs)}
    assert len(found) <= 2
    assert os.getpid() not in found
    assert not any(Path(f"/proc/{number}").exists() for number in found)


def test_what_is_missing_when_a_process_dies_is_done_once_more(
    processes: Processes, jobs: list[Numbered], said: list[str]
) -> None:
    assert processes(spread_jobs.die_once_at_two, jobs) == list(range(6))
    assert jobs[2].marks("begun") == 2
    (sentence,) = said
    assert sentence.startswith("a process died; done once more is number ")


def test_a_job_that_takes_down_two_processes_is_among_the_missing(
    processes: Processes, jobs: list[Numbered], said: list[str]
) -> None:
    with pytest.raises(ServiceError, match=r"one died, and another .* missing is .*number 2"):
        processes(spread_jobs.die_at_two, jobs)
    assert jobs[2].marks("begun") == 2
    assert len(said) == 1
    assert processes(spread_jobs.square, jobs[:2]) == [0, 1]


def test_an_error_that_cannot_be_sent_is_told_in_words(processes: Processes, jobs: list[Numbered]) -> None:
    with pytest.raises(ServiceError, match="_OddError: this and that"):
        processes(spread_jobs.refuse_oddly, jobs[:1])


def test_an_interruption_ends_the_processes_in_the_middle_of_their_work(jobs: list[Numbered]) -> None:
    def interrupt(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), Processes(2, lambda _: None) as opened:
        opened(spread_jobs.square, jobs, interrupt)


def test_processes_end_when_their_starter_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom pathlib import Path\nimport spread_jobs\nfrom flows.spreading import Processes\n"
        "with Processes(2, print) as opened:\n"
        "    opened(spread_jobs.sleep_long, [spread_jobs.Numbered(n, Path(sys.argv[1])) for n in range(2)])\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)]) as starter:
        at_work = _until(lambda: [int(file.name.rpartition("-")[2]) for file in tmp_path.glob("at-work-*")], 2)
        starter.send_signal(signal.SIGKILL)
    _until(lambda: [number for number in at_work if not _lives(number)], 2)


@pytest.mark.parametrize(
    ("error", "attempts"), [(OSError, 3), (LakeError, 3), (DamagedError, 1), (DataError, 1), (Declined, 1)]
)
def test_what_met_the_disk_is_tried_again_and_mistakes_are_not(
    error: type[Exception], attempts: int, jobs: list[Numbered]
) -> None:
    def fail(job: Numbered) -> int:
        job.mark("tried")
        raise error("no")

    with pytest.raises(error):
        attempt(lambda: fail(jobs[0]))
    assert jobs[0].marks("tried") == attempts


def test_what_was_declined_is_tried_again_while_one_that_seemed_dead_may_be_at_it(jobs: list[Numbered]) -> None:
    def declined_twice(job: Numbered) -> int:
        job.mark("tried")
        if job.marks("tried") < 3:
            raise Declined("being played by process 1")
        return job.number

    assert attempt(lambda: declined_twice(jobs[4]), patience=30.0) == 4


def test_a_job_here_is_tried_again_by_the_task_around_it_alone(jobs: list[Numbered]) -> None:
    with pytest.raises(OSError, match="hiccups"):
        HERE(spread_jobs.fail_once, jobs[:1])
    assert InThreads(2)(spread_jobs.fail_once, jobs[1:3]) == [1, 2]


def _until(look: Callable[[], list[int]], count: int) -> list[int]:
    limit = time.monotonic() + 120
    while len(found := look()) < count:
        assert time.monotonic() < limit, found
        time.sleep(0.05)
    return found


def _lives(number: int) -> bool:
    """Tell whether a process runs; one that ended and nobody waited for does not."""
    try:
        return Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
