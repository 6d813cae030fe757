"""The belief from units: it finds what was planted, and says how sure it is."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from plugins.own_store.learning.belief_from_units import believed_of_units
from plugins.own_store.learning.belief_priors import SHELF_SLOPE, ToldPrior

Sell = Callable[..., "object"]


def test_slopes_are_found_and_nineteen_of_twenty_lie_in_their_interval(sold_by: Sell) -> None:
    apart = []
    for seed in range(6):
        sold = sold_by((20, 4, 24), seed)
        belief = believed_of_units(sold.rows)
        apart.append((belief.slopes - sold.slopes) / belief.slopes_deviation)
    assert np.sqrt(np.mean(np.square(apart))) == pytest.approx(1.0, abs=0.25)
    assert np.mean(np.abs(apart) < 1.96) > 0.88


def test_before_anything_varies_the_shelf_s_prior_is_believed(sold_by: Sell) -> None:
    rows = sold_by((5, 2, 6)).rows
    unvaried = replace(rows, log_ratios=np.zeros(rows.shape))
    belief = believed_of_units(unvaried)
    assert belief.slopes == pytest.approx(np.full(5, SHELF_SLOPE), abs=0.05)
    assert belief.slopes_deviation == pytest.approx(np.full(5, 0.95), abs=0.1)


def test_what_has_no_exposure_teaches_nothing(sold_by: Sell) -> None:
    rows = sold_by().rows
    exposure = rows.exposure.copy()
    exposure[:, 1, 7:11] = 0.0
    log_ratios = np.where(exposure > 0, rows.log_ratios, 0.0)
    left_out = replace(rows, exposure=exposure, log_ratios=log_ratios)
    absurd = replace(left_out, units=np.where(exposure > 0, rows.units, 100_000.0))
    nothing = replace(left_out, units=np.where(exposure > 0, rows.units, 0.0))
    assert believed_of_units(absurd).slopes == pytest.approx(believed_of_units(nothing).slopes, abs=1e-6)


def test_half_the_exposure_is_half_the_units_and_no_lower_demand(sold_by: Sell) -> None:
    rows = sold_by(units=400.0).rows
    halved = replace(rows, exposure=rows.exposure / 2)
    apart = believed_of_units(halved).levels - believed_of_units(rows).levels
    assert apart == pytest.approx(np.full(apart.shape, np.log(2)), abs=0.02)


def test_a_product_that_never_sold_keeps_the_belief_finite(sold_by: Sell) -> None:
    rows = sold_by().rows
    units = rows.units.copy()
    units[3], units[:, 1] = 0.0, 0.0
    belief = believed_of_units(replace(rows, units=units))
    assert np.isfinite(belief.slopes).all()
    assert np.isfinite(belief.levels).all()
    assert (belief.slopes_deviation > 0).all()


def test_a_log_that_was_wrong_for_all_products_is_unlearned_sooner_than_for_one(sold_by: Sell) -> None:
    sold = sold_by((20, 2, 10))
    lonely = ToldPrior.of(np.where(np.arange(20) == 0, sold.slopes - 2, np.nan))
    common = ToldPrior.of(sold.slopes - 2)
    errors = [abs(believed_of_units(sold.rows, told).slopes - sold.slopes) for told in (lonely, common)]
    untold = abs(believed_of_units(sold.rows).slopes - sold.slopes)
    assert errors[0][0] > untold[0]
    assert errors[1].mean() < 1.2 * untold.mean()


def test_a_true_log_is_worth_something_at_first(sold_by: Sell) -> None:
    sold = sold_by((20, 1, 5), spread=0.05)
    told = believed_of_units(sold.rows, ToldPrior.of(sold.slopes))
    untold = believed_of_units(sold.rows)
    assert np.abs(told.slopes - sold.slopes).mean() < np.abs(untold.slopes - sold.slopes).mean()


def test_no_log_is_believed_by_less_than_a_width_of_one() -> None:
    slopes = np.array([-2.0, -3.0])
    assert ToldPrior.of(slopes, width=0.1).widths.tolist() == [1.0, 1.0]
    assert ToldPrior.of(slopes).widths.tolist() == [1.2, 1.2]
    assert ToldPrior.of(slopes, np.array([0.1, 2.0])).widths.tolist() == [1.2, 2.0]


def test_local_shocks_are_told_from_none(sold_by: Sell) -> None:
    shaken, calm = (believed_of_units(sold_by((20, 5, 20), shock=size).rows).spreads.shock for size in (0.2, 0.0))
    assert shaken == pytest.approx(0.2, abs=0.05)
    assert calm < 0.05


def test_days_with_weekdays_teach_the_same_slopes(sold_by: Sell) -> None:
    weekdays = np.arange(42) % 7
    busy = np.array([-0.4, -0.2, 0.0, 0.0, 0.2, 0.5, 0.6])
    sold = sold_by((15, 2, 42), units=12.0, weekdays=weekdays, weekday_effects=busy)
    belief = believed_of_units(sold.rows)
    apart = (belief.slopes - sold.slopes) / belief.slopes_deviation
    assert np.abs(apart).max() < 4
    by_day = np.array([belief.effects[weekdays == day].mean() for day in range(7)])
    assert np.corrcoef(by_day, busy)[0, 1] > 0.95
    assert belief.spreads.effect < 0.15  # what weekdays explain is no surprise


def test_an_update_from_the_belief_of_the_week_before_is_the_belief_from_the_beginning(sold_by: Sell) -> None:
    rows = sold_by((20, 4, 24)).rows
    before = believed_of_units(replace(rows, exposure=rows.exposure * (np.arange(24) < 23)))
    updated, anew = believed_of_units(rows, before=before), believed_of_units(rows)
    assert np.abs(updated.slopes - anew.slopes).max() < 0.05 * anew.slopes_deviation.min()
    assert np.abs(updated.slopes - before.slopes).max() > 0.1 * anew.slopes_deviation.min()
