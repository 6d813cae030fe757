"""A store that sells live, driven from a terminal and by the monitor's controls: real processes, real kills."""

import datetime as dt
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL
from prefect.testing.utilities import prefect_test_harness

from catalog.errors import Declined
from catalog.load import DEFAULT_DIR
from catalog.settings import read_settings
from dashboard.prefect.control import LiveControl
from etl.live.day import LiveDay, sold_so_far
from flows.live_controls import Controls, Request, poll
from flows.up.zombie_runs import Rounds
from warehouse.lake import Lake
from warehouse.verify import verify

DATE = dt.date(2026, 1, 19)
DAY = LiveDay("S01", DATE)
PATIENCE = 90.0


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with prefect_test_harness(server_startup_timeout=120):
        yield str(PREFECT_API_URL.value())


class Town:
    """A home, and a catalog whose days have twelve ticks."""

    def __init__(self, folder: Path, api: str) -> None:
        self.folder = folder
        shutil.copytree(DEFAULT_DIR, folder, ignore=lambda _, names: [n for n in names if not n.endswith(".yaml")])
        store = folder / "store.yaml"
        store.write_text(store.read_text(encoding="utf-8").replace("tick_minutes: 15", "tick_minutes: 60"))
        self.environment = {**os.environ, "SHELFPRICE_HOME": str(folder / "home"), "PREFECT_API_URL": api}
        self.lake = Lake(read_settings(self.environment))

    def start(self, *options: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "flows", "live", "--date", str(DATE), "--catalog", str(self.folder)]
        return subprocess.Popen(
            [*command, "--speed", "0.2", *options],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @property
    def tick(self) -> int:
        found = sold_so_far(self.lake, DAY)
        return found.mark.tick if found else 0

    def bytes_of(self) -> list[bytes]:
        return [self.lake.path(DAY.part(name)).read_bytes() for name in ("interactions", "repricings")]


@pytest.fixture
def town(tmp_path: Path, server: str) -> Callable[[str], Town]:
    return lambda name: Town(tmp_path / name, server)


def wait_until(true: Callable[[], object], what: str) -> None:
    limit = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < limit, what
        time.sleep(0.05)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    said, _ = process.communicate(timeout=PATIENCE)
    return process.returncode, said


def test_killed_in_the_middle_it_is_marked_and_started_again_it_ends_with_the_same_bytes(
    town: Callable[[str], Town], server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet, killed = town("quiet"), town("killed")
    undisturbed = quiet.start()
    assert ended(undisturbed)[0] == 0
    process = killed.start()
    wait_until(lambda: killed.tick >= 5, "no ticks appeared")
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=10)
    assert verify(killed.lake).findings == ()
    assert 5 <= killed.tick < 12
    control, later = LiveControl(server), dt.datetime.now(dt.UTC) + dt.timedelta(minutes=2)
    monkeypatch.setenv("PREFECT_API_URL", server)
    settings = read_settings(killed.environment)
    rounds = Rounds(settings)
    assert rounds.look(later - dt.timedelta(minutes=2)) == []
    assert rounds.look(later) == []
    assert f"live-S01-{DATE}" in rounds.look(later)
    found = control.status("S01")
    assert found is not None
    assert found.state == "failed"
    assert found.message == "its process is gone; start it again to go on"
    code, said = ended(killed.start())
    assert code == 0, said
    assert "going on from tick" in said
    assert "Opened" not in said
    assert killed.bytes_of() == quiet.bytes_of()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_stop_it_stops_at_once_and_says_how_to_go_on(town: Callable[[str], Town], number: int) -> None:
    own = town("own")
    process = own.start("--speed", "10")
    wait_until(lambda: own.tick >= 1, "no ticks appeared")
    process.send_signal(number)
    begun = time.monotonic()
    code, said = ended(process)
    assert time.monotonic() - begun < 10
    assert code == 130
    assert "run it again to go on: shelfprice live --store S01" in said
    assert "Traceback" not in said
    assert verify(own.lake).findings == ()


def test_it_is_paused_resumed_made_slower_and_cancelled_through_the_orchestrator(
    town: Callable[[str], Town], server: str
) -> None:
    own, control = town("own"), LiveControl(server)
    process = own.start("--store", "S03", "--speed", "1")
    try:
        wait_until(lambda: (run := control.status("S03")) and run.state == "selling", "it did not start")
        wait_until(lambda: sold_so_far(own.lake, LiveDay("S03", DATE)), "no ticks appeared")

        def tick() -> int:
            found = sold_so_far(own.lake, LiveDay("S03", DATE))
            return found.mark.tick if found else 0

        assert control.pause("S03").state == "paused"
        time.sleep(2.5)
        held = tick()
        time.sleep(2)
        assert tick() == held
        with pytest.raises(Declined, match="expected S03 to be selling, but it is paused"):
            control.pause("S03")
        assert control.set_speed("S03", 0.2).tick_seconds == 0.2
        run = control.resume("S03")
        assert run.state == "selling"
        assert run.name == f"live-S03-{DATE}"
        wait_until(lambda: tick() >= held + 2, "it did not go on")
        control.set_speed("S03", 10)
        time.sleep(2)
        slow = tick()
        time.sleep(2)
        assert slow < 12
        assert tick() <= slow + 1
        assert control.cancel("S03").state == "stopping"
        code, said = ended(process)
        assert code == 130, said
        stopped = control.status("S03")
        assert stopped is not None
        assert stopped.state == "stopped"
        assert not stopped.is_at_work
    finally:
        process.kill()


def test_a_store_is_sold_by_one_process_and_a_date_is_sold_once(town: Callable[[str], Town]) -> None:
    own = town("own")
    first = own.start("--speed", "10")
    wait_until(lambda: own.tick >= 1, "no ticks appeared")
    code, said = ended(own.start())
    assert code == 1
    assert f"live-S01 is being written by process {first.pid}" in said
    first.terminate()
    ended(first)
    assert ended(own.start())[0] == 0
    code, said = ended(own.start())
    assert code == 1
    assert f"S01 has sold {DATE} live" in said
    simulate = ["simulate", "--start", str(DATE), "--catalog", str(own.folder)]
    subprocess.run([sys.executable, "-m", "flows", *simulate], env=own.environment, check=True, timeout=PATIENCE)
    code, said = ended(own.start("--store", "S02"))
    assert code == 1
    assert "S02 has decisions of 2026-01-19 from a simulation" in said
    assert "such as 2026-01-20" in said
    code, said = ended(own.start("--store", "S99"))
    assert code == 1
    assert "expected a store of the catalog (S01, S02, S03), found 'S99'" in said


def test_an_orchestrator_that_does_not_answer_stops_no_sale() -> None:
    class Away:
        def read_flow_run(self, _run: object) -> None:
            controls.stop.set()
            raise OSError("away")

    controls = Controls(0.2)
    poll(Away(), object(), controls, None)  # type: ignore[arg-type]
    assert controls.request == Request(0.2)
