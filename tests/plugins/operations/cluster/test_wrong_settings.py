"""A setting that cannot work is told in one line before Prefect starts, with what to do about it."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from certificates import certificates_in
from dask_servers import Cluster, cluster_in
from run_servers import running

from catalog.errors import ShelfpriceError
from flows import environment
from plugins.operations.deploy.servers.dask import Dask
from plugins.operations.deploy.servers.ports import free_address
from plugins.operations.deploy.servers.postgres import Postgres
from plugins.operations.deploy.servers.seaweed import Seaweed

WITHIN = 5.0  # seconds of this process; the machine may be busy
PASSWORD = "only-for-tests"  # noqa: S105 - of nothing


def refusal(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> str:
    """Begin a command with these settings, and return the one line with which it ends; no flow is imported."""
    monkeypatch.setattr(environment, "import_module", lambda *_: pytest.fail("a flow was imported"))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    for name, text in variables.items():
        monkeypatch.setenv(name, text)
    begun = time.process_time()
    with pytest.raises(ShelfpriceError) as refused, environment.ready():
        pass
    assert time.process_time() - begun < WITHIN
    said = str(refused.value)
    assert "\n" not in said
    assert PASSWORD not in said
    return said


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    return {"SHELFPRICE_HOME": str(tmp_path / "home")}


@pytest.fixture
def certificates(tmp_path: Path) -> dict[str, str]:
    return certificates_in(tmp_path / "certificates")


STORE = {
    "SHELFPRICE_LAKE": "s3://shelfprice/lake",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ACCESS_KEY_ID": "shelfprice",
    "AWS_SECRET_ACCESS_KEY": PASSWORD,
}


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"SHELFPRICE_LAKE": "gs://bucket"}, "SHELFPRICE_LAKE: expected s3://bucket/prefix"),
        ({**STORE, "AWS_ENDPOINT_URL": "http://10.0.0.1:8333"}, "AWS_ENDPOINT_URL: expected https:// off loopback"),
        ({**STORE, "AWS_SECRET_ACCESS_KEY": ""}, "AWS_SECRET_ACCESS_KEY: expected the login of the object store"),
        ({**STORE, "AWS_ACCESS_KEY_ID": ""}, "AWS_ACCESS_KEY_ID: expected the login of the object store"),
        (STORE, "expected an object store at http://127.0.0.1:9; it does not answer"),
        ({"SHELFPRICE_DASK": "http://127.0.0.1:8786"}, "SHELFPRICE_DASK: expected tls://host:port"),
        ({"SHELFPRICE_DASK": "tcp://10.0.0.1:8786"}, "SHELFPRICE_DASK: expected tls:// off loopback"),
        ({"SHELFPRICE_DASK": "tcp://127.0.0.1:9"}, "expected a Dask scheduler at tcp://127.0.0.1:9, found: "),
        ({"SHELFPRICE_DASK": "tls://127.0.0.1:9"}, "SHELFPRICE_DASK_CA: expected a file in PEM, found nothing"),
        ({"SHELFPRICE_DATABASE": "mysql://a:b@host/name"}, "SHELFPRICE_DATABASE: expected postgresql://"),
        (
            {"SHELFPRICE_DATABASE": f"postgresql://a:{PASSWORD}@127.0.0.1:9/name"},
            "PostgreSQL at 127.0.0.1:9/name does not answer",
        ),
    ],
)
def test_an_address_or_a_login_that_cannot_be_used_is_named(
    monkeypatch: pytest.MonkeyPatch, home: dict[str, str], variables: dict[str, str], said: str
) -> None:
    assert said in refusal(monkeypatch, home | variables)


@pytest.mark.parametrize(
    ("variable", "other", "said"),
    [
        ("SHELFPRICE_DASK_KEY", "nowhere.pem", "SHELFPRICE_DASK_KEY: expected a file in PEM, found no file at"),
        ("SHELFPRICE_DASK_CA", "no.pem", "SHELFPRICE_DASK_CA: expected what makes a certificate in PEM, cannot use"),
        ("SHELFPRICE_DASK_CERT", "no.pem", "SHELFPRICE_DASK_CERT with SHELFPRICE_DASK_KEY: expected what makes"),
        ("SHELFPRICE_DASK_KEY", "others/key.pem", "SHELFPRICE_DASK_CERT with SHELFPRICE_DASK_KEY: expected what makes"),
    ],
)
def test_a_certificate_that_cannot_be_used_is_named(
    monkeypatch: pytest.MonkeyPatch,
    home: dict[str, str],
    certificates: dict[str, str],
    tmp_path: Path,
    variable: str,
    other: str,
    said: str,
) -> None:
    certificates_in(tmp_path / "others")
    (tmp_path / "no.pem").write_text("no certificate")
    wrong = certificates | {variable: str(tmp_path / other), "SHELFPRICE_DASK": "tls://127.0.0.1:9"}
    assert said in refusal(monkeypatch, home | wrong)


def test_something_that_listens_and_is_no_scheduler_is_named(
    monkeypatch: pytest.MonkeyPatch, home: dict[str, str], certificates: dict[str, str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        at = f"127.0.0.1:{silent.getsockname()[1]}"
        for how in ("tcp", "tls"):
            said = refusal(monkeypatch, home | certificates | {"SHELFPRICE_DASK": f"{how}://{at}"})
            assert f"expected a Dask scheduler at {how}://{at}, found one that does not let us in" in said


def test_an_object_store_or_a_database_that_refuses_us_is_named(
    monkeypatch: pytest.MonkeyPatch, home: dict[str, str], object_store: Seaweed, database: Postgres
) -> None:
    store = {**home, **object_store.environment, "SHELFPRICE_LAKE": "s3://shelfprice/wrong"}
    assert "it has no bucket 'absent'" in refusal(monkeypatch, store | {"SHELFPRICE_LAKE": "s3://absent/lake"})
    assert "it refuses our key" in refusal(monkeypatch, store | {"AWS_SECRET_ACCESS_KEY": PASSWORD})
    monkeypatch.delenv("SHELFPRICE_LAKE")
    for wrong in (database.url.replace(database.password, PASSWORD), f"{database.url}x"):
        assert "does not answer as it should" in refusal(monkeypatch, home | {"SHELFPRICE_DATABASE": wrong})


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("encrypted")
    with cluster_in(folder / "home", "tls", **certificates_in(folder / "ours")) as started:
        yield started


def test_a_cluster_that_does_not_fit_is_named(
    monkeypatch: pytest.MonkeyPatch, certificates: dict[str, str], encrypted: Cluster, tmp_path: Path
) -> None:
    ours = encrypted.variables
    refused = "found one that does not let us in"
    assert refused in refusal(monkeypatch, ours | certificates)  # of another authority
    assert refused in refusal(monkeypatch, ours | {"SHELFPRICE_DASK": ours["SHELFPRICE_DASK"].replace("tls", "tcp")})
    elsewhere = refusal(monkeypatch, ours | {"SHELFPRICE_HOME": str(tmp_path / "elsewhere")})
    assert "cannot be used: it does not see the lake" in elsewhere


def test_a_cluster_without_workers_is_named(monkeypatch: pytest.MonkeyPatch, home: dict[str, str]) -> None:
    dask = Dask(Path(home["SHELFPRICE_HOME"]), free_address(), 0)
    with running(*dask.services()):
        said = refusal(monkeypatch, home | {"SHELFPRICE_DASK": dask.url})
    assert f"expected workers at {dask.url}, found none within 4 s; nothing was done: start them" in said
