"""Days that are busier than others, by weekday and by themselves."""

import datetime as dt
from collections.abc import Callable

import numpy as np
import pytest

from catalog.load import Catalog
from etl.twin.draws import footfall_factor_on
from etl.twin.visits import draw_visits
from plugins.evaluation.truth import expected_visits_on

WEEKDAYS = (0.75, 0.8, 0.9, 1.0, 1.3, 1.5, 0.75)
MONDAY = dt.date(2026, 1, 5)
DAYS = [MONDAY + dt.timedelta(days=number) for number in range(7 * 400)]


def factors(catalog: Catalog) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.array([footfall_factor_on(catalog, date) for date in DAYS])


@pytest.fixture(scope="session")
def uneven(with_store: Callable[..., Catalog]) -> Catalog:
    return with_store(footfall={"day_variation": 0.3, "weekday_factors": WEEKDAYS})


def test_without_variation_every_day_has_its_weekdays_factor(
    shelf: Catalog, with_store: Callable[..., Catalog]
) -> None:
    assert set(factors(shelf)) == {1.0}
    weekly = with_store(footfall={"weekday_factors": WEEKDAYS})
    assert factors(weekly).tolist() == list(WEEKDAYS) * 400


def test_days_average_one_with_the_stated_coefficient_of_variation(with_store: Callable[..., Catalog]) -> None:
    drawn = factors(with_store(footfall={"day_variation": 0.3}))
    assert drawn.mean() == pytest.approx(1, abs=4 * 0.3 / np.sqrt(len(drawn)))
    assert drawn.std() / drawn.mean() == pytest.approx(0.3, rel=0.08)
    assert abs(np.corrcoef(drawn[1:], drawn[:-1])[0, 1]) < 0.08
    assert (drawn > 0).all()


def test_visits_come_as_the_clairvoyant_expects_on_each_date(
    with_store: Callable[..., Catalog], uneven: Catalog
) -> None:
    busy = with_store(visits_per_day=20_000.0, footfall=uneven.store.footfall.model_dump())
    counts = np.array([draw_visits(busy, ["S01"], date, 7).count for date in DAYS[:40]])
    expected = np.array([expected_visits_on(busy, date).sum() for date in DAYS[:40]])
    assert expected == pytest.approx(20_000 * factors(uneven)[:40])
    assert (np.abs(counts - expected) < 4.5 * np.sqrt(expected)).all()


def test_all_stores_and_seeds_share_the_busy_days_and_another_seed_of_them_has_others(
    with_store: Callable[..., Catalog], uneven: Catalog
) -> None:
    other = with_store(footfall={"day_variation": 0.3, "weekday_factors": WEEKDAYS, "busy_days_seed": 1})
    assert abs(np.corrcoef(factors(other) / factors(uneven), factors(uneven))[0, 1]) < 1
    assert not np.allclose(factors(other)[:7], factors(uneven)[:7])
    again = [footfall_factor_on(uneven, date) for date in reversed(DAYS[:20])]
    assert again[::-1] == factors(uneven)[:20].tolist()
