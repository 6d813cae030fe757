"""Where work is done: what the settings and the amount of work choose, and which clusters are refused."""

from pathlib import Path
from shutil import copytree, ignore_patterns
from types import SimpleNamespace

import pytest

from catalog.errors import ServiceError, SettingError
from catalog.settings import Settings, read_settings
from catalog.spread import HERE, InThreads
from flows.spreading import Processes, spreading
from plugins.operations.machines import dask_cluster
from plugins.operations.machines.dask_cluster import (
    cluster_environment,
    refuse_absent_cluster,
    scheduler_command,
    worker_command,
)
from plugins.operations.machines.ready import (
    Expected,
    fault_here,
    fingerprint_of_sources,
    made_ready,
    versions_here,
    work,
)


def set_to(tmp_path: Path, address: str, **more: object) -> Settings:
    variables = {f"SHELFPRICE_DASK_{name.upper()}": str(value) for name, value in more.items()}
    return read_settings({"SHELFPRICE_HOME": str(tmp_path), "SHELFPRICE_DASK": address, **variables})


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Dask seem to be installed: nothing here needs it."""
    monkeypatch.setattr(dask_cluster, "find_spec", lambda _: object())


@pytest.fixture
def encrypted(tmp_path: Path) -> Settings:
    for name in ("ca", "cert", "key"):
        (tmp_path / name).touch()
    return set_to(tmp_path, "tls://10.0.0.1:8786", ca=tmp_path / "ca", cert=tmp_path / "cert", key=tmp_path / "key")


def test_little_work_is_done_here_and_much_in_processes(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.spreading.cores", lambda: 4)
    with spreading(settings, seconds=1) as spread:
        assert spread is HERE
    with spreading(settings, seconds=1, threads=2) as spread:
        assert isinstance(spread, InThreads)
        assert spread.width == 2
    with spreading(settings, seconds=1_000, threads=2) as spread:
        assert isinstance(spread, Processes)
        assert spread.width == 4
    monkeypatch.setattr("flows.spreading.cores", lambda: 1)
    with spreading(settings, seconds=1_000) as spread:
        assert spread is HERE


def test_missing_packages_are_named_with_what_installs_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_cluster, "find_spec", lambda _: None)
    with pytest.raises(SettingError, match="run `make install-cluster`"):
        refuse_absent_cluster(set_to(tmp_path, "tcp://127.0.0.1:8786"))


def test_scheduler_and_workers_listen_where_the_setting_says_and_serve_no_pages(tmp_path: Path) -> None:
    settings = set_to(tmp_path, "tcp://127.0.0.1:8786")
    scheduler, worker = " ".join(scheduler_command(settings)), " ".join(worker_command(settings, 3))
    assert "--protocol tcp --host 127.0.0.1 --port 8786" in scheduler
    assert " tcp://127.0.0.1:8786 --nworkers 3 --nthreads 1 --nanny" in worker
    assert "--host 127.0.0.1" in worker
    for command in (scheduler, worker):
        assert "--no-dashboard --dashboard-address 127.0.0.1:0" in command
    assert cluster_environment(settings)["DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION"] == "False"


def test_off_loopback_everything_is_encrypted(tmp_path: Path, encrypted: Settings) -> None:
    certificates = f"--tls-ca-file {tmp_path / 'ca'} --tls-cert {tmp_path / 'cert'} --tls-key {tmp_path / 'key'}"
    assert certificates in " ".join(scheduler_command(encrypted))
    assert certificates in " ".join(worker_command(encrypted))
    assert cluster_environment(encrypted)["DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION"] == "True"


def test_a_worker_of_another_version_or_lake_is_refused_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELFPRICE_HOME", str(tmp_path))
    other = versions_here() | {"pyarrow": "1.0"}
    assert "pyarrow: expected 1.0, found" in str(fault_here(Expected("t", "/lake", other)))
    other = versions_here() | {"the processor": "vax"}
    assert "the processor: expected vax, found" in str(fault_here(Expected("t", "/lake", other)))
    for package in ("tzdata", "holidays", "faker", "skops"):  # what decides bytes beside those that compute
        other = versions_here() | {package: "2000.1"}
        assert f"{package}: expected 2000.1, found" in str(fault_here(Expected("t", "/lake", other)))
    everywhere = {name: found for name, found in versions_here().items() if name != "distributed"}
    assert "none" not in everywhere.values()
    unseen = Expected("t", "/lake", versions_here())
    fault = f"it does not see the lake /lake, its own is {tmp_path / 'lake'}: set SHELFPRICE_LAKE"
    assert fault in str(fault_here(unseen))
    with pytest.raises(ServiceError, match="a worker of the cluster cannot be used: it does not see the lake"):
        work(unseen, print, None)  # type: ignore[arg-type, type-var]


def test_a_worker_with_other_code_of_the_same_version_is_refused(tmp_path: Path) -> None:
    here = Path(__file__).parents[3]
    for package in ("etl", "features"):
        copytree(here / package, tmp_path / package, ignore=ignore_patterns("__pycache__"))
    installed = fingerprint_of_sources(tmp_path)
    draws = tmp_path / "etl" / "twin" / "draws.py"
    draws.write_text(f"{draws.read_text()}\nANOTHER_SEED = 1\n")
    fingerprint_of_sources.cache_clear()
    changed = fingerprint_of_sources(tmp_path)
    assert changed != installed
    next((tmp_path / "features" / "queries").glob("*.sql")).unlink()
    fingerprint_of_sources.cache_clear()
    assert fingerprint_of_sources(tmp_path) not in {changed, installed}
    other = versions_here() | {"the source of shelfprice": changed}
    fault = str(fault_here(Expected("t", "/lake", other)))
    assert fault.startswith(f"the source of shelfprice: expected {changed}, found ")
    assert fault.endswith(": install the same on all machines")


def test_a_scheduler_gives_up_a_job_with_the_third_dead_worker_and_is_refused_with_another_version() -> None:
    scheduler = SimpleNamespace(allowed_failures=9)
    assert made_ready(Expected("t", "/lake", versions_here()), scheduler) is None
    assert scheduler.allowed_failures == 2
    other = Expected("t", "/lake", versions_here() | {"distributed": "1.0"})
    assert "distributed: expected 1.0, found" in str(made_ready(other, scheduler))
