"""A forest tells what hot days, holidays and pay days add to demand, and is believed as far as sales bear it out."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from believing import MONDAY, days_sold

from catalog.arrays import Floats
from catalog.load import CLASSIC, Catalog, load
from catalog.settings import read_settings
from etl.load import load_dimensions
from etl.twin.draws import shopper_names
from features.cells import feature_workbench
from serving.belief.belief import believed_before_anybody_came
from serving.belief.log import LogEvidence, belief_from
from serving.belief.states import days_in_context, fit_day_effects, fit_days
from warehouse.lake import Lake

CATALOG = load(CLASSIC)
SETTINGS = CATALOG.store.belief
HEAT = np.array([1.2, -0.8, 1.2, -0.8, -0.8])  # what a hot day adds to each product


def temperatures(n_days: int, seed: int = 4) -> Floats:
    return np.asarray(np.random.default_rng(seed).uniform(16, 34, n_days))


def expected_after(warm: Floats, tomorrow: float, days: Floats | None = None) -> tuple[Floats, Floats]:
    """Return the log odds at the base price of each product that are expected on a day, by days of some temperatures.

    The first are of who hears of temperatures, the second of who does not. `days` are their levels, by default what
    heat adds above 28 degrees.
    """
    levels = HEAT[:, None] * (warm > 28) if days is None else days
    knots, sales = days_sold(CATALOG, levels)
    taught = fit_days(SETTINGS, knots, sales)
    known = pd.DataFrame({"temperature": [*warm, tomorrow]})
    footfall, date = believed_before_anybody_came(CATALOG).footfall, MONDAY + dt.timedelta(days=len(warm))

    def expected(heard: Any) -> Floats:
        demand = belief_from(CATALOG, LogEvidence(sales, footfall, taught, fit_with_days=heard), date).states[0].demand
        return np.array([np.interp(1.0, own, odds) for own, odds in zip(knots.ratios, demand.mean, strict=True)])

    return expected(fit_day_effects(taught, knots, SETTINGS, sales, known)), expected(None)


@pytest.mark.parametrize(("tomorrow", "adds"), [(32.0, HEAT), (20.0, np.zeros(5))])
def test_a_hot_day_is_known_before_it_begins(tomorrow: float, adds: Floats) -> None:
    hearing, deaf = expected_after(temperatures(21), tomorrow)
    assert np.abs(hearing - adds).mean() < min(0.3, 0.7 * np.abs(deaf - adds).mean())


def test_a_hot_week_is_not_taken_for_another_demand() -> None:
    hearing, deaf = expected_after(np.concatenate([temperatures(14), np.full(7, 32.0)]), 20.0)
    assert np.abs(hearing).mean() < 0.35
    assert np.abs(deaf).mean() > 0.45


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_of_a_temperature_that_does_not_matter_nothing_is_believed(seed: int) -> None:
    days = np.random.default_rng(seed).normal(0.0, 0.5, 21)
    warm = temperatures(21, seed)
    hearing, deaf = expected_after(warm, 32.0, days)
    assert np.abs(hearing - deaf).mean() < 0.15


def test_of_days_that_nothing_tells_apart_or_too_few_of_them_nothing_is_said() -> None:
    knots, sales = days_sold(CATALOG, np.zeros(6))
    taught = fit_days(SETTINGS, knots, sales)
    alike = pd.DataFrame({"temperature": [20.0] * 6 + [30.0]})
    assert fit_day_effects(taught, knots, SETTINGS, sales, alike) is None
    assert fit_day_effects(taught, knots, SETTINGS, sales, alike[[]]) is None
    knots, sales = days_sold(CATALOG, np.zeros(3))
    taught = fit_days(SETTINGS, knots, sales)
    assert (
        fit_day_effects(taught, knots, SETTINGS, sales, pd.DataFrame({"temperature": [20.0, 21.0, 30.0, 31.0]})) is None
    )


def test_a_temperature_that_nobody_said_is_no_obstacle() -> None:
    warm = temperatures(14)
    said = warm.copy()
    said[3] = np.nan
    knots, sales = days_sold(CATALOG, HEAT[:, None] * (warm > 28))
    taught = fit_days(SETTINGS, knots, sales)
    for days in ([*warm, np.nan], [*said, np.nan], [*said, 32.0]):
        known = pd.DataFrame({"temperature": days})
        heard = fit_day_effects(taught, knots, SETTINGS, sales, known)
        assert heard is not None
        assert all(np.isfinite(own).all() for own in heard[1:])


def test_what_was_seen_is_told_by_trees_that_did_not_see_it() -> None:
    levels = np.zeros(12)
    levels[5] = 2.0
    knots, sales = days_sold(CATALOG, levels)
    is_festival = pd.DataFrame({"event_festival": [float(day in (5, 12)) for day in range(13)]})
    heard = fit_day_effects(fit_days(SETTINGS, knots, sales), knots, SETTINGS, sales, is_festival)
    assert heard is not None
    _, days, date = heard
    assert np.abs(days[:, 5]).max() < 0.5  # the one festival that there was says nothing of itself
    assert days.shape == (5, 12)
    assert date.shape == (5,)


def test_of_days_it_is_known_what_their_weekday_does_not_tell(
    tmp_path: Path, with_store: Callable[..., Catalog]
) -> None:
    dates = [MONDAY + dt.timedelta(days=own) for own in range(17)]

    def known(catalog: Catalog) -> pd.DataFrame:
        settings = read_settings({"SHELFPRICE_HOME": str(tmp_path)})
        lake = Lake(settings)
        lake.prepare()
        load_dimensions(lake, catalog, shopper_names(20, 1))
        with feature_workbench(settings) as connection:
            return days_in_context(connection, catalog, dates)

    assert known(with_store()).shape[1] == 0
    found = known(with_store(country="US", pay_day=9, stores=["S01", "S02"]))
    assert set(found) == {"is_holiday", "is_day_before_holiday", "days_since_pay_day"}
    assert len(found) == 17
    assert found["days_since_pay_day"].tolist()[3:7] == [30.0, 0.0, 1.0, 2.0]
    assert found["is_holiday"].tolist() == [0.0] * 14 + [1.0, 0.0, 0.0]  # 19 January
    assert found["is_day_before_holiday"].tolist() == [0.0] * 13 + [1.0, 0.0, 0.0, 0.0]
