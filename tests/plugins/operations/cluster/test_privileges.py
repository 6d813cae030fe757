"""Each part may do what it has to and no more: in the object store by its key, in PostgreSQL by its role."""

import datetime as dt
import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from asgi_client import AsgiClient
from postgres import PostgresServer, postgres_server
from pydantic import SecretStr
from run_servers import running

from catalog.errors import Declined, LakeError
from catalog.load import CLASSIC, load
from catalog.settings import LockPlace, Settings, read_settings
from flows.workspace import prepared
from plugins.connect.api.api_tokens import add_token
from plugins.connect.api.app import application
from plugins.operations.checks.proving import verify
from plugins.operations.deploy import make_secrets
from plugins.operations.deploy.make_bucket import client_of
from plugins.operations.deploy.servers import seaweed as seaweeds
from plugins.operations.deploy.servers.ports import free_address
from plugins.operations.deploy.servers.postgres_process import program
from plugins.operations.deploy.servers.seaweed import BUCKET, Seaweed
from plugins.operations.machines.advisory_locks import end_sessions
from warehouse.commits.locks import held
from warehouse.lake import Lake, empty_partition

SQL = Path(make_secrets.__file__).parents[3] / "deploy" / "databases.sql"


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("secrets")
    make_secrets.make_secrets(folder, dt.datetime.now(dt.UTC))
    return folder


@pytest.fixture(scope="module")
def objects(secrets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    """An object store with the users that containers have; the bucket is made by its admin."""
    key, secret = (secrets.joinpath(f"s3-admin-{part}").read_text() for part in ("key", "secret"))
    server = Seaweed(tmp_path_factory.mktemp("objects") / "seaweed", free_address(), key, secret)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seaweeds, "_users", lambda *_: json.loads((secrets / "s3-users.json").read_text()))
        service = server.service()
    with running(service):
        yield server
    server.forget_sockets()


@pytest.fixture
def as_user(objects: Seaweed, secrets: Path, tmp_path: Path) -> Callable[[str], Settings]:
    """Return the settings of a part by the name of its user."""

    def settings(user: str) -> Settings:
        part = "" if user == "lake" else f"{user}-"
        key, secret = (secrets.joinpath(f"s3-{part}{one}").read_text() for one in ("key", "secret"))
        own = {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "SHELFPRICE_LAKE": f"s3://{BUCKET}/lake"}
        return read_settings({**objects.environment, **own, "SHELFPRICE_HOME": str(tmp_path / user)})

    return settings


def may(settings: Settings, prefix: str) -> dict[str, bool]:
    """Return what a user may do below a prefix, in which `theirs` stands."""
    client, found = client_of(settings, 10), {}
    asked: Mapping[str, Callable[[], object]] = {
        "list": lambda: client.list_objects_v2(Bucket=BUCKET, Prefix=prefix),
        "read": lambda: client.get_object(Bucket=BUCKET, Key=f"{prefix}theirs"),
        "write": lambda: client.put_object(Bucket=BUCKET, Key=f"{prefix}own", Body=b"1"),
        "overwrite": lambda: client.put_object(Bucket=BUCKET, Key=f"{prefix}theirs", Body=b"2"),
        "delete": lambda: client.delete_object(Bucket=BUCKET, Key=f"{prefix}theirs"),
        "delete many": lambda: client.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": f"{prefix}theirs"}]}),
    }
    for what, ask in asked.items():
        try:
            answer = ask()
            found[what] = not (isinstance(answer, dict) and answer.get("Errors"))
        except client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] not in {"AccessDenied", "403"}:
                raise
            found[what] = False
    return found


