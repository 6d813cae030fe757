"""What a night learns from through intake, lake and export is what the policy on arrays learns from, cell by cell."""

import argparse
import datetime as dt
from pathlib import Path

import numpy as np

from catalog.load import load
from catalog.settings import read_settings
from evaluation.outside_store.drawn_policy import rows_of
from evaluation.outside_store.rehearsal import in_process
from evaluation.outside_store.stores.count_grocer import CountGrocer
from evaluation.outside_store.stores.outside_till import OutsideTill, StorePlan
from evaluation.outside_store.stores.weekly_seller import OWNER_WEEKS, WeeksSeen
from serving.counts.belief_from_units import believed_of_units
from serving.drawn_prices import draw_on
from training.drawn_sales import drawn_sales
from warehouse.lake import Lake

FIRST, N_WEEKS, SEED = dt.date(2026, 1, 5), 2, 1


def test_rows_of_the_lake_are_those_of_the_arrays_from_the_owner_s_weeks_on(tmp_path: Path) -> None:
    world = CountGrocer(SEED, n_stores=2, units_a_day=20.0, n_products=4)
    with in_process(argparse.Namespace(rehearse=tmp_path, faults=(), seed=SEED), world) as beside:
        plan = StorePlan(FIRST, N_WEEKS, OWNER_WEEKS)
        till = OutsideTill(world, beside.supply, beside.client, plan, engine=beside.engine)
        till.run()
        assert beside.engine is not None
        beside.engine.before_week(FIRST + dt.timedelta(weeks=OWNER_WEEKS + N_WEEKS))
    lake, catalog = Lake(read_settings({"SHELFPRICE_HOME": str(tmp_path / "home")})), load(tmp_path / "shelf")
    mondays = [FIRST + dt.timedelta(weeks=week) for week in range(OWNER_WEEKS + N_WEEKS)]
    draws = [draw_on(lake, catalog, monday) for monday in mondays]
    prices = np.array([world.owner_prices if draw is None else draw.prices for draw in draws])
    units = np.array([day.units for day in till.sold]).reshape(len(mondays), 7, *world.owner_prices.shape).sum(axis=1)
    arrays = rows_of(WeeksSeen(world.owner_prices, world.unit_costs, prices, units))
    found = drawn_sales(lake, catalog, mondays[-1] + dt.timedelta(days=6))
    assert (found.slots, found.n_draws) == (tuple(mondays), N_WEEKS)
    assert np.ptp(arrays.log_ratios) > 0.1, "prices were drawn"
    for name in ("units", "exposure", "log_ratios"):
        assert np.allclose(getattr(found.rows, name), getattr(arrays, name)), name
    assert np.allclose(believed_of_units(found.rows).slopes, believed_of_units(arrays).slopes)
