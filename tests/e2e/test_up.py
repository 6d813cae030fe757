"""Everything in one command: it comes up, it plays a store, and nothing of it stays behind."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import httpx
import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun
from shell import Terminal

from catalog.errors import Declined, ServiceError
from catalog.settings import Settings, read_settings
from dashboard.prefect.control import LiveControl, LiveRun, live_control
from etl.calendar import DEFAULT_START
from etl.open_days import LiveDay, days_sold_live, sold_so_far
from plugins.operations.checks.proving import verify
from training.schedule import is_done
from warehouse.files import prefect_login
from warehouse.lake import Lake

PATIENCE = 240.0  # seconds, on a busy machine
SERVICES = ("prefect", "mlflow", "monitor", "api")
Found = TypeVar("Found")
STARTED = 9  # processes: `up`, four wrappers, and what they run


class House:
    """A home of its own, with ports that nobody else uses, and `shelfprice up` in it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        home.mkdir()
        moved = {f"SHELFPRICE_{name.upper()}_ADDRESS": f"127.0.0.1:{free_port()}" for name in SERVICES}
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "MLFLOW_"))}
        self.environment = {**kept, **moved, "SHELFPRICE_HOME": str(home), "COLUMNS": "200"}
        self.log = home.with_suffix(".log")

    @property
    def settings(self) -> Settings:
        return read_settings(self.environment)

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def up(self) -> subprocess.Popen[str]:
        with self.log.open("w") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "flows", "up"],
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
            )

    def processes(self) -> set[str]:
        """Return the command lines of every process that lives in this home."""
        return set(self.living().values())

    def living(self) -> dict[int, str]:
        """Return every process that lives in this home, with its command line."""
        mark = f"SHELFPRICE_HOME={self.home}".encode()
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (folder / "environ").read_bytes().split(b"\0") and (folder / "cmdline").read_bytes():
                    found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue  # it has ended, or is not ours
        return found


def begins(control: LiveControl, store: str) -> bool:
    """Start a store, unless the server is still too busy with its own start to answer soon."""
    try:
        return control.start(store, tick_seconds=1.0).is_at_work
    except ServiceError:
        return False
    except Declined:  # it begins already: what was asked before came to pass, and only the answer was late
        return True


def status_of(control: LiveControl, store: str) -> LiveRun | None:
    """Return how a store sells; None if it does not, or while the server is too busy to answer soon."""
    with suppress(ServiceError):
        return control.status(store)
    return None


def runs_named(house: House, name: str) -> list[FlowRun]:
    with SyncPrefectClient(house.settings.prefect_api, auth_string=prefect_login(house.settings)) as client:
        return [run for run in client.read_flow_runs(limit=200) if run.name == name]


