"""Shared by the tests on real servers: an object store, and lakes in it and in folders."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from seaweed import ObjectServer, object_server

from catalog.settings import Settings, read_settings


@pytest.fixture(scope="module")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectServer]:
    """One object store for the tests of a module; each test has a prefix of its own."""
    with object_server(tmp_path_factory.mktemp("seaweed")) as server:
        yield server


@pytest.fixture
def bucket_settings(seaweed: ObjectServer, tmp_path: Path) -> Settings:
    """Settings of a lake of its own in a bucket."""
    return _settings(tmp_path, seaweed.environment(f"s3://lake/{uuid4().hex[:12]}"))


@pytest.fixture
def folder_settings(tmp_path: Path) -> Settings:
    """Settings of a lake of its own in a folder of Delta tables."""
    return _settings(tmp_path, {"SHELFPRICE_LAKE": f"delta:{tmp_path / 'delta'}"})


@pytest.fixture(params=["folder", "bucket"])
def delta_settings(request: pytest.FixtureRequest, bucket_settings: Settings, folder_settings: Settings) -> Settings:
    """Settings of a lake of Delta tables: once in a folder, once in a bucket."""
    return folder_settings if request.param == "folder" else bucket_settings


def _settings(folder: Path, environ: dict[str, str]) -> Settings:
    return read_settings({"SHELFPRICE_HOME": str(folder / "home"), **environ})