def test_each_key_opens_its_own_part_of_the_bucket_and_the_apis_writes_nowhere(
    as_user: Callable[[str], Settings],
) -> None:
    admin = client_of(as_user("admin"), 10)
    able: dict[tuple[str, str], set[str]] = {}
    for user in ("lake", "api", "mlflow", "backup"):
        for prefix in ("lake/tried/", "mlflow/tried/", ""):
            admin.put_object(Bucket=BUCKET, Key=f"{prefix}theirs", Body=b"1")
            able[user, prefix] = {what for what, is_so in may(as_user(user), prefix).items() if is_so} - {"list"}
            stands = admin.list_objects_v2(Bucket=BUCKET, Prefix=f"{prefix}theirs")["KeyCount"]
            assert bool(stands) is not ("delete" in able[user, prefix]), (user, prefix)
    everything = {"read", "write", "overwrite", "delete", "delete many"}
    assert able == {
        ("lake", "lake/tried/"): everything,
        ("lake", "mlflow/tried/"): set(),
        ("lake", ""): set(),
        ("api", "lake/tried/"): {"read"},
        ("api", "mlflow/tried/"): set(),
        ("api", ""): set(),
        ("mlflow", "lake/tried/"): set(),
        ("mlflow", "mlflow/tried/"): everything,
        ("mlflow", ""): set(),
        ("backup", "lake/tried/"): {"read"},
        ("backup", "mlflow/tried/"): {"read"},
        ("backup", ""): {"read"},
    }
    for prefix in ("lake/tried/", "mlflow/tried/", ""):
        for name in ("theirs", "own"):
            admin.delete_object(Bucket=BUCKET, Key=f"{prefix}{name}")


def test_the_api_answers_with_a_key_that_cannot_write_and_says_so_where_it_would(
    as_user: Callable[[str], Settings],
) -> None:
    prepared(as_user("lake"), load(CLASSIC))
    settings = as_user("api")
    sender = {"Authorization": f"Bearer {add_token(settings, 'till', ['propose'], dt.datetime.now(dt.UTC))}"}
    with AsgiClient(application(settings, CLASSIC)) as client:
        assert client.get("/v1/health").json()["status"] == "no price book"
        assert client.get("/v1/quotes", params={"sku": "MILK", "stock": 8}).json()["type"].endswith("#no-price-book")
        assert client.get("/v1/labels", params={"store": "S01"}).json()["prices"] == []
        assert "shelfprice_lake_is_readable 1.0" in client.get("/metrics").text
        wish = {"kind": "override", "sku": "MILK", "store": "S01", "price": 1.4, "reason": "tried"}
        refused = client.post("/v1/price-changes", json=wish, headers=sender)
        assert (refused.status_code, refused.json()["type"]) == (503, "/openapi.json#lake-unreadable")
        assert "it refuses our key" in refused.json()["detail"]
    lake = Lake(settings)
    with pytest.raises(LakeError, match="it refuses our key"):
        lake.publish(empty_partition("unit_sales"), lake.read(empty_partition("unit_sales")), inputs="others")
    assert verify(Lake(as_user("lake"))).findings == ()


@pytest.fixture(scope="module")
def server(secrets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A PostgreSQL in which the containers' script was run, with secrets where it finds them."""
    with postgres_server(tmp_path_factory.mktemp("database") / "postgres") as server:
        script = SQL.read_text().replace("/run/secrets", str(secrets))
        subprocess.run(
            [program("psql"), "-v", "ON_ERROR_STOP=1", "-q", "-d", server.url()],
            input=script,
            text=True,
            check=True,
            env={**os.environ, "LC_ALL": "C"},
        )
        yield server


def test_each_role_opens_its_own_database_alone(server: PostgresServer, secrets: Path) -> None:
    opened = set()
    for role in ("locks", "prefect", "mlflow"):
        password = (secrets / f"{role}-password").read_text()
        for name in ("shelfprice", "prefect", "mlflow"):
            address = f"postgresql://{role}:{password}@127.0.0.1:{server.port}/{name}"
            with suppress(psycopg.OperationalError), psycopg.connect(address, autocommit=True) as connection:
                opened.add((role, name))
                if role == "locks":
                    place = LockPlace(secrets, "a lake", SecretStr(address))
                    with (
                        held(place, "intake"),
                        pytest.raises(Declined, match="is being taken in"),
                        held(place, "intake"),
                    ):
                        raise AssertionError("two held one lock")
                    end_sessions()
                    with pytest.raises(psycopg.errors.InsufficientPrivilege):
                        connection.execute("create table own as select 1")
                else:
                    connection.execute("create extension pg_trgm")  # as Prefect does
                    connection.execute("create table own as select 1")
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute("create role another")
    assert opened == {("locks", "shelfprice"), ("prefect", "prefect"), ("mlflow", "mlflow")}
