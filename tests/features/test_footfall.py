"""Footfall from the log: everyone who came counts, also before an empty shelf."""

import datetime as dt
from pathlib import Path

import numpy as np

from catalog.decisions.store_day import tick_profile
from catalog.load import CLASSIC, Catalog, load
from catalog.settings import read_settings
from etl.load import load_dimensions, load_store_day
from etl.twin.store_day import play
from features.cells import feature_workbench
from features.footfall import counted_visits
from serving.optimise.policies import StaticPolicy
from serving.store.storefront import Storefront
from warehouse.lake import Lake

LAST = dt.date(2026, 3, 8)


def test_footfall_recovers_who_really_comes_although_shelves_run_empty(tmp_path: Path) -> None:
    shipped = load(CLASSIC)
    catalog = Catalog(shipped.products, shipped.store.model_copy(update={"visits_per_day": 4_000.0}))
    settings = read_settings({"SHELFPRICE_HOME": str(tmp_path)})
    lake = Lake(settings)
    lake.prepare()
    load_dimensions(lake, catalog, ["Ann"])
    for back in range(7):
        date = LAST - dt.timedelta(days=back)
        day = play(catalog, Storefront(StaticPolicy(catalog.base_prices)), catalog.store.stores, date, seed=5)
        load_store_day(lake, catalog, day, "g000", inputs="x", seed=5)
    with feature_workbench(settings) as connection:
        counted = counted_visits(connection, catalog, LAST)
    estimated = counted.by_tick / counted.store_days
    truth = 4_000 * catalog.popularity[:, None] * tick_profile(catalog.store)
    np.testing.assert_allclose(estimated.sum(axis=1), truth.sum(axis=1), rtol=0.03)
    np.testing.assert_allclose(estimated, truth, rtol=0.2)
    assert counted.dates == tuple(LAST - dt.timedelta(days=back) for back in reversed(range(7)))
    np.testing.assert_array_equal(counted.by_day.sum(axis=1), counted.by_tick.sum(axis=1))
