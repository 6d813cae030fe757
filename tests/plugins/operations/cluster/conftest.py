"""Tests on real servers, each started once for a process of tests: an object store, PostgreSQL, a Dask cluster.

Where what they need is not installed, a file of this folder is skipped with the reason. `make test-cluster`, which
installs the packages, sets `CLUSTER=required`: then it is an error.
"""

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import isolation
import pytest
from run_servers import dask, postgres, seaweed

from catalog.errors import ServiceError
from catalog.settings import Settings, read_settings
from plugins.operations.deploy.servers.dask import Dask
from plugins.operations.deploy.servers.postgres import Postgres
from plugins.operations.deploy.servers.postgres_process import program
from plugins.operations.deploy.servers.seaweed import BUCKET, Seaweed

PACKAGES = ("boto3", "deltalake", "distributed", "obstore", "psycopg")


def missing() -> str | None:
    """Say what these tests need and is not installed."""
    packages = [name for name in PACKAGES if find_spec(name) is None]
    if packages:
        return f"{', '.join(packages)} not installed: make install-cluster"
    try:
        program("postgres")
    except ServiceError as error:
        return str(error)
    return None


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    """Collect a file of this folder only where it can run: it imports what may be missing."""
    reason = missing()
    if reason is None:
        return None
    module: pytest.Module = NotHere.from_parent(parent, path=module_path)
    return module


class NotHere(pytest.Module):
    """A file whose tests cannot run here."""

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """Say so: a failure where these tests were asked for, else a skip."""
        reason = missing()
        if os.environ.get("CLUSTER") == "required":
            raise self.CollectError(f"expected what the tests of a cluster need, found {reason}")
        pytest.skip(str(reason), allow_module_level=True)


@pytest.fixture(scope="session")
def object_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    """An object store with an empty bucket `shelfprice`; keep to a prefix of your own in it."""
    with seaweed(tmp_path_factory.mktemp("objects") / "seaweed") as server:
        isolation.keep_for_the_session()
        yield server


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A PostgreSQL with an empty database `shelfprice`; make one of your own in it to be alone."""
    with postgres(tmp_path_factory.mktemp("database") / "postgres") as server:
        isolation.keep_for_the_session()
        yield server


@pytest.fixture(scope="session")
def dask_cluster(object_store: Seaweed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dask]:
    """A scheduler and two workers, who reach the object store."""
    with dask(tmp_path_factory.mktemp("dask"), workers=2, settings=object_store.environment) as cluster:
        isolation.keep_for_the_session()
        yield cluster


@pytest.fixture
def bucket_settings(object_store: Seaweed, tmp_path: Path) -> Settings:
    """Settings of a lake of its own in a bucket."""
    environ = {**object_store.environment, "SHELFPRICE_LAKE": f"s3://{BUCKET}/{uuid4().hex[:12]}"}
    return read_settings({"SHELFPRICE_HOME": str(tmp_path / "home"), **environ})
