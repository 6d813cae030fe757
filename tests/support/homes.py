"""Homes that are dear to make, and the server that flows run on: fixtures that any test may ask for."""

import datetime as dt
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import one_server
import pytest
from once_a_run import PlayedLoop, copy_home, living_in, made_once, without_heartbeats

from catalog.settings import Settings, read_settings

SOLD_ON = (dt.date(2026, 1, 5), dt.date(2026, 1, 6))
_START = dt.date(2026, 3, 2)
_DAYS, _EXPLORED, _STORES, _SEED = 4, 2, 6, 7


@pytest.fixture(scope="session")
def prefect_server() -> str:
    """Return the address of the API of a server that all tests of a run share: tell your own runs by their names."""
    one_server.start()
    return os.environ["PREFECT_API_URL"]


@pytest.fixture(scope="session")
def give_prefects_database(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], None]:
    """Put into a folder the database that Prefect's first start makes there, which takes it many seconds."""
    return lambda folder: shutil.copytree(
        made_once(tmp_path_factory, "prefects-database", _make_prefects_database), folder, dirs_exist_ok=True
    )


def _make_prefects_database(folder: Path) -> None:
    from plugins.operations.up.prefect_server import make_first_database

    make_first_database(f"sqlite+aiosqlite:///{folder / 'prefect.db'}")


@pytest.fixture(scope="session")
def played_loop(prefect_server: str, tmp_path_factory: pytest.TempPathFactory) -> PlayedLoop:
    """Return a copy of the loop for the tests of this process, which only read it."""
    played = made_once(tmp_path_factory, "played-loop", _play)
    settings = copy_home(played / "home", tmp_path_factory.mktemp("loop"))
    return PlayedLoop(settings, tuple(_START + dt.timedelta(days=day) for day in range(_DAYS)))


def _play(folder: Path) -> None:
    from flows.environment import ready
    from flows.pipeline import pipeline, simulate

    home = folder / "home"
    home.mkdir()
    with living_in(home), ready():
        simulate(_START, _EXPLORED, _STORES, _SEED, "static")  # explored prices show the whole curve
        pipeline(_START + dt.timedelta(days=_EXPLORED), _DAYS - _EXPLORED, _STORES, _SEED)


@pytest.fixture(scope="session")
def sell_two_days(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Settings]:
    """Make a home in which three stores sold two days: one at base prices, one from a price book of version 7.

    The book is made from the twin's true demand, so no model, registry or orchestrator is needed.
    """
    return lambda home: copy_home(made_once(tmp_path_factory, "two-days-sold", _sell_two_days), home)


def _sell_two_days(home: Path) -> None:
    from catalog.ladder import price_ladder
    from catalog.load import CLASSIC, load
    from etl.load import load_dimensions, load_store_day
    from etl.twin.draws import shopper_names
    from etl.twin.store_day import play
    from features.cells import feature_workbench, groups_of, publish_groups, stale_cells
    from plugins.evaluation.truth import chance_of_sale, expected_visits_on
    from serving.book.make import publish_book
    from serving.optimise.curves import DemandCurves
    from serving.store.in_force import pricing_on
    from tests.support.believing import first_belief
    from warehouse.lake import Lake

    settings = read_settings({"SHELFPRICE_HOME": str(home), "SHELFPRICE_CATALOG": str(CLASSIC)})
    catalog = load(CLASSIC)
    lake, ladder = Lake(settings), price_ladder(catalog)
    lake.prepare()
    load_dimensions(lake, catalog, shopper_names(50, 1))
    truth = chance_of_sale(catalog, ladder / catalog.base_prices[:, None])
    curves, visits = DemandCurves(catalog.skus, ladder, truth, "7"), expected_visits_on(catalog, SOLD_ON[1])
    publish_book(lake, catalog, curves, visits, SOLD_ON[1], first_belief(catalog, "7"))
    for date in SOLD_ON:
        policy = pricing_on(lake, catalog, date, "static" if date == SOLD_ON[0] else None).policy
        sold = play(catalog, policy, catalog.store.stores, date, 7)
        load_store_day(lake, catalog, sold, "all", inputs="7", seed=7)
    with feature_workbench(settings) as connection:
        for stale in list(stale_cells(lake, catalog)):
            publish_groups(lake, stale, groups_of(connection, lake, stale.decisions))


@pytest.fixture(autouse=True)
def _no_heartbeats(request: pytest.FixtureRequest) -> Iterator[None]:
    if "prefect_server" not in request.fixturenames:
        yield
        return
    with without_heartbeats():
        yield


@pytest.fixture
def in_the_loop(played_loop: PlayedLoop) -> Iterator[PlayedLoop]:
    """Live in the home where the loop was played; only read it."""
    with living_in(played_loop.settings.home):
        yield played_loop


@pytest.fixture
def empty_home(prefect_server: str, tmp_path: Path) -> Iterator[Path]:
    """Live in a home with nothing in it."""
    with living_in(tmp_path):
        yield tmp_path


@pytest.fixture
def copy_of_the_loop(played_loop: PlayedLoop, tmp_path: Path) -> Iterator[Settings]:
    """Live in a copy of the lake alone: the registry is not there."""
    shutil.copytree(played_loop.settings.lake, tmp_path / "lake")
    with living_in(tmp_path):
        yield read_settings({"SHELFPRICE_HOME": str(tmp_path)})
