"""The candidate that looks at the context learns what weekends do, and is left out where the context tells nothing."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from features.stored_model import classifier_as_data, classifier_from_data
from training.candidates import CANDIDATES, CONTEXT_FOREST, FittedModel, candidates_for, fit
from training.context_findings import findings_of
from training.context_forest import ContextGain, context_gain
from training.dataset import Dataset
from training.judge import log_loss

SKUS = ("BREAD", "MILK")
ONE_HOT = tuple(f"sku_{sku}" for sku in SKUS)
CONTEXT = ("hour", "weekday")
DAYS = 15
FIRST = dt.date(2026, 1, 5)
DECISIONS = 60


def chance(cells: pd.DataFrame, weekend: float = 0.0, evening: float = 0.0) -> np.ndarray:
    shift = weekend * (cells["weekday"] >= 6) + evening * (cells["hour"] >= 17)
    return np.asarray(expit(5 * (1 - cells["price_ratio"]) + shift))


def cells_of(day: int, seed: int, weekend: float, evening: float, day_spread: float) -> pd.DataFrame:
    """Return what was sold on a day: two products at five prices in each of six hours."""
    stream = np.random.default_rng([seed, day])
    grid = [(sku, ratio, hour) for sku in SKUS for ratio in (0.7, 0.9, 1.0, 1.1, 1.3) for hour in range(8, 20, 2)]
    cells = pd.DataFrame(grid, columns=["sku", "price_ratio", "hour"]).astype({"hour": float})
    cells = cells.assign(
        is_weekend=0.0, price_offered=cells["price_ratio"], weekday=float((FIRST + dt.timedelta(days=day)).isoweekday())
    )
    for sku in SKUS:
        cells[f"sku_{sku}"] = (cells["sku"] == sku).astype(float)
    p = expit(np.log((own := chance(cells, weekend, evening)) / (1 - own)) + stream.normal(0, day_spread))
    bought = stream.binomial(DECISIONS, p)
    return cells.assign(inventory_level=100, n_offered=DECISIONS, n_purchased=bought, fold=day % 5)


def days(weekend: float = 0.0, evening: float = 0.0, day_spread: float = 0.0, seed: int = 1) -> Dataset:
    """Return two weeks, of which the last five days are held out, by context and without it."""
    sold = [cells_of(day, seed, weekend, evening, day_spread) for day in range(DAYS)]
    held_out = range(DAYS - 5, DAYS)
    training = pd.concat([own for day, own in enumerate(sold) if day not in held_out], ignore_index=True)
    holdout = pd.concat(
        [sold[day].assign(business_date=pd.Timestamp(FIRST) + pd.Timedelta(days=day)) for day in held_out],
        ignore_index=True,
    )
    through = FIRST + dt.timedelta(days=DAYS - 6), FIRST + dt.timedelta(days=DAYS - 1)
    by_context = Dataset(training, holdout, ONE_HOT, *through, "f", FIRST, FIRST, CONTEXT)
    return Dataset(training, holdout, ONE_HOT, *through, "f", FIRST, FIRST, by_context=by_context)


@pytest.fixture(scope="module")
def weekends() -> Dataset:
    return days(weekend=1.5, evening=-0.8)


@pytest.fixture(scope="module")
def fitted(weekends: Dataset) -> FittedModel:
    return fit(CONTEXT_FOREST, weekends, 7)


def test_what_a_weekend_and_an_evening_do_is_learned_within_a_tenth_of_the_way_to_the_truth(
    weekends: Dataset, fitted: FittedModel
) -> None:
    cells = weekends.holdout
    truth = log_loss(chance(cells, 1.5, -0.8), cells)
    told = log_loss(fitted.p_sale(cells), cells) - truth
    plain = log_loss(fit(CANDIDATES[-1], weekends, 7).p_sale(cells), cells) - truth
    assert told < 0.1 * plain
    assert fitted.may_price
    assert fitted.context is not None
    assert set(fitted.context.differing) == set(CONTEXT)


def test_no_chance_rises_with_the_price_in_any_context(weekends: Dataset, fitted: FittedModel) -> None:
    contexts = weekends.holdout.drop_duplicates(["sku", *CONTEXT])
    rising = [fitted.p_sale(contexts.assign(price_ratio=ratio)) for ratio in np.linspace(0.5, 1.5, 40)]
    assert (np.diff(rising, axis=0) <= 1e-12).all()


@pytest.mark.parametrize("seed", range(3))
def test_where_the_context_tells_nothing_its_candidate_may_not_price(seed: int) -> None:
    found = context_gain(days(seed=seed).by_context, 7)  # type: ignore[arg-type]
    assert not found.matters


def test_levels_that_differ_by_day_and_for_no_reason_are_not_taken_for_those_of_weekdays() -> None:
    found = context_gain(days(day_spread=0.6).by_context, 7)  # type: ignore[arg-type]
    assert "weekday" in found.differing
    assert not found.matters


def test_a_gain_matters_from_a_standard_error_on() -> None:
    assert ContextGain(("hour",), 3, 0.0011, 0.001).matters
    assert not ContextGain(("hour",), 3, 0.0009, 0.001).matters
    assert "differ by no more than luck" in ContextGain().said


def test_days_without_context_have_no_candidate_for_it(weekends: Dataset) -> None:
    plain = weekends.by_context
    assert plain is not None
    assert candidates_for(plain) == CANDIDATES
    assert candidates_for(weekends) == (*CANDIDATES, CONTEXT_FOREST)


def test_trees_travel_as_data_and_answer_the_same(weekends: Dataset, fitted: FittedModel) -> None:
    sent = classifier_from_data(classifier_as_data(fitted.model))
    X = weekends.holdout[fitted.features].astype(float)
    assert np.array_equal(sent.predict_proba(X), fitted.model.predict_proba(X))


def test_the_price_is_the_most_important_part_and_a_weekend_shows_in_the_dependence(
    weekends: Dataset, fitted: FittedModel
) -> None:
    found = findings_of(fitted.context or ContextGain(), fitted, weekends.by_context or weekends, 7)
    nats = found.importance.set_index("part")["nats"]
    assert found.importance["part"].tolist()[0] == "price ratio"
    assert nats["weekday"] > nats["product"]
    by_weekday = found.dependence[found.dependence["feature"] == "weekday"].set_index("value")["p_sale"]
    assert by_weekday[6.0] > by_weekday[3.0] + 0.15
    by_hour = found.dependence[found.dependence["feature"] == "hour"].set_index("value")["p_sale"]
    assert by_hour[18.0] < by_hour[10.0] - 0.08
    assert findings_of(ContextGain(), fit(CANDIDATES[-1], weekends, 7), weekends, 7).importance.empty


def test_two_fits_are_the_same_to_the_last_bit(weekends: Dataset, fitted: FittedModel, tmp_path: Path) -> None:
    again = fit(CONTEXT_FOREST, weekends, 7)
    assert np.array_equal(again.p_sale(weekends.holdout), fitted.p_sale(weekends.holdout))


def test_a_feature_that_tells_nothing_beyond_those_before_it_is_not_looked_at() -> None:
    sold = days(weekend=1.5).by_context
    assert sold is not None
    training = sold.training.assign(is_weekend=(sold.training["weekday"] >= 6).astype(float))
    found = context_gain(replace(sold, training=training, context=("hour", "is_weekend", "weekday")), 7)
    assert found.differing == ("is_weekend",)
