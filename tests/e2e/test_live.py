"""A store that sells live, driven from a terminal and by the monitor's controls: real processes, real kills."""

import datetime as dt
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from shell import Terminal

from catalog.errors import Declined
from catalog.load import DEFAULT_DIR
from catalog.settings import read_settings
from dashboard.prefect.control import LiveControl
from etl.open_days import LiveDay, sold_so_far
from plugins.live import flow as live_flow
from plugins.live.flow import Request, controls_of
from plugins.operations.checks.proving import verify
from plugins.operations.up.zombie_runs import ZombieRuns
from warehouse.lake import Lake

DATE = dt.date(2026, 1, 19)
PATIENCE = 240.0  # seconds, on a busy machine
STILL = 2.0  # seconds without a tick, of which an unhindered store of these tests makes ten


class Town:
    """A home, a terminal in it, and a catalog whose days have few ticks."""

    def __init__(self, folder: Path, store: str = "S01", tick_minutes: int = 60) -> None:
        self.folder, self.store = folder, store
        self.terminal = Terminal(folder / "home")
        shutil.copytree(DEFAULT_DIR, folder, ignore=lambda _, names: [n for n in names if not n.endswith(".yaml")])
        file = folder / "store.yaml"
        text = file.read_text(encoding="utf-8").replace("tick_minutes: 15", f"tick_minutes: {tick_minutes}")
        file.write_text(text, encoding="utf-8")
        self.lake = Lake(read_settings(self.terminal.environ))

    def command(self, *options: str) -> list[str]:
        """Return the command that sells the store; the last of an option's values counts."""
        own = ["--store", self.store, "--date", str(DATE), "--catalog", str(self.folder), "--speed", "0.2"]
        return ["live", *own, *options]

    def start(self, *options: str) -> subprocess.Popen[str]:
        return self.terminal.start(*self.command(*options))

    @property
    def tick(self) -> int:
        found = sold_so_far(self.lake, LiveDay(self.store, DATE))
        return found.mark.tick if found else 0

    def stands_still(self) -> bool:
        """Wait a while; return whether no tick was made meanwhile."""
        before, limit = self.tick, time.monotonic() + STILL
        while time.monotonic() < limit:
            if self.tick != before:
                return False
            time.sleep(0.05)
        return True

    def bytes_of(self) -> list[bytes]:
        day = LiveDay(self.store, DATE)
        return [self.lake.path(day.part(name)).read_bytes() for name in ("interactions", "repricings")]


@pytest.fixture
def town(tmp_path: Path, prefect_server: str) -> Town:
    return Town(tmp_path / "own")


def wait_until(true: Callable[[], object], what: str) -> None:
    limit = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < limit, what
        time.sleep(0.05)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    said, _ = process.communicate(timeout=PATIENCE)
    return process.returncode, said


def test_killed_in_the_middle_it_is_marked_and_started_again_it_ends_with_the_same_bytes(
    town: Town, tmp_path: Path, prefect_server: str
) -> None:
    quiet = Town(tmp_path / "quiet", "S01")
    undisturbed = quiet.start()
    wait_until(lambda: quiet.tick, "no ticks appeared")  # so that the run to be killed is the store's newest
    before = dt.datetime.now(dt.UTC)
    process = town.start()
    wait_until(lambda: town.tick >= 5, "no ticks appeared")
    process.send_signal(signal.SIGKILL)
    later = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=2)
    process.communicate(timeout=10)
    assert verify(town.lake).findings == ()
    assert 5 <= town.tick < 12
    assert ended(undisturbed)[0] == 0
    control, zombies = LiveControl(prefect_server), ZombieRuns(read_settings(town.terminal.environ))
    assert f"live-S01-{DATE}" not in zombies.poll(before)  # a run has a minute to start, however slow the machine is
    assert f"live-S01-{DATE}" not in zombies.poll(later)
    assert f"live-S01-{DATE}" in zombies.poll(later)
    found = control.status("S01")
    assert found is not None
    assert found.state == "failed"
    assert found.message == "its process is gone; start it again to continue"
    answer = town.terminal(*town.command())
    assert answer.returncode == 0, answer.stderr
    assert "going on from tick" in answer.stderr
    assert "Opened" not in answer.stderr
    assert town.bytes_of() == quiet.bytes_of()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_stop_it_stops_at_once_and_says_how_to_go_on(town: Town, number: int) -> None:
    process = town.start("--speed", "10")
    wait_until(lambda: town.tick >= 1, "no ticks appeared")
    process.send_signal(number)
    begun = time.monotonic()
    code, said = ended(process)
    assert time.monotonic() - begun < 3
    assert code == 128 + number
    assert "run the same command again to go on with the next tick" in said
    assert "Traceback" not in said
    assert verify(town.lake).findings == ()


