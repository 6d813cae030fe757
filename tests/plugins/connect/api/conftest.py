"""The quote API over a home with price books for one day, and a client of it in this process."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from asgi_client import AsgiClient
from shell import Terminal

from catalog.load import CLASSIC
from catalog.settings import Settings
from plugins.connect.api.app import application


@pytest.fixture
def terminal(terminal: Terminal) -> Terminal:
    """A shell whose shelf is the one that the home sells from."""
    return replace(terminal, changes={"SHELFPRICE_CATALOG": "classic"})


@pytest.fixture
def home(sell_two_days: Callable[[Path], Settings], terminal: Terminal) -> Settings:
    """A home with a price book for 2026-01-06, in which `terminal` works."""
    terminal.home.mkdir()
    return sell_two_days(terminal.home)


@pytest.fixture
def client(home: Settings) -> Iterator[AsgiClient]:
    """A client of the API, which looks at the lake at every request."""
    with AsgiClient(application(home, CLASSIC, look_every=0)) as client:
        yield client
