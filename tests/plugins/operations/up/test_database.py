"""How Prefect's and MLflow's servers are told of PostgreSQL, and what is said when it is away."""

import logging
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr
from shell import Terminal

from catalog.errors import LakeError, ModelError
from catalog.settings import Settings, read_settings
from flows.cli.failures import failure_line
from plugins.operations.deploy.servers.ports import free_port
from plugins.operations.machines.database import locks_of_database, mlflow_store, prefect_environment
from plugins.operations.machines.postgresql import watched
from plugins.operations.up.prefect_server import tell_outages_briefly
from plugins.operations.up.services import artifacts_of, object_store_environment, services_of

HIDDEN = "s3cr%2Ft"
ADDRESS = f"postgresql://ana:{HIDDEN}@db.example:5432/shop"
STORE = {
    "AWS_ENDPOINT_URL": "http://store:8333",
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "hidden",
    "AWS_REGION": "eu-1",
}


@pytest.fixture
def told(tmp_path: Path) -> Callable[..., Settings]:
    """Return what reads settings with a database; `query` stands behind its name."""
    pytest.importorskip("psycopg")

    def settings(query: str = "", **more: str) -> Settings:
        return read_settings({"SHELFPRICE_HOME": str(tmp_path), "SHELFPRICE_DATABASE": f"{ADDRESS}{query}", **more})

    return settings


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def test_without_a_database_no_server_is_told_of_any(settings: Settings) -> None:
    assert prefect_environment(settings) == {}
    assert object_store_environment(settings) == {}
    mlflow = next(service for service in services_of(settings, None) if service.name == "mlflow")
    assert mlflow.environment["SHELFPRICE_MLFLOW_STORE"] == settings.tracking_uri
    assert mlflow.command[-2:] == ("--artifacts", settings.artifacts.as_uri())


def test_prefect_keeps_to_its_own_schema_and_changes_no_tables_when_it_starts(told: Callable[..., Settings]) -> None:
    environment = prefect_environment(told())
    assert environment["PREFECT_API_DATABASE_CONNECTION_URL"] == ADDRESS.replace("postgresql:", "postgresql+asyncpg:")
    assert environment["PREFECT_SERVER_DATABASE_MIGRATE_ON_START"] == "false"
    assert environment["PREFECT_SERVER_DATABASE_SQLALCHEMY_CONNECT_ARGS_SEARCH_PATH"] == "prefect, public"


def test_mlflow_keeps_to_its_own_schema_and_to_what_the_address_asks_for(told: Callable[..., Settings]) -> None:
    database = told("?sslmode=require&options=-cstatement_timeout%3D9s").database
    assert database is not None
    parts = urlsplit(mlflow_store(database))
    assert (parts.scheme, parts.netloc, parts.path) == ("postgresql+psycopg", f"ana:{HIDDEN}@db.example:5432", "/shop")
    asked = parse_qs(parts.query)
    assert asked["options"] == ["-cstatement_timeout=9s -csearch_path=mlflow"]
    assert asked["sslmode"] == ["require"]


@pytest.mark.parametrize(
    ("query", "ssl", "tls"),
    [
        ("", None, {}),
        ("?sslmode=require", "require", {}),
        ("?sslmode=verify-full", None, {"ENABLED": "true", "CHECK_HOSTNAME": "true"}),
        ("?sslmode=verify-ca&sslrootcert=/ca", None, {"ENABLED": "true", "CHECK_HOSTNAME": "false", "CA_FILE": "/ca"}),
        ("?sslmode=verify-full&sslrootcert=system", None, {"ENABLED": "true", "CHECK_HOSTNAME": "true"}),
    ],
)
def test_prefect_looks_at_the_servers_certificate_as_far_as_the_address_asks(
    told: Callable[..., Settings], query: str, ssl: str | None, tls: dict[str, str]
) -> None:
    environment = prefect_environment(told(query))
    address = urlsplit(environment["PREFECT_API_DATABASE_CONNECTION_URL"])
    assert parse_qs(address.query) == ({"ssl": [ssl]} if ssl else {})
    mark = "_CONNECT_ARGS_TLS_"
    assert {name.partition(mark)[2]: text for name, text in environment.items() if mark in name} == tls


def test_no_command_line_and_no_other_service_gets_a_servers_address_of_the_database(
    told: Callable[..., Settings],
) -> None:
    services = services_of(told(), None)
    assert not [one for one in services if any(HIDDEN in word for word in one.command)]
    knowing = {one.name for one in services if any(HIDDEN in text for text in one.environment.values())}
    assert knowing == {"prefect", "mlflow"}


