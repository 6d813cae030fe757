"""PostgreSQL for locks that all machines see, for Prefect and for MLflow: on a server of the tests' own.

A machine is a home and processes of its own. What they share is the database alone.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from postgres import PostgresServer, postgres_server
from pydantic import SecretStr
from shell import PATIENCE, SHELFPRICE

from catalog.errors import Declined, ServiceError
from catalog.settings import LockPlace, Settings, read_settings
from plugins.operations.machines.advisory_locks import end_sessions
from plugins.operations.machines.postgresql import connected
from warehouse.commits.locks import held, is_held, waited_for

ABOUT = "s3://bucket/lake"
OURS = "10.99.7.1"
FREED_WITHIN = 10.0  # seconds
UP_WITHIN = 400.0  # seconds, of two at once on a busy machine
HOLD = """
import logging, os, sys
from pathlib import Path
from pydantic import SecretStr
from catalog.settings import LockPlace
from warehouse.commits import locks
logging.basicConfig()
folder, about, name = sys.argv[1:]
try:
    with locks.held(LockPlace(Path(folder), about, SecretStr(os.environ["AT"])), name):
        print("held", flush=True)
        sys.stdin.read()
except Exception as error:
    sys.exit(str(error))
"""
REGISTER = """
import mlflow
from flows.environment import prepare
client = mlflow.MlflowClient(prepare().tracking_uri)
run = client.create_run(client.create_experiment("tried"))
client.log_text(run.info.run_id, "trees", "model/trees.txt")
client.create_registered_model("tried")
version = client.create_model_version("tried", f"runs:/{run.info.run_id}/model", run.info.run_id)
print(version.version, run.info.artifact_uri)
"""
FETCH = """
import mlflow
from flows.environment import prepare
settings = prepare()
client = mlflow.MlflowClient(settings.tracking_uri)
run = client.get_model_version("tried", "1").run_id
folder = mlflow.artifacts.download_artifacts(run_id=run, artifact_path="model", tracking_uri=settings.tracking_uri)
print(open(folder + "/trees.txt").read())
"""

_names = count()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    with postgres_server(tmp_path_factory.mktemp("database") / "postgres") as server:
        yield server


@pytest.fixture
def address(server: PostgresServer) -> str:
    """The address of an empty database."""
    if not server.answers():
        server.start()
    return server.create(f"empty_{next(_names)}")


@pytest.fixture
def places(address: str, tmp_path: Path) -> Iterator[tuple[LockPlace, LockPlace]]:
    """The locks of two machines that work on one lake."""
    one, other = (LockPlace(tmp_path / name, ABOUT, SecretStr(address)) for name in ("one", "other"))
    yield one, other
    end_sessions()


@contextmanager
def holder(place: LockPlace, name: str, before: tuple[str, ...] = ()) -> Iterator[subprocess.Popen[str]]:
    """Run a process on another machine that holds a lock until its input ends; `before` stands before its command."""
    assert place.database is not None
    with subprocess.Popen(
        (*before, sys.executable, "-c", HOLD, str(place.folder), place.about, name),
        env={**os.environ, "AT": place.database.get_secret_value()},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def until(true: Callable[[], object], seconds: float = FREED_WITHIN) -> float:
    """Wait until something is true, and return how many seconds that took."""
    begun = time.monotonic()
    while not true():
        assert time.monotonic() - begun < seconds, f"not within {seconds:.0f} s"
        time.sleep(0.05)
    return time.monotonic() - begun


def test_what_one_machine_locks_another_is_refused_and_told_by_whom(places: tuple[LockPlace, LockPlace]) -> None:
    here, there = places
    with holder(there, "night") as process:
        with pytest.raises(Declined, match=rf"by process {process.pid} on {socket.gethostname()}; nothing was changed"):
            held(here, "night").__enter__()
        assert is_held(here, "night")
        assert not is_held(here, "learning")
        assert not is_held(LockPlace(here.folder, "s3://bucket/another", here.database), "night")
    until(lambda: not is_held(here, "night"))


def test_a_lock_about_a_machines_own_processes_is_no_others(places: tuple[LockPlace, LockPlace]) -> None:
    here, there = places
    with holder(there, "worker"), held(here, "worker"):
        assert is_held(there, "worker")
    until(lambda: not is_held(there, "worker"))


def test_killing_the_holder_frees_its_lock(places: tuple[LockPlace, LockPlace]) -> None:
    here, there = places
    with holder(there, "night") as process:
        process.kill()
        until(lambda: not is_held(here, "night"))
        with held(here, "night"):
            assert is_held(there, "night")


def test_who_waits_for_a_lock_gets_it_when_its_holder_ends(places: tuple[LockPlace, LockPlace]) -> None:
    here, there = places
    with holder(there, "learning") as process:
        begun = time.monotonic()
        with subprocess.Popen(("sh", "-c", f"sleep 1.5; kill -9 {process.pid}")), waited_for(here, "learning"):
            assert time.monotonic() - begun > 1.0


def test_a_session_that_is_lost_loses_its_locks_and_its_holder_goes_on(
    server: PostgresServer, address: str, places: tuple[LockPlace, LockPlace]
) -> None:
    here, there = places
    with holder(there, "night") as process:
        name = f"process {process.pid} on %"
        server.run(
            f"select pg_terminate_backend(pid) from pg_stat_activity where application_name like '{name}'",  # noqa: S608
            address.rpartition("/")[2],
        )
        until(lambda: not is_held(here, "night"))
        with held(here, "night"):
            process.communicate("")
        assert process.returncode == 0


def test_a_server_that_is_killed_refuses_locks_within_seconds_until_it_starts(
    server: PostgresServer, places: tuple[LockPlace, LockPlace]
) -> None:
    here, there = places
    with holder(there, "night") as process:
        server.kill()
        begun = time.monotonic()
        with pytest.raises(ServiceError) as told:
            held(here, "learning").__enter__()
        assert not is_held(here, "night")
        assert time.monotonic() - begun < 10
        assert f"127.0.0.1:{server.port}" in str(told.value)
        assert server.password not in str(told.value)
        server.start()
        with held(here, "learning"):
            _, said = process.communicate("")
        assert process.returncode == 0
        assert server.password not in said


def test_a_wrong_password_is_refused_in_one_line_that_shows_none(server: PostgresServer, tmp_path: Path) -> None:
    wrong = SecretStr(server.url().replace(server.password, "mistyped"))
    with pytest.raises(ServiceError, match="password authentication failed") as told:
        held(LockPlace(tmp_path, ABOUT, wrong), "night").__enter__()
    assert "mistyped" not in str(told.value)
    assert "\n" not in str(told.value)
    end_sessions()


def test_both_sides_take_a_silent_connection_for_lost_within_a_minute(address: str) -> None:
    with connected(SecretStr(address), "a test") as connection:
        shown = {
            name: int(connection.execute(f"show {name}").fetchall()[0][0].removesuffix("s"))
            for name in ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count")
        }
        with socket.socket(fileno=os.dup(connection.fileno())) as line:
            idle = line.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
            pause = line.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL)
            probes = line.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT)
    assert shown == {"tcp_keepalives_idle": 10, "tcp_keepalives_interval": 5, "tcp_keepalives_count": 3}
    assert idle + pause * probes <= 60


@pytest.fixture
def other_machine() -> Iterator[tuple[str, ...]]:
    """The beginning of commands that run on another machine: a network namespace, at the end of a cable of ours."""
    cable, end, name = "sp-test0", "sp-test1", "shelfprice-test"
    inside = ("ip", "netns", "exec", name)
    made = (
        ("ip", "netns", "add", name),
        ("ip", "link", "add", cable, "type", "veth", "peer", "name", end, "netns", name),
        ("ip", "addr", "add", f"{OURS}/24", "dev", cable),
        ("ip", "link", "set", cable, "up"),
        (*inside, "ip", "addr", "add", "10.99.7.2/24", "dev", end),
        (*inside, "ip", "link", "set", end, "up"),
    )
    try:
        for command in made:
            if subprocess.run(command, check=False, capture_output=True).returncode:
                pytest.skip("network namespaces cannot be made here")
        yield inside
    finally:
        subprocess.run(("ip", "link", "del", cable), check=False, capture_output=True)
        subprocess.run(("ip", "netns", "del", name), check=False, capture_output=True)


def test_a_machine_that_vanishes_frees_its_lock_within_a_minute(other_machine: tuple[str, ...], tmp_path: Path) -> None:
    with postgres_server(tmp_path / "postgres", "10.99.7.0/24") as server:
        here = LockPlace(tmp_path / "here", ABOUT, SecretStr(server.url()))
        there = LockPlace(tmp_path / "there", ABOUT, SecretStr(server.url().replace("127.0.0.1", OURS)))
        with holder(there, "night", before=other_machine):
            assert is_held(here, "night")
            subprocess.run(("ip", "link", "set", "sp-test0", "down"), check=True)
            assert until(lambda: not is_held(here, "night"), 60) > 5
        end_sessions()


@dataclass(frozen=True)
class Machine:
    """A home with all services of its own, which are started on one database at the same moment as another's."""

    home: Path
    changes: dict[str, str]

    @property
    def environ(self) -> dict[str, str]:
        others = {name: text for name, text in os.environ.items() if not name.startswith(("PREFECT_", "MLFLOW_T"))}
        return {**others, "SHELFPRICE_HOME": str(self.home), "COLUMNS": "200", **self.changes}

    @property
    def settings(self) -> Settings:
        return read_settings(self.environ)

    @property
    def log(self) -> Path:
        return self.home.with_suffix(".log")

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, env=self.environ, capture_output=True, text=True, timeout=PATIENCE, check=False)

    def python(self, program: str) -> str:
        done = self.run(sys.executable, "-c", program)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


