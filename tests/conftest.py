"""Shared by all tests: an environment of their own, and homes to work in."""

import atexit
import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path

import one_server
import pytest
from once_a_run import copy_home, made_once

from catalog.names import REGISTRY_PATIENCE
from catalog.settings import Settings, read_settings

pytest_plugins = ["browser_tests", "distribution", "isolation", "once_a_run", "shell"]

# Set before anything imports Prefect or MLflow. The processes of a run take over what the first of them has set.
if "PYTEST_XDIST_WORKER" not in os.environ:
    for name in list(os.environ):
        if name.startswith(("PREFECT_", "MLFLOW_")):
            del os.environ[name]  # a developer's own servers are none of the tests'
    os.environ.update(
        one_server.begin(),
        DASH_DISABLE_VERSION_CHECK="true",
        MLFLOW_DISABLE_TELEMETRY="true",
        MLFLOW_LOGGING_LEVEL="ERROR",
        MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR="false",
        MPLBACKEND="Agg",
        **REGISTRY_PATIENCE,
    )
    atexit.register(one_server.end)

SOLD_ON = (dt.date(2026, 1, 5), dt.date(2026, 1, 6))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home of its own, with nothing in it."""
    return read_settings({"SHELFPRICE_HOME": str(tmp_path)})


@pytest.fixture(scope="session")
def sell_two_days(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Settings]:
    """Make a home in which three stores sold two days: one at base prices, one from a price book of version 7.

    The book is made from the twin's true demand, so no model, registry or orchestrator is needed.
    """
    return lambda home: copy_home(made_once(tmp_path_factory, "two-days-sold", _sell_two_days), home)


def _sell_two_days(home: Path) -> None:
    from catalog.ladder import price_ladder
    from catalog.load import load
    from etl.load import load_dimensions, load_store_day
    from features.cells import cells_of, feature_workbench, stale_cells
    from serving.book_store import publish_book
    from serving.curves import DemandCurves
    from serving.in_force import pricing_on
    from simulation.shoppers import shopper_names
    from simulation.store_day import play
    from simulation.truth import chance_of_sale
    from simulation.visits import expected_visits_on
    from warehouse.lake import Lake

    settings, catalog = read_settings({"SHELFPRICE_HOME": str(home)}), load()
    lake, ladder = Lake(settings), price_ladder(catalog)
    lake.prepare()
    load_dimensions(lake, catalog, shopper_names(50, 1))
    truth = chance_of_sale(catalog, ladder / catalog.base_prices[:, None])
    curves, visits = DemandCurves(catalog.skus, ladder, truth, "7"), expected_visits_on(catalog, SOLD_ON[1])
    publish_book(lake, catalog, curves, visits, SOLD_ON[1])
    for date in SOLD_ON:
        sold = play(catalog, pricing_on(lake, catalog, date, None).policy, catalog.store.stores, date, 7)
        load_store_day(lake, catalog, sold, "all", inputs="7", seed=7)
    with feature_workbench(settings) as connection:
        for stale in list(stale_cells(lake, catalog)):
            lake.publish(stale.cells, cells_of(connection, lake.path(stale.decisions)), inputs=stale.inputs)