def test_files_of_models_are_beside_a_lake_on_an_object_store_whose_keys_only_the_server_has(
    told: Callable[..., Settings],
) -> None:
    settings = told(SHELFPRICE_LAKE="s3://bucket/lake", **STORE)
    assert artifacts_of(settings) == "s3://bucket/lake/mlflow"
    environment = object_store_environment(settings)
    assert environment["MLFLOW_S3_ENDPOINT_URL"] == "http://store:8333"
    assert environment["AWS_SECRET_ACCESS_KEY"] == STORE["AWS_SECRET_ACCESS_KEY"]
    assert environment["AWS_DEFAULT_REGION"] == "eu-1"


@pytest.mark.parametrize("changes", [{}, {"SHELFPRICE_DATABASE": ""}])
def test_files_of_models_are_in_a_folder_otherwise(told: Callable[..., Settings], changes: dict[str, str]) -> None:
    lake = {"SHELFPRICE_LAKE": "s3://bucket/lake"} if "SHELFPRICE_DATABASE" in changes else {}
    settings = told(**STORE, **(lake | changes))
    assert artifacts_of(settings) == settings.artifacts.as_uri()
    assert object_store_environment(settings) == {}


def test_machines_with_lakes_of_their_own_make_the_tables_of_one_database_one_after_another(
    told: Callable[..., Settings], tmp_path: Path
) -> None:
    here = told(SHELFPRICE_LAKE="s3://bucket/lake")
    there = told().model_copy(update={"home": tmp_path / "there"})
    assert here.locks.about != there.locks.about
    assert locks_of_database(here).about == locks_of_database(there).about


def test_the_log_of_all_services_says_once_that_the_database_is_away(closed_port: int) -> None:
    pytest.importorskip("psycopg")
    said: list[tuple[str, str]] = []
    database = SecretStr(f"postgresql://ana:{HIDDEN}@127.0.0.1:{closed_port}/shop")
    with watched(database, lambda name, line: said.append((name, line)), every=0.02):
        limit = time.monotonic() + 120
        while not said and time.monotonic() < limit:
            time.sleep(0.02)
        time.sleep(0.2)  # it asks several times more
    assert [name for name, _ in said] == ["database"]
    assert f"127.0.0.1:{closed_port}/shop" in said[0][1]
    assert HIDDEN not in said[0][1]


def test_a_command_that_failed_at_a_service_because_the_database_is_away_says_so(
    closed_port: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("psycopg")
    monkeypatch.setenv("SHELFPRICE_HOME", str(tmp_path))
    failed = ModelError("the model registry at http://127.0.0.1:5000 does not answer as it should (500)")
    assert failure_line(failed) == f"error: {failed}"
    monkeypatch.setenv("SHELFPRICE_DATABASE", f"postgresql://ana:{HIDDEN}@127.0.0.1:{closed_port}/shop")
    assert failure_line(failed).startswith(f"error: PostgreSQL at 127.0.0.1:{closed_port}/shop does not answer")
    assert failure_line(LakeError("no space")) == "error: no space"


def test_a_command_whose_database_is_away_ends_at_once_with_its_host_and_port(
    terminal: Terminal, closed_port: int
) -> None:
    pytest.importorskip("psycopg")
    address = f"postgresql://ana:{HIDDEN}@127.0.0.1:{closed_port}/shop"
    own = {f"SHELFPRICE_{name}_ADDRESS": f"127.0.0.1:{free_port()}" for name in ("PREFECT", "MLFLOW", "MONITOR", "API")}
    away = replace(terminal, changes={**terminal.changes, **own, "SHELFPRICE_DATABASE": address})
    for command in (("simulate", "--days", "1", "--stores", "1"), ("up",)):
        answer = away(*command)
        assert answer.returncode == 1
        assert f"PostgreSQL at 127.0.0.1:{closed_port}/shop does not answer" in answer.stderr.splitlines()[-1]
        assert HIDDEN not in answer.stderr


@pytest.fixture
def brief() -> Iterator[None]:
    before = logging.getLogRecordFactory()
    tell_outages_briefly()
    yield
    logging.setLogRecordFactory(before)


@pytest.mark.parametrize(
    ("error", "is_brief"),
    [
        (ConnectionRefusedError("refused"), True),
        (RuntimeError("the connection is closed"), True),
        (ValueError("a mistake of ours"), False),
    ],
)
def test_a_lost_connection_takes_one_line_of_the_log_and_a_mistake_keeps_its_traceback(
    brief: None, caplog: pytest.LogCaptureFixture, error: Exception, is_brief: bool
) -> None:
    around = KeyError("around it")
    around.__cause__ = error
    logging.getLogger("a.server").error("could not ask for %s", "runs", exc_info=around)
    record = caplog.records[-1]
    assert record.getMessage().startswith("could not ask for runs")
    assert (record.exc_info is None) == is_brief
    assert (str(error) in record.getMessage()) == is_brief