def free_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return f"127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture(scope="module")
def machines(server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Machine]]:
    """Two machines whose services were started at once on one empty database."""
    folder, database = tmp_path_factory.mktemp("machines"), server.create("shared")
    both, started = [], []
    try:
        for name in ("one", "other"):
            own = {
                f"SHELFPRICE_{service}_ADDRESS": free_address() for service in ("PREFECT", "MLFLOW", "MONITOR", "API")
            }
            machine = Machine(folder / name, {"SHELFPRICE_DATABASE": database, **own})
            both.append(machine)
            with machine.log.open("w") as log:
                started.append(subprocess.Popen((*SHELFPRICE, "up"), env=machine.environ, stdout=log, stderr=log))

        def all_answer() -> bool:
            for process, machine in zip(started, both, strict=True):
                assert process.poll() is None, machine.log.read_text()
            return all("Everything is up" in machine.log.read_text() for machine in both)

        until(all_answer, UP_WITHIN)
        yield both
    finally:
        for process in started:
            process.send_signal(signal.SIGINT)
        for process in started:
            process.wait(PATIENCE)


def test_two_that_start_all_services_at_once_on_an_empty_database_make_its_tables_once(
    server: PostgresServer, machines: list[Machine]
) -> None:
    noted = server.run("select service from prefect.shelfprice_migrations order by 1", "shared").splitlines()
    assert noted == ["mlflow", "prefect"]
    until(lambda: len(set(server.run("select name from prefect.worker", "shared").splitlines())) == 2, 60.0)
    assert not list(machines[0].home.glob("**/*.db"))