def test_it_is_paused_resumed_made_slower_and_cancelled_through_the_orchestrator(
    tmp_path: Path, prefect_server: str
) -> None:
    own, control = Town(tmp_path / "own", "S03", tick_minutes=15), LiveControl(prefect_server)
    process = own.start()
    try:
        wait_until(lambda: own.tick, "no ticks appeared")
        assert control.pause("S03").state == "paused"
        wait_until(own.stands_still, "it went on although it was paused")
        held = own.tick
        assert held < 48
        with pytest.raises(Declined, match="expected S03 to be selling, but it is paused"):
            control.pause("S03")
        assert control.set_speed("S03", 0.3).tick_seconds == 0.3
        assert own.tick == held
        run = control.resume("S03")
        assert run.state == "selling"
        assert run.name == f"live-S03-{DATE}"
        wait_until(lambda: own.tick >= held + 2, "it did not go on")
        control.set_speed("S03", 10)
        wait_until(own.stands_still, "it went on as fast as before")
        assert own.tick < 48
        assert control.cancel("S03").state == "stopping"
        code, said = ended(process)
        assert code == 130, said
        stopped = control.status("S03")
        assert stopped is not None
        assert stopped.state == "stopped"
        assert not stopped.is_at_work
    finally:
        process.kill()
        process.communicate(timeout=10)


def test_a_store_is_sold_by_one_process_and_a_date_is_sold_once(town: Town) -> None:
    first = town.start("--speed", "10")
    wait_until(lambda: town.tick >= 1, "no ticks appeared")
    second = town.terminal(*town.command())
    assert second.returncode == 1
    assert f"store S01 is being sold live by process {first.pid}" in second.stderr
    first.terminate()
    ended(first)
    assert town.terminal(*town.command()).returncode == 0
    again = town.terminal(*town.command())
    assert again.returncode == 1
    assert f"S01 has sold {DATE} live" in again.stderr
    assert town.terminal("simulate", "--start", str(DATE), "--catalog", str(town.folder)).returncode == 0
    other = town.terminal(*town.command("--store", "S02"))
    assert other.returncode == 1
    assert "S02 has decisions of 2026-01-19 from a simulation" in other.stderr
    assert "such as 2026-01-20" in other.stderr
    unknown = town.terminal(*town.command("--store", "S99"))
    assert unknown.returncode == 1
    assert "expected a store of the catalog (S01, S02, S03), found 'S99'" in unknown.stderr


def test_an_orchestrator_that_does_not_answer_stops_no_sale(monkeypatch: pytest.MonkeyPatch) -> None:
    class Away:
        asked = 0

        def __enter__(self) -> "Away":
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def read_flow_run(self, _run: object) -> None:
            self.asked += 1
            raise OSError("away")

    away = Away()
    monkeypatch.setattr(live_flow, "get_client", lambda **_: away)
    with controls_of(str(uuid4()), 0.2, ends_with_parent=False) as controls:
        wait_until(lambda: away.asked >= 2, "nobody asked again")
        assert controls.request == Request(0.2)
        assert controls.rest()
