"""How policies are scored: exactly and played, and that both agree."""

import datetime as dt
import math

import pytest
from truly_earned import expected_gain, gained

from etl.twin.store_day import meet
from etl.twin.visits import draw_visits
from plugins.evaluation.clairvoyant import clairvoyant
from plugins.evaluation.reporting import interval
from plugins.evaluation.truth import expected_visits_on, true_curves
from plugins.evaluation.worlds import asked_worlds
from serving.optimise.policies import GreedyPolicy, StaticPolicy, stock_aware
from serving.store.storefront import Storefront

PLAYED_ON = dt.date(2026, 6, 1)
SCENARIOS = {world.name: world for world in asked_worlds(["200 visits", "400 visits", "two peaks"])}


@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_beats_the_clairvoyant_and_the_ladder_with_true_demand_comes_near(name: str) -> None:
    catalog = SCENARIOS[name].catalog
    limit = expected_gain(clairvoyant(catalog, PLAYED_ON), catalog, PLAYED_ON)
    ladder = expected_gain(
        stock_aware(catalog, true_curves(catalog, PLAYED_ON), expected_visits_on(catalog, PLAYED_ON), "true demand"),
        catalog,
        PLAYED_ON,
    )
    static = expected_gain(StaticPolicy(catalog.base_prices), catalog, PLAYED_ON)
    assert (static < limit).all()
    assert (ladder < limit).all()
    assert (ladder / limit).mean() > 0.997


@pytest.mark.parametrize("name", ["400 visits", "two peaks"])
def test_what_is_played_agrees_with_what_is_expected(name: str) -> None:
    catalog = SCENARIOS[name].catalog
    policies = {
        "static": StaticPolicy(catalog.base_prices),
        "greedy": GreedyPolicy(true_curves(catalog, PLAYED_ON)),
        "clairvoyant": clairvoyant(catalog, PLAYED_ON),
    }
    stores = [f"C{number:05d}" for number in range(300)]
    visits = draw_visits(catalog, stores, PLAYED_ON, 5)
    for policy in policies.values():
        played = meet(catalog, Storefront(policy), stores, PLAYED_ON, visits)
        expected = expected_gain(policy, catalog, PLAYED_ON).sum()
        assert gained(played, catalog) / 300 == pytest.approx(expected, rel=0.01)


def test_intervals_are_those_of_student_and_one_value_has_none() -> None:
    found = interval([0.98, 0.99, 1.0])
    assert found.mean == pytest.approx(0.99)
    assert found.high - found.mean == pytest.approx(4.302652729 * 0.01 / math.sqrt(3))
    assert math.isnan(interval([0.9]).low)
