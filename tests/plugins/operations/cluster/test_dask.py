"""Work on a real Dask cluster: the same receipts as on one machine, whatever is killed, and no stranger let in."""

import datetime as dt
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest
import spread_jobs
from certificates import certificates_in
from dask_servers import Cluster, cluster_in
from spread_jobs import Numbered

pytest.importorskip("distributed", reason="make install-cluster")

from distributed import Client, Security

from catalog.errors import ServiceError, SettingError
from catalog.load import CLASSIC, load
from catalog.settings import Settings, read_settings
from catalog.spread import HERE, Spread
from etl.batches import BatchResult
from etl.transform import transform
from flows.spreading import spreading
from flows.workspace import prepared
from plugins.evaluation.as_shipped.lived_days import WorldToLive, live
from plugins.evaluation.worlds import asked_worlds
from plugins.operations.checks.proving import verify
from plugins.operations.deploy.servers.seaweed import BUCKET, Seaweed
from plugins.operations.machines import on_dask
from plugins.operations.machines.on_dask import connected
from serving.store.play import batches_to_play, play_one, priced_batches
from warehouse.lake import Lake
from warehouse.workspace import Workspace

DATES = [dt.date(2026, 1, 5) + dt.timedelta(days=day) for day in range(12)]
STORES = 300


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster that the tests which kill no scheduler share."""
    with cluster_in(tmp_path_factory.mktemp("shared") / "home") as started:
        yield started


@pytest.fixture
def cluster(shared: Cluster) -> Cluster:
    """The shared cluster, with an empty lake."""
    _empty(shared)
    return shared


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster of a test's own."""
    with cluster_in(tmp_path / "home") as started:
        yield started


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What one machine makes of the same dates."""
    workspace = _opened(read_settings({"SHELFPRICE_HOME": str(tmp_path_factory.mktemp("embedded"))}))
    play(workspace, HERE)
    transform(workspace)
    return receipts(workspace.lake)


def play(workspace: Workspace, spread: Spread, on_done: object = None) -> list[BatchResult]:
    """Play twelve dates."""
    jobs = batches_to_play(workspace, priced_batches(workspace, DATES, STORES, "static"), "static", 7, spread)
    return spread(play_one, jobs, on_done or (lambda *_: None))  # type: ignore[arg-type]


def receipts(lake: Lake) -> dict[str, str]:
    """Return the SHA-256 of every partition, once all of them are proven."""
    assert not verify(lake).findings
    tables = ("interactions", "repricings", "days_in_force", "demand_cells")
    found = [(part, lake.receipt(part)) for table in tables for part in lake.partitions(table)]
    return {str(part): receipt.sha256 for part, receipt in found if receipt is not None}


def finished(cluster: Cluster) -> dict[str, str]:
    """Play what is missing and group it on the cluster, and return the receipts."""
    workspace = _opened(cluster.settings)
    with spreading(cluster.settings, seconds=0) as spread:
        play(workspace, spread)
        transform(workspace, spread=spread)
    return receipts(workspace.lake)


def test_receipts_are_those_of_one_machine(cluster: Cluster, expected: dict[str, str]) -> None:
    workspace, told = _opened(cluster.settings), list[tuple[int, int]]()
    with spreading(cluster.settings, seconds=0) as spread:
        assert spread.width == 2
        first = play(workspace, spread, lambda *done: told.append(done))
        second = play(workspace, spread)
        transform(workspace, spread=spread)
    assert [result.batch.business_date for result in first] == DATES
    assert {result.action for result in first} == {"played"}
    assert {result.action for result in second} == {"unchanged"}
    assert told == [(done, len(DATES)) for done in range(1, len(DATES) + 1)]
    assert receipts(workspace.lake) == expected
    assert list((cluster.settings.lake / "tokens").iterdir()) == []


def test_receipts_are_those_of_one_machine_where_the_lake_is_in_a_bucket(
    object_store: Seaweed, tmp_path: Path, expected: dict[str, str]
) -> None:
    variables = {**object_store.environment, "SHELFPRICE_LAKE": f"s3://{BUCKET}/{uuid4().hex[:12]}"}
    with cluster_in(tmp_path / "home", **variables) as cluster:
        assert finished(cluster) == expected


def test_flows_send_their_work_to_the_cluster_and_workers_need_no_prefect(
    cluster: Cluster, prefect_server: str, expected: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.environment import ready
    from flows.pipeline import simulate
    from flows.pipeline import transform as group

    for name, value in {**cluster.variables, "SHELFPRICE_CATALOG": str(CLASSIC)}.items():
        monkeypatch.setenv(name, value)
    with ready("flows.pipeline"):
        played = simulate(DATES[0], len(DATES), STORES, 7, "static")
        grouped = group()
    assert [result.action for result in played] == ["played"] * len(DATES)
    assert grouped.partitions == len(DATES)
    assert receipts(Lake(cluster.settings)) == expected


def test_comparisons_find_what_they_find_on_one_machine(cluster: Cluster) -> None:
    workspace = _opened(cluster.settings)
    (world,) = asked_worlds(["classic"], workspace.catalog)
    parts = [WorldToLive(world, seed, 1, 1) for seed in (1, 2)]
    with spreading(cluster.settings, seconds=0) as spread:
        assert spread(live, parts) == HERE(live, parts)


def test_a_worker_that_is_killed_costs_little(
    cluster: Cluster, expected: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr("flows.spreading.say", said.append)
    victim = sorted(_worker_processes(cluster).values())[0]

    def kill_one(done: int, _total: int) -> None:
        if done == 2:
            os.kill(victim, signal.SIGKILL)

    workspace = _opened(cluster.settings)
    with spreading(cluster.settings, seconds=0) as spread:
        assert len(play(workspace, spread, kill_one)) == len(DATES)
        transform(workspace, spread=spread)
    assert receipts(workspace.lake) == expected
    assert victim not in _worker_processes(cluster).values()


def test_a_job_that_kills_its_workers_is_named_and_all_others_are_done(cluster: Cluster, tmp_path: Path) -> None:
    _opened(cluster.settings)
    jobs = [Numbered(number, tmp_path) for number in range(6)]
    with (
        pytest.raises(ServiceError, match=r"found that 3 at .* died while they had .*number 2.*; everything else"),
        spreading(cluster.settings, seconds=0) as spread,
    ):
        spread(spread_jobs.die_at_two, jobs)
    assert jobs[2].marks("begun") == 3
    assert all(job.marks("begun") for job in jobs)


def test_after_the_scheduler_is_killed_the_same_command_finishes(own: Cluster, expected: dict[str, str]) -> None:
    workspace = _opened(own.settings)

    def kill_scheduler(done: int, _total: int) -> None:
        if done == 2:
            own.kill("scheduler")

    with (
        pytest.raises(ServiceError, match=r"the Dask scheduler at tcp://127.0.0.1:\d+ is gone; what was published"),
        spreading(own.settings, seconds=0) as spread,
    ):
        play(workspace, spread, kill_scheduler)
    own.kill("worker")
    own.start()
    assert finished(own) == expected


def test_after_the_driver_is_killed_the_same_command_finishes_at_once(
    cluster: Cluster, expected: dict[str, str]
) -> None:
    workspace = _opened(cluster.settings)
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import test_dask\n"
        "from flows.spreading import spreading\n"
        "from catalog.settings import read_settings\n"
        "with spreading(read_settings(), seconds=0) as spread:\n"
        "    test_dask.play(test_dask._opened(read_settings()), spread, lambda done, _: print(done, flush=True))\n"
    )
    command = [sys.executable, "-c", script, str(Path(__file__).parent)]
    with subprocess.Popen(command, env=cluster.environment, stdout=subprocess.PIPE, text=True) as driver:
        assert driver.stdout is not None
        assert driver.stdout.readline() == "1\n"
        driver.kill()
    assert len(list(workspace.lake.partitions("interactions"))) < len(DATES)
    assert finished(cluster) == expected


def test_a_lake_that_workers_do_not_see_is_refused_with_the_reason(cluster: Cluster, tmp_path: Path) -> None:
    elsewhere = {**cluster.variables, "SHELFPRICE_HOME": str(tmp_path)}
    settings = read_settings(elsewhere)
    _opened(settings)
    reason = f"it does not see the lake {tmp_path / 'lake'}, its own is {cluster.settings.lake}: set SHELFPRICE_LAKE"
    with pytest.raises(ServiceError, match=reason), spreading(settings, seconds=0):
        pass


def test_a_cluster_whose_scheduler_is_away_is_named_within_seconds(tmp_path: Path) -> None:
    with cluster_in(tmp_path / "home") as gone:
        pass
    begun = time.monotonic()
    with pytest.raises(ServiceError, match=f"expected a Dask scheduler at {gone.variables['SHELFPRICE_DASK']}"):
        spreading(gone.settings, seconds=0).__enter__()
    assert time.monotonic() - begun < 10


def late_clients(monkeypatch: pytest.MonkeyPatch, *, late: int) -> list[object]:
    """Let the event loops of the first clients start too late, and return the attempts."""
    attempts: list[object] = []

    class Late(Client):
        def __init__(self, *words: object, **options: object) -> None:
            attempts.append(words)
            assert len(attempts) > late, "as Dask, where the loop's thread has not run within ten seconds"
            super().__init__(*words, **options)

    monkeypatch.setattr(on_dask, "Client", Late)
    return attempts


def test_a_client_whose_event_loop_started_too_late_is_begun_again(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = late_clients(monkeypatch, late=1)
    with connected(cluster.settings) as client:
        assert client.submit(os.getpid).result(timeout=60) != os.getpid()
    assert len(attempts) == 2


def test_a_machine_too_busy_to_start_an_event_loop_is_named(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    late_clients(monkeypatch, late=2)
    with (
        pytest.raises(ServiceError, match="expected Dask's event loop to start within 10 s"),
        connected(cluster.settings),
    ):
        pass


def test_with_certificates_only_who_has_one_is_let_in(tmp_path: Path) -> None:
    ours, strangers = certificates_in(tmp_path / "ours"), certificates_in(tmp_path / "strangers")
    with cluster_in(tmp_path / "home", "tls", **ours) as encrypted:
        workspace = _opened(encrypted.settings)
        with spreading(encrypted.settings, seconds=0) as spread:
            assert {result.action for result in play(workspace, spread)} == {"played"}
        address = encrypted.variables["SHELFPRICE_DASK"]
        with pytest.raises(SettingError, match="SHELFPRICE_DASK_CA: expected a file in PEM, found nothing"):
            spreading(_without_certificates(encrypted), seconds=0).__enter__()
        with pytest.raises(ServiceError, match=f"a Dask scheduler at {address}, found one that does not let us in"):
            spreading(read_settings({**encrypted.variables, **strangers}), seconds=0).__enter__()
        for security in (None, Security(tls_ca_file=ours["SHELFPRICE_DASK_CA"], require_encryption=True)):
            with pytest.raises((OSError, TypeError, RuntimeError)):
                Client(address.replace("tls", "tls" if security else "tcp"), security=security, timeout=3)


def _without_certificates(cluster: Cluster) -> Settings:
    return read_settings({name: value for name, value in cluster.variables.items() if "DASK_" not in name})


def _opened(settings: Settings) -> Workspace:
    return prepared(settings, load(CLASSIC))


def _worker_processes(cluster: Cluster) -> dict[str, int]:
    with connected(cluster.settings) as client:
        client.wait_for_workers(2, timeout=60)
        return dict(client.run(os.getpid))


def _empty(cluster: Cluster) -> None:
    import shutil

    _worker_processes(cluster)  # all of them are there again
    with suppress(FileNotFoundError):
        shutil.rmtree(cluster.settings.lake)
