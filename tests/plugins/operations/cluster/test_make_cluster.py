"""`make cluster`: all of it comes up, ends with whoever started it, and goes on with the same data."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import psycopg
import pytest
from botocore.config import Config

from catalog.addresses import Address
from plugins.operations.deploy.cluster import main
from plugins.operations.deploy.make_bucket import is_usable
from plugins.operations.deploy.servers.dask import Dask
from plugins.operations.deploy.servers.seaweed import BUCKET
from plugins.operations.deploy.settings import ClusterOnThisMachine, open_cluster

PATIENCE = 240.0  # seconds; the machine may be busy
ENDS_WITHIN = 10.0
WORKERS = 1


class Started:
    """`make cluster` in a folder of its own."""

    def __init__(self, folder: Path, log_file: Path) -> None:
        self.folder, self.log = folder, log_file
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "plugins.operations.deploy.cluster",
                    "--folder",
                    str(folder),
                    "--workers",
                    str(WORKERS),
                ],
                env={**os.environ, "COLUMNS": "200", "TEST_CLUSTER": str(folder)},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def environment(self) -> dict[str, str]:
        """What `source env` sets."""
        shown = subprocess.run(
            ["bash", "-c", f"source {self.folder}/env; env -0"], capture_output=True, text=True, check=True, env={}
        )
        return dict(line.split("=", 1) for line in shown.stdout.split("\0") if line)

    @property
    def is_up(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        return "The cluster is up" in self.log.read_text()

    def living(self) -> dict[int, str]:
        """Return every process of it, with its command line."""
        mark, found = f"TEST_CLUSTER={self.folder}".encode(), {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (folder / "environ").read_bytes().split(b"\0") and (folder / "cmdline").read_bytes():
                    found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue  # it has ended, or is not ours
        return found

    def end(self, number: signal.Signals) -> float:
        """Send a signal and return the seconds until nothing of it is left."""
        begun = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(timeout=PATIENCE)
        wait_until(lambda: not self.living(), PATIENCE)
        return time.monotonic() - begun


def wait_until(holds: Callable[[], object], limit: float) -> None:
    until = time.monotonic() + limit
    while not holds():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.1)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Started]]:
    all_started: list[Started] = []

    def begin() -> Started:
        all_started.append(Started(tmp_path / "cluster", tmp_path / f"{len(all_started)}.log"))
        return all_started[-1]

    yield begin
    for one in reversed(all_started):  # the last one is at work in the folder of all
        one.end(signal.SIGKILL)


def test_every_part_answers_and_ctrl_c_ends_all_of_it(start: Callable[[], Started]) -> None:
    cluster = start()
    wait_until(lambda: cluster.is_up, PATIENCE)
    given = cluster.environment
    assert (cluster.folder / "env").stat().st_mode & 0o777 == 0o600
    for name in ("MONITOR", "PREFECT", "MLFLOW"):
        assert httpx.get(f"http://{given[f'SHELFPRICE_{name}_ADDRESS']}", timeout=30).status_code in {200, 307, 401}
    assert given["SHELFPRICE_LAKE"] == "s3://shelfprice/lake"
    assert is_answered(given)
    assert workers_of(given, cluster.folder) == {"dask-1"}
    version = subprocess.run(
        ["bash", "-c", f"source {cluster.folder}/env; shelfprice --version"], capture_output=True, env={}, check=True
    )
    assert version.stdout.startswith(b"shelfprice ")
    secrets = [given["AWS_SECRET_ACCESS_KEY"], given["SHELFPRICE_DATABASE"].split(":")[2].split("@")[0]]
    said = cluster.log.read_text() + "\n".join(cluster.living().values())
    assert not any(secret in said for secret in secrets)

    assert cluster.end(signal.SIGINT) < ENDS_WITHIN
    assert cluster.process.returncode == 128 + signal.SIGINT


def test_a_second_start_goes_on_with_the_same_data_a_death_is_told_and_a_kill_leaves_nothing(
    start: Callable[[], Started],
) -> None:
    first = start()
    wait_until(lambda: is_answered(first.environment), PATIENCE)
    keep(first.environment)
    assert first.end(signal.SIGTERM) < ENDS_WITHIN

    second = start()
    wait_until(lambda: is_answered(second.environment), PATIENCE)
    assert is_kept(second.environment)
    (store,) = (number for number, command in second.living().items() if command.split()[0].endswith("/weed"))
    os.kill(store, signal.SIGKILL)
    wait_until(lambda: "objects   | exited with code 137 (SIGKILL)" in second.log.read_text(), PATIENCE)
    wait_until(lambda: "objects   | answers again" in second.log.read_text(), PATIENCE)
    assert is_kept(second.environment)
    assert second.end(signal.SIGKILL) < ENDS_WITHIN


def keep(given: dict[str, str]) -> None:
    s3(given).put_object(Bucket=BUCKET, Key="kept", Body=b"42")
    with psycopg.connect(given["SHELFPRICE_DATABASE"]) as connection:
        connection.execute("create table kept as select 42 as answer")


def is_answered(given: dict[str, str]) -> bool:
    """Tell whether both stores can be used by what the file of settings says: objects are read, too."""
    if "SHELFPRICE_DATABASE" not in given:
        return False
    try:
        psycopg.connect(given["SHELFPRICE_DATABASE"]).close()
    except psycopg.OperationalError:
        return False
    return is_usable(s3(given, 1), BUCKET)


def is_kept(given: dict[str, str]) -> bool:
    with psycopg.connect(given["SHELFPRICE_DATABASE"]) as connection:
        row = connection.execute("select answer from kept").fetchone()
    return row == (42,) and s3(given).get_object(Bucket=BUCKET, Key="kept")["Body"].read() == b"42"


def s3(given: dict[str, str], attempts: int = 6) -> Any:
    """Return a client, who asks again as clients do: a store that starts again knows its volumes one by one."""
    return boto3.client(
        "s3",
        endpoint_url=given["AWS_ENDPOINT_URL"],
        region_name=given["AWS_REGION"],
        aws_access_key_id=given["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=given["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"total_max_attempts": attempts}),
    )


def workers_of(given: dict[str, str], folder: Path) -> set[str]:
    """Return the workers that the scheduler names to whoever shows our certificate."""
    host, _, port = given["SHELFPRICE_DASK"].removeprefix("tls://").rpartition(":")
    certificates = {name: text for name, text in given.items() if name.startswith("SHELFPRICE_DASK_")}
    return Dask(folder, Address(host, int(port), "SHELFPRICE_DASK"), WORKERS, certificates, "tls").names()


def test_the_secrets_of_a_folder_are_made_once(tmp_path: Path) -> None:
    def secrets_of(cluster: ClusterOnThisMachine) -> tuple[str, ...]:
        return cluster.postgres.password, cluster.objects.key, cluster.objects.secret

    first = secrets_of(open_cluster(tmp_path / "cluster", 1))
    assert secrets_of(open_cluster(tmp_path / "cluster", 1)) == first
    assert secrets_of(open_cluster(tmp_path / "another", 1)) != first


def test_a_folder_whose_cluster_runs_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import fcntl

    monkeypatch.setattr(sys, "argv", ["cluster", "--folder", str(tmp_path)])
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    with (tmp_path / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(SystemExit, match="1"):
            main()
    for number, handler in before.items():
        signal.signal(number, handler)
    assert "its cluster runs already" in " ".join(capsys.readouterr().err.split())
