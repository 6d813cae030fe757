"""Demand that depends on when and where shoppers come: what holds where, and that the truth is what the twin plays."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError
from truly_earned import expected_gain, gained

from catalog.decisions.store_day import BOUGHT
from catalog.load import Catalog
from etl.twin.conditions import day_shift_on, days_since_pay_day, temperature_on
from etl.twin.store_day import meet, play
from etl.twin.visits import budget_shifts_on, demand_factors_on, draw_visits
from plugins.evaluation.clairvoyant import Clairvoyants, clairvoyant
from plugins.evaluation.truth import chance_of_sale, chance_on, expected_visits_on, mean_chance_on
from serving.optimise.policies import StaticPolicy
from serving.store.storefront import Storefront

MakeCatalog = Callable[..., Catalog]
MONDAY = dt.date(2026, 1, 5)
TWO_YEARS = [MONDAY + dt.timedelta(days=number) for number in range(730)]
EVENING = {"starts": "16:00", "budget_shift": -0.2}
RICH_STORE = {"stores": ["S02"], "budget_shift": 0.3, "demand_factor": 1.5}
MORNING_OF_MILK = {"ends": "12:00", "skus": ["MILK"], "demand_factor": 2.0, "budget_shift": 0.2}


def full_shelf(catalog: Catalog) -> Catalog:
    return replace(catalog, products=tuple(item.model_copy(update={"par_stock": 30_000}) for item in catalog.products))


def dates_with(catalog: Catalog) -> list[dt.date]:
    return [date for date in TWO_YEARS if budget_shifts_on(catalog, date).any()]


def test_an_effect_holds_on_its_weekdays_and_within_its_hours_alone(with_store: MakeCatalog) -> None:
    effect = {"weekdays": ["sat", "sun"], "starts": "12:00", "ends": "14:30", "skus": ["EGGS"], "budget_shift": 0.25}
    catalog = with_store(demand_effects=[effect | {"demand_factor": 1.3}])
    saturday = MONDAY + dt.timedelta(days=5)
    shifts, factors = budget_shifts_on(catalog, saturday), demand_factors_on(catalog, saturday)
    assert np.argwhere(shifts == 0.25).tolist() == [[tick, 2] for tick in range(16, 26)]
    assert np.array_equal(factors == 1.3, shifts == 0.25)
    assert {date.weekday() for date in dates_with(catalog)} == {5, 6}


def test_holidays_of_the_country_and_the_days_before_them_count(with_store: MakeCatalog) -> None:
    on, before = ({name: True, "budget_shift": 0.1} for name in ("holidays", "day_before_holiday"))
    german = with_store(country="DE", demand_effects=[on])
    assert {dt.date(2026, 4, 3), dt.date(2026, 5, 1), dt.date(2026, 12, 25)} <= set(dates_with(german))
    assert dt.date(2026, 1, 15) not in dates_with(german)
    assert dt.date(2026, 1, 15) in dates_with(with_store(country="NP", demand_effects=[on]))
    the_day_before = {
        date + dt.timedelta(days=1) for date in dates_with(with_store(country="DE", demand_effects=[before]))
    }
    assert the_day_before == {date for date in dates_with(german) if date > MONDAY}


@pytest.mark.parametrize(
    ("pay_day", "date", "days"),
    [
        (25, (2026, 1, 25), 0),
        (25, (2026, 1, 24), 30),
        (31, (2026, 2, 28), 0),
        (31, (2026, 3, 1), 1),
        (1, (2026, 1, 5), 4),
    ],
)
def test_days_since_the_pay_day_count_from_the_last_day_of_a_month_that_is_too_short(
    pay_day: int, date: tuple[int, int, int], days: int
) -> None:
    assert days_since_pay_day(pay_day, dt.date(*date)) == days


def test_an_effect_after_pay_day_holds_from_its_first_day_through_its_last(with_store: MakeCatalog) -> None:
    catalog = with_store(pay_day=31, demand_effects=[{"days_since_pay_day": [1, 3], "budget_shift": 0.2}])
    of_march = [date.day for date in dates_with(catalog) if (date.year, date.month) == (2026, 3)]
    assert of_march == [1, 2, 3]


def test_all_conditions_that_are_given_must_hold_and_effects_that_hold_add_up(with_store: MakeCatalog) -> None:
    both = {"weekdays": ["mon"], "days_since_pay_day": [0, 6], "budget_shift": 0.2, "demand_factor": 2.0}
    always = {"budget_shift": 0.1, "demand_factor": 1.5}
    catalog = with_store(pay_day=1, demand_effects=[both, always])
    assert budget_shifts_on(catalog, MONDAY)[0, 0] == pytest.approx(0.3)
    assert demand_factors_on(catalog, MONDAY)[0, 0] == 3.0
    for other in (MONDAY + dt.timedelta(days=1), MONDAY + dt.timedelta(days=7)):
        assert (budget_shifts_on(catalog, other) == 0.1).all()


def test_temperatures_follow_the_year_and_warm_days_come_in_a_row(with_store: MakeCatalog) -> None:
    catalog = with_store(weather={"mean": 12.0, "swing": 9.0, "day_variation": 4.0, "persistence": 0.8})
    years = [MONDAY + dt.timedelta(days=number) for number in range(3 * 365)]
    days = np.array([date.timetuple().tm_yday for date in years])
    found = np.array([temperature_on(catalog, date) for date in years])
    noise = (found - 12 - 9 * np.cos(2 * np.pi * (days - 196) / 365.25)) / 4
    assert noise.std() == pytest.approx(1, rel=0.15)
    assert np.corrcoef(noise[1:], noise[:-1])[0, 1] == pytest.approx(0.8, abs=0.06)
    assert found[days == 196].mean() > found[days == 15].mean() + 8
    hot = with_store(demand_effects=[{"above_temperature": 20.0, "budget_shift": 0.2}])
    assert dates_with(hot) == [date for date in TWO_YEARS if temperature_on(hot, date) > 20]
    assert 20 < len(dates_with(hot)) < 250
    other = with_store(weather={"seed": 1})
    assert temperature_on(other, MONDAY) != temperature_on(with_store(), MONDAY)


def test_the_level_of_a_day_shifts_evenly_within_its_bounds_and_alike_for_all(with_store: MakeCatalog) -> None:
    catalog = with_store(day_shift=0.2)
    drawn = np.array([day_shift_on(catalog, date) for date in TWO_YEARS])
    assert -0.2 <= drawn.min() < -0.19 < 0.19 < drawn.max() <= 0.2
    assert drawn.mean() == pytest.approx(0, abs=0.02)
    assert drawn.std() == pytest.approx(0.4 / np.sqrt(12), rel=0.05)
    assert abs(np.corrcoef(drawn[1:], drawn[:-1])[0, 1]) < 0.12
    assert (budget_shifts_on(catalog, MONDAY) == drawn[0]).all()
    other = with_store(day_shift=0.2, footfall={"busy_days_seed": 1})
    assert day_shift_on(other, MONDAY) != drawn[0]


def test_what_is_bought_in_each_tick_and_store_has_the_true_chance(with_store: MakeCatalog, day: dt.date) -> None:
    effects = [EVENING, RICH_STORE, MORNING_OF_MILK]
    catalog = full_shelf(with_store(visits_per_day=60_000.0, demand_effects=effects))
    played = play(catalog, Storefront(StaticPolicy(catalog.base_prices)), ("S01", "S02"), day, 7)
    for store, name in enumerate(("S01", "S02")):
        chance = chance_on(catalog, day, np.ones((5, 1)), name)
        expected = expected_visits_on(catalog, day, name)
        assert chance.shape == (48, 5, 1)
        for first in (0, 16, 32):
            for product in range(5):
                own = (played.store == store) & (played.product == product)
                own &= (played.tick >= first) & (played.tick < first + 16)
                p = chance[first, product, 0]
                assert (chance[first : first + 16, product, 0] == p).all()
                assert abs((played.outcome[own] == BOUGHT).mean() - p) < 4.5 * np.sqrt(p * (1 - p) / own.sum())
                coming = expected[product, first : first + 16].sum()
                assert abs(own.sum() - coming) < 4.5 * np.sqrt(coming)
    evening, usual = chance_of_sale(catalog, np.array(1.0), -0.2), chance_of_sale(catalog, np.array(1.0))
    assert chance_on(catalog, day, np.ones((5, 1)), "S01")[[16, 40], 1, 0].tolist() == [usual, evening]


def test_a_store_that_no_effect_names_sells_the_bytes_that_it_sold_without_any(
    with_store: MakeCatalog, shelf: Catalog, day: dt.date
) -> None:
    catalog, stores = with_store(demand_effects=[RICH_STORE]), ["S01", "S02", "S03"]
    with_it, without = (draw_visits(own, stores, day, 7) for own in (catalog, shelf))
    for store in (0, 2):
        rows, before = (slice(v.starts[store, 0], v.starts[store, -1]) for v in (with_it, without))
        for name in ("product", "multiplier", "shopper", "since_opening_us"):
            assert getattr(with_it, name)[rows].tobytes() == getattr(without, name)[before].tobytes()
    rich = slice(with_it.starts[1, 0], with_it.starts[1, -1])
    assert with_it.multiplier[rich].mean() > 1.25
    alone = draw_visits(catalog, ["S02"], day, 7)
    assert alone.multiplier.tobytes() == with_it.multiplier[rich].tobytes()


def test_an_average_visit_has_the_mean_chance_of_all_ticks_and_stores(with_store: MakeCatalog, day: dt.date) -> None:
    catalog = full_shelf(with_store(visits_per_day=60_000.0, demand_effects=[EVENING, RICH_STORE]))
    played = play(catalog, Storefront(StaticPolicy(catalog.base_prices)), catalog.store.stores, day, 7)
    chance = mean_chance_on(catalog, day, np.ones((5, 1)))[:, 0]
    for product in range(5):
        bought = played.outcome[played.product == product] == BOUGHT
        assert abs(bought.mean() - chance[product]) < 4 * np.sqrt(0.25 / len(bought))


def test_the_clairvoyant_prices_each_store_and_tick_by_its_own_demand_and_earns_what_it_expects(
    with_store: MakeCatalog, day: dt.date
) -> None:
    poor, rich = [f"P{number:02d}" for number in range(60)], [f"R{number:02d}" for number in range(60)]
    effects = [EVENING, RICH_STORE | {"stores": rich}]
    catalog = with_store(stores=[*poor, *rich], demand_effects=effects)
    visits = draw_visits(catalog, catalog.store.stores, day, 3)
    best = Clairvoyants(catalog).on(day)
    played = meet(catalog, Storefront(best), catalog.store.stores, day, visits)
    by_store = [expected_gain(clairvoyant(catalog, day, own), catalog, day, store=own).sum() for own in ("P00", "R00")]
    assert gained(played, catalog) == pytest.approx(60 * sum(by_store), rel=0.015)
    blind = StaticPolicy(catalog.base_prices), clairvoyant(catalog, day)
    for policy in blind:
        worse = gained(meet(catalog, Storefront(policy), catalog.store.stores, day, visits), catalog)
        assert worse < 0.99 * gained(played, catalog)
    opening, evening = played.decisions.prices[[0, 40]].mean(axis=2)
    assert (opening[60:] > 1.1 * opening[:60]).all()
    assert (evening < opening).all()


@pytest.mark.parametrize(
    ("effect", "named"),
    [
        ({"weekdays": ["saturday"]}, ["weekdays", "saturday"]),
        ({"starts": "16:00", "ends": "16:00"}, ["16:00", "never holds"]),
        ({"starts": "21:00"}, ["entry 1", "08:00 to before 20:00", "21:00"]),
        ({"stores": ["S09"]}, ["entry 1", "'S09'"]),
        ({"holidays": True}, ["entry 1", "give country"]),
        ({"days_since_pay_day": [0, 3]}, ["entry 1", "give pay_day"]),
        ({"days_since_pay_day": [4, 3]}, ["the first and the last", "[4, 3]"]),
        ({"budget": 0.2}, ["budget"]),
    ],
)
def test_an_effect_that_can_never_hold_is_refused_with_what_was_expected(
    with_store: MakeCatalog, effect: dict[str, object], named: list[str]
) -> None:
    with pytest.raises(ValidationError) as refusal:
        with_store(demand_effects=[effect])
    assert [part for part in named if part not in str(refusal.value)] == []
