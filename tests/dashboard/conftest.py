"""A home in which two days were sold, shared by tests that only read it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from catalog.settings import Settings


@pytest.fixture(scope="session")
def sold(sell_two_days: Callable[[Path], Settings], tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return sell_two_days(tmp_path_factory.mktemp("sold"))