def test_a_flow_run_of_either_machine_is_recorded_in_the_database(
    server: PostgresServer, machines: list[Machine]
) -> None:
    for machine, date in zip(machines, ("2026-03-02", "2026-03-03"), strict=True):
        done = machine.run(*SHELFPRICE, "simulate", "--start", date, "--days", "1", "--stores", "1")
        assert done.returncode == 0, done.stderr
    runs = server.run("select name, state_type from prefect.flow_run where name like 'simulate-%'", "shared")
    assert set(runs.splitlines()) >= {"simulate-2026-03-02|COMPLETED", "simulate-2026-03-03|COMPLETED"}


def test_a_model_is_registered_with_its_files_through_the_server(
    server: PostgresServer, machines: list[Machine]
) -> None:
    one = machines[0]
    assert one.settings.tracking_uri == one.settings.mlflow.url
    assert one.python(REGISTER).startswith("1 mlflow-artifacts:/")
    assert one.python(FETCH) == "trees"
    assert server.run("select name, version from mlflow.model_versions", "shared") == "tried|1"
    assert list(one.settings.artifacts.glob("**/trees.txt"))


def test_no_log_no_file_and_no_process_list_shows_the_password_also_after_an_outage(
    server: PostgresServer, machines: list[Machine]
) -> None:
    sold = machines[0].run(*SHELFPRICE, "simulate", "--start", "2026-03-04", "--days", "1", "--stores", "1")
    assert sold.returncode == 0, sold.stderr
    server.kill()
    until(lambda: all("does not answer as it should" in machine.log.read_text() for machine in machines))
    for command in (("health", "--files"), ("sql", "select 1")):
        assert machines[0].run(*SHELFPRICE, *command).returncode == 0
    begun = time.monotonic()
    refused = machines[0].run(*SHELFPRICE, "simulate", "--days", "1", "--stores", "1")
    assert time.monotonic() - begun < 10
    assert refused.returncode == 1
    assert f"PostgreSQL at 127.0.0.1:{server.port}/shared" in refused.stderr.splitlines()[-1]
    server.start()
    until(lambda: all("answers again" in machine.log.read_text() for machine in machines), 30)
    until(lambda: machines[0].run(*SHELFPRICE, "simulate", "--days", "1", "--stores", "1").returncode == 0, PATIENCE)
    files = [file for machine in machines for file in (machine.log, *machine.home.rglob("*")) if file.is_file()]
    assert len(files) > 20
    assert not [file for file in files if server.password.encode() in file.read_bytes()]
    commands = list(_command_lines())
    assert any(b"plugins.operations.up.prefect_server" in line for line in commands)
    assert not [line for line in commands if server.password.encode() in line]


def _command_lines() -> Iterator[bytes]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended
            yield path.read_bytes()
