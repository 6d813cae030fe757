"""A forest tells what hot days, holidays and pay days add to demand, and is believed as far as sales bear it out."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

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
from features.context import days_in_context
from features.prior_forests import PriorForests
from features.stored_model import model_as_data, model_from_data
from serving.belief.gaussian import Knots
from serving.belief.hearing import Hearing, hear
from serving.belief.sales import Sales
from serving.belief.states import Fit, fit_days
from training.fit.prior import fit_day_forest
from warehouse.lake import Lake

CATALOG = load(CLASSIC)
SETTINGS = CATALOG.store.belief
HEAT = np.array([1.2, -0.8, 1.2, -0.8, -0.8])  # what a hot day adds to each product


def temperatures(n_days: int, seed: int = 4) -> Floats:
    return np.asarray(np.random.default_rng(seed).uniform(16, 34, n_days))


def of_days(context: pd.DataFrame) -> pd.DataFrame:
    """Return the context of consecutive business dates."""
    return context.set_index(pd.DatetimeIndex([MONDAY + dt.timedelta(days=day) for day in range(len(context))]))


def heard(knots: Knots, sales: Sales, context: pd.DataFrame, fit: Fit | None = None) -> Hearing | None:
    """Return what the sales teach with a forest of their days; None where there is none to fit."""
    days, alone = of_days(context), fit or fit_days(SETTINGS, knots, sales)
    forest = fit_day_forest(CATALOG, knots, sales, alone, days)
    if forest is None:
        return None
    return hear(alone, knots, SETTINGS, sales, None, forest.levels(days, CATALOG.skus))


def expected_after(warm: Floats, tomorrow: float, days: Floats | None = None) -> tuple[Floats, Floats]:
    """Return the log odds at the base price of each product that are expected on a day, by days of some temperatures.

    The first are with the forest of days, the second without. `days` are their levels, by default what heat adds above
    28 degrees.
    """
    levels = HEAT[:, None] * (warm > 28) if days is None else days
    knots, sales = days_sold(CATALOG, levels)
    alone, date = fit_days(SETTINGS, knots, sales), MONDAY + dt.timedelta(days=len(warm))
    with_forest = heard(knots, sales, pd.DataFrame({"temperature": [*warm, tomorrow]}), alone)
    assert with_forest is not None

    def at_base(fit: Fit, beside: Floats | None) -> Floats:
        demand = fit.states_on(knots, date, beside)[0].demand
        return np.array([np.interp(1.0, *curve) for curve in zip(knots.ratios, demand.mean, strict=True)])

    return at_base(with_forest.fit, with_forest.date), at_base(alone, None)


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


def test_of_days_that_nothing_tells_apart_or_too_few_of_them_there_is_no_forest() -> None:
    knots, sales = days_sold(CATALOG, np.zeros(6))
    alike = pd.DataFrame({"temperature": [20.0] * 6 + [30.0]})
    assert heard(knots, sales, alike) is None
    assert heard(knots, sales, alike[[]]) is None
    knots, sales = days_sold(CATALOG, np.zeros(3))
    assert heard(knots, sales, pd.DataFrame({"temperature": [20.0, 21.0, 30.0, 31.0]})) is None


def test_a_temperature_that_nobody_said_is_no_obstacle() -> None:
    warm = temperatures(14)
    said = warm.copy()
    said[3] = np.nan
    knots, sales = days_sold(CATALOG, HEAT[:, None] * (warm > 28))
    alone = fit_days(SETTINGS, knots, sales)
    for days in ([*warm, np.nan], [*said, np.nan], [*said, 32.0]):
        hearing = heard(knots, sales, pd.DataFrame({"temperature": days}), alone)
        assert hearing is not None
        assert np.isfinite(hearing.days).all()
        assert np.isfinite(hearing.date).all()


def test_what_was_seen_is_told_by_trees_that_did_not_see_it() -> None:
    levels = np.zeros(12)
    levels[5] = 2.0
    knots, sales = days_sold(CATALOG, levels)
    is_festival = pd.DataFrame({"event_festival": [float(day in (5, 12)) for day in range(13)]})
    hearing = heard(knots, sales, is_festival)
    assert hearing is not None
    assert np.abs(hearing.days[:, 5]).max() < 0.5  # the one festival that there was says nothing of itself
    assert hearing.days.shape == (5, 12)
    assert hearing.date.shape == (5,)


def test_a_stored_forest_says_the_same_of_days_it_saw_of_later_ones_and_of_a_product_that_is_new() -> None:
    warm = temperatures(14)
    knots, sales = days_sold(CATALOG, HEAT[:, None] * (warm > 28))
    days = of_days(pd.DataFrame({"temperature": [*warm, 33.0], "is_holiday": 0.0}))
    forest = fit_day_forest(CATALOG, knots, sales, fit_days(SETTINGS, knots, sales), days)
    assert forest is not None
    assert forest.columns == ("temperature",)
    stored = PriorForests.from_plain(model_from_data(model_as_data(PriorForests(days=forest).plain()))).days
    assert stored is not None
    skus = (*CATALOG.skus[1:], "NEW")
    levels, again = forest.levels(days, skus), stored.levels(days, skus)
    assert np.array_equal(levels, again)
    assert levels.shape == (5, 15)
    assert levels[-1] == pytest.approx(forest.levels(days, CATALOG.skus).mean(axis=0))


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

    plain = known(with_store())
    assert (plain.nunique(dropna=False) <= 1).all()
    found = known(with_store(country="US", pay_day=9, stores=["S01", "S02"]))
    found = found.loc[:, found.nunique(dropna=False) > 1]
    assert set(found) == {"is_holiday", "is_day_before_holiday", "days_since_pay_day"}
    assert len(found) == 17
    assert found["days_since_pay_day"].tolist()[3:7] == [30.0, 0.0, 1.0, 2.0]
    assert found["is_holiday"].tolist() == [0.0] * 14 + [1.0, 0.0, 0.0]  # 19 January
    assert found["is_day_before_holiday"].tolist() == [0.0] * 13 + [1.0, 0.0, 0.0, 0.0]