def ask_as_anyone_would(house: House, deployment: str) -> None:
    """Run a deployment from the orchestrator's own client, knowing its address and the credential alone."""
    own = {
        "PATH": os.environ["PATH"],
        "HOME": str(house.home.parent),
        "PREFECT_API_URL": house.settings.prefect_api,
        "PREFECT_API_AUTH_STRING": prefect_login(house.settings),
    }
    command = [sys.executable, "-m", "prefect", "deployment", "run", deployment]
    done = subprocess.run(command, env=own, cwd=house.home.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def is_completed(house: House, name: str) -> bool:
    return any(run.state is not None and run.state.is_completed() for run in runs_named(house, name))


def process_of(run: str) -> int:
    """Return the process that works on a run."""
    mark = f"PREFECT__FLOW_RUN_ID={run}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                return int(folder.name)
        except OSError:
            continue  # it has ended, or is not ours
    raise AssertionError(f"nobody works on {run}")


def kill_two_services(house: House) -> None:
    """Kill MLflow and the worker, wait until both answer again, and see that the monitor tells it."""
    for part in ("-m plugins.operations.up.mlflow_server", "-m plugins.operations.up.worker"):
        (number,) = [
            one for one in pids_of(house, part) if one not in pids_of(house, "plugins/operations/up/child_process.py")
        ]
        os.kill(number, signal.SIGKILL)
    again = [re.compile(rf"^{name} +\| answers again$", re.MULTILINE) for name in ("mlflow", "worker")]
    wait_until(lambda: all(line.search(house.said) for line in again), lambda: house.said)
    wait_until(  # on a busy machine a service may miss one look
        lambda: services_on_the_page(house).count("\u2713 answers") == len(SERVICES) + 1,
        lambda: services_on_the_page(house),
    )
    assert services_on_the_page(house).count("exited with code 137 (SIGKILL)") == 2


def services_on_the_page(house: House) -> str:
    """Return what the Pipeline page shows of the services."""
    asked = {
        "output": "pipeline-services.children",
        "outputs": {"id": "pipeline-services", "property": "children"},
        "inputs": [{"id": "pipeline-clock", "property": "n_intervals", "value": 1}],
        "changedPropIds": ["pipeline-clock.n_intervals"],
    }
    own_page = {"Sec-Fetch-Site": "same-origin"}  # as a browser says of a page's own request
    answer = httpx.post(
        f"{house.settings.monitor.url}/_dash-update-component", json=asked, timeout=30, headers=own_page
    )
    return json.dumps(answer.raise_for_status().json(), ensure_ascii=False)


def pids_of(house: House, part: str) -> list[int]:
    """Return the processes of a home whose command line holds a text."""
    return [number for number, command in house.living().items() if part in command]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(true: Callable[[], Found], what: Callable[[], str]) -> Found:
    limit = time.monotonic() + PATIENCE
    while not (found := true()):
        assert time.monotonic() < limit, what()
        time.sleep(0.1)
    return found


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    own = House(tmp_path / "home")
    yield own
    assert own.processes() == set()


def test_it_comes_up_starts_killed_services_again_does_a_night_sells_a_store_though_killed_and_ctrl_c_leaves_nothing(
    house: House,
) -> None:
    process = house.up()
    try:
        wait_until(lambda: "Everything is up" in house.said or process.poll() is not None, lambda: house.said)
        assert process.poll() is None, house.said
        assert house.settings.prefect.url in house.said
        assert house.settings.mlflow.url in house.said
        kill_two_services(house)
        control, lake = live_control(house.settings), Lake(house.settings)
        ask_as_anyone_would(house, "nightly/nightly-close-and-price")
        wait_until(lambda: is_done(lake, DEFAULT_START), lambda: house.said)
        wait_until(lambda: is_completed(house, f"nightly-{DEFAULT_START}"), lambda: house.said)
        wait_until(lambda: begins(control, "S02"), lambda: house.said)
        wait_until(lambda: days_sold_live(lake), lambda: house.said)
        day = days_sold_live(lake)[0]
        wait_until(lambda: (found := sold_so_far(lake, day)) and found.mark.tick >= 2, lambda: house.said)
        assert "Opened Milk" in house.said
        killed = wait_until(lambda: status_of(control, "S02"), lambda: house.said)
        assert killed is not None
        os.kill(process_of(killed.run_id), signal.SIGKILL)
        wait_until(lambda: (found := status_of(control, "S02")) and found.state == "failed", lambda: house.said)
        wait_until(lambda: begins(control, "S02"), lambda: house.said)
        wait_until(lambda: "going on from tick" in house.said, lambda: house.said)
        process.send_signal(signal.SIGINT)
        begun = time.monotonic()
        assert process.wait(timeout=30) == 130
        assert time.monotonic() - begun < 5
        assert "stopped; everything that was published is kept" in house.said
        assert house.processes() == set()
        assert verify(lake).findings == ()
        assert day == LiveDay("S02", day.business_date)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)


@pytest.mark.parametrize("with_wrappers", [False, True], ids=["up alone", "the wrappers first"])
def test_killed_outright_it_takes_everything_with_it(house: House, with_wrappers: bool) -> None:
    process = house.up()
    wait_until(lambda: len(house.processes()) >= STARTED or process.poll() is not None, lambda: house.said)
    assert process.poll() is None, house.said
    for number in pids_of(house, "plugins/operations/up/child_process.py") if with_wrappers else []:
        os.kill(number, signal.SIGKILL)
    process.kill()
    process.wait(timeout=10)
    wait_until(lambda: not house.processes(), lambda: str(house.processes()))


def test_a_signal_while_it_starts_ends_it_with_its_code(house: House) -> None:
    process = house.up()
    wait_until(lambda: len(house.processes()) >= STARTED or process.poll() is not None, lambda: house.said)
    process.terminate()
    begun = time.monotonic()
    assert process.wait(timeout=30) == 143
    assert time.monotonic() - begun < 5
    assert house.said.splitlines()[-1] == "stopped; everything that was published is kept"


def test_a_port_in_use_is_one_line_that_names_it_and_the_setting(terminal: Terminal) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        free = {f"SHELFPRICE_{name.upper()}_ADDRESS": f"127.0.0.1:{free_port()}" for name in SERVICES}
        answer = Terminal(terminal.home, {**free, "SHELFPRICE_MLFLOW_ADDRESS": taken})("up")
    assert answer.returncode == 1
    line = answer.stderr.strip()
    assert line.startswith(f"error: {taken} cannot be listened on")
    assert "mlflow needs it" in line
    assert "set SHELFPRICE_MLFLOW_ADDRESS to another address" in line
    assert "\n" not in line


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"SHELFPRICE_PREFECT_ADDRESS": "0.0.0.0:4200"}, "set PREFECT_SERVER_API_AUTH_STRING"),
        ({"SHELFPRICE_MLFLOW_ADDRESS": "0.0.0.0:5000"}, "MLflow's credential would cross the network"),
        ({"SHELFPRICE_MONITOR_ADDRESS": "8050"}, "expected a host and a port such as 127.0.0.1:8050, found '8050'"),
        ({"SHELFPRICE_PREFECT_ADDRESS": "127.0.0.1:70000"}, "found '127.0.0.1:70000'"),
    ],
)
def test_a_door_that_would_stand_open_or_is_none_is_refused(
    terminal: Terminal, changes: dict[str, str], said: str
) -> None:
    answer = Terminal(terminal.home, changes)("up")
    assert answer.returncode == 1
    assert said in answer.stderr
