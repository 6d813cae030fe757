import datetime as dt
import math
from collections.abc import Callable

import pandas as pd
import pytest

from catalog.metrics import calibration_error
from dashboard.data.versions import Version, predicted
from dashboard.monitor import Monitor
from dashboard.pages import models as page
from dashboard.pages.models_cards import calibration_card

FIRST = dt.date(2026, 1, 12)


def test_predictions_are_compared_with_the_day_they_were_made_for_and_right_ones_have_no_error(
    three: tuple[Version, ...], add_priced_day: Callable[..., None], monitor: Monitor
) -> None:
    add_priced_day(FIRST, "1")
    add_priced_day(FIRST + dt.timedelta(days=1), "2")
    curves, observed = page.curves_and_observed(monitor)
    seen = predicted(curves, observed)
    assert seen["n_offered"].sum() == 1_200
    assert set(seen["model_version"]) == {"1", "2"}
    assert error_of(seen) == pytest.approx(0)
    assert error_of(seen.assign(p_sale=seen["p_sale"] - 0.1)) == pytest.approx(0.1)


def test_prices_outside_the_curve_and_days_without_one_are_left_out() -> None:
    curve = pd.DataFrame(
        {
            "business_date": [1, 1],
            "sku": ["A", "A"],
            "price": [1.0, 2.0],
            "p_sale": [0.8, 0.2],
            "model_version": ["1"] * 2,
        }
    )
    observed = pd.DataFrame(
        {
            "business_date": [1, 1, 1, 2],
            "sku": ["A"] * 4,
            "price_offered": [0.5, 1.5, 2.5, 1.5],
            "n_offered": [1] * 4,
            "n_purchased": [0] * 4,
        }
    )
    seen = predicted(curve, observed)
    assert list(seen["p_sale"]) == pytest.approx([0.5])
    nothing = predicted(curve, observed[observed["business_date"] == 2])
    assert nothing.empty
    assert math.isnan(error_of(nothing))
    assert "No day that a champion priced is over yet." in str(calibration_card(nothing, "light"))


def error_of(seen: pd.DataFrame) -> float:
    return calibration_error(seen["p_sale"].to_numpy(dtype=float), seen)
