"""Shared by all tests: no telemetry, and a world of our own for each."""

import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from catalog.names import REGISTRY_PATIENCE
from catalog.settings import Settings, read_settings

os.environ.update(
    PREFECT_SERVER_ANALYTICS_ENABLED="false",
    DO_NOT_TRACK="true",
    MLFLOW_DISABLE_TELEMETRY="true",
    MLFLOW_LOGGING_LEVEL="ERROR",
    MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR="false",
    MPLBACKEND="Agg",
    **REGISTRY_PATIENCE,
)
os.environ.pop("MLFLOW_TRACKING_URI", None)

SOLD_ON = (dt.date(2026, 1, 5), dt.date(2026, 1, 6))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home of its own, with nothing in it."""
    return read_settings({"SHELFPRICE_HOME": str(tmp_path)})


@pytest.fixture(scope="session")
def sell_two_days() -> Callable[[Path], Settings]:
    """Make a home in which three stores sold two days: one at base prices, one from a price book of version 7.

    The book is made from the twin's true demand, so no model, registry or orchestrator is needed.
    """

    def sell(home: Path) -> Settings:
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
        from warehouse.connection import VIEW_FOLDERS, build_file
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
        build_file(settings, VIEW_FOLDERS)
        return settings

    return sell
