"""Learners that see units alone, and how policies are scored in stores that are not ours."""

import json
import subprocess
import sys

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize

from catalog.errors import DataError
from evaluation.outside_store.policy_score import policy_named, score, table
from evaluation.outside_store.stores.count_grocer import CountGrocer
from evaluation.outside_store.stores.weekly_seller import owner_policy, play
from evaluation.peers.units_alone import EXPECTED_PROFIT, THOMPSON, WIDE, slopes_of


def tried(world: CountGrocer, n_weeks: int) -> tuple[np.ndarray, np.ndarray]:
    """Return prices within 10 % of the owner's by lot, and what they sold."""
    dice = np.random.default_rng(1)
    prices = world.owner_prices * dice.uniform(0.9, 1.1, (n_weeks, *world.owner_prices.shape))
    return prices, np.array([world.play_week(prices[: week + 1]).sum(axis=0) for week in range(n_weeks)])


def test_slopes_are_the_mode_of_the_posterior_that_the_page_names() -> None:
    world = CountGrocer(1, 2, 10.0, 3)
    prices, units = tried(world, 6)
    found = slopes_of(prices, units, world.owner_prices)
    log_ratio = np.log(prices / world.owner_prices)

    def against(parameters: np.ndarray) -> float:
        level, week, slopes, shared = np.split(parameters, [6, 12, 15])
        mean = np.exp(level.reshape(2, 3) + week[:, None, None] + slopes * log_ratio)
        fit = stats.nbinom.logpmf(units, found.shape, found.shape / (found.shape + mean)).sum()
        prior = stats.norm.logpdf(week, 0, 0.2).sum() + stats.norm.logpdf(slopes, shared, WIDE.apart).sum()
        return -float(fit + prior + stats.norm.logpdf(shared, WIDE.mean, WIDE.shared).sum())

    start = np.concatenate([np.log(units.mean(axis=0)).ravel(), np.zeros(6), np.full(3, -2.0), [-2.0]])
    assert found.mean == pytest.approx(minimize(against, start).x[12:15], abs=0.02)


def test_slopes_come_near_the_truth_with_as_much_doubt_as_they_say() -> None:
    off = list[np.ndarray]()
    for seed in range(10):
        world = CountGrocer(seed, 10, 10.0)
        found = slopes_of(*tried(world, 16), world.owner_prices)
        off.append((found.mean - world.shelf.slopes) / np.sqrt(np.diag(found.covariance)))
    assert np.sqrt(np.mean(np.square(off))) == pytest.approx(1, abs=0.2)
    assert np.sqrt(np.diag(found.covariance)).max() < 0.4


@pytest.mark.play
def test_a_learner_that_sees_units_loses_a_tenth_of_what_the_owner_loses() -> None:
    scores = {
        name: score(name, policy, CountGrocer, range(3))
        for name, policy in (("owner", owner_policy), ("draws", THOMPSON), ("mean", EXPECTED_PROFIT))
    }
    owner, draws, mean = (scores[name].lost[-1].mean for name in ("owner", "draws", "mean"))
    assert owner > 0.07
    assert draws < owner / 10
    assert mean < owner / 10
    assert scores["draws"].lost[0].mean > scores["draws"].lost[1].mean > scores["draws"].lost[2].mean
    text = "\n".join(table(list(scores.values())))
    assert "| lost in %, weeks | 1-4 | 5-8 | 9-12 | 13-26 |" in text
    assert "tried" not in text
    assert json.loads(json.dumps(scores["mean"].as_record()))["lost"]["13-26"]["mean"] == mean


def test_a_policy_is_played_with_luck_of_its_own() -> None:
    world = CountGrocer(1, 2, 10.0, 3)
    first, again, other = (play(world, THOMPSON, 4, seed).prices for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_policy_that_is_not_there_is_named() -> None:
    with pytest.raises(DataError, match="--policy nowhere:none: expected module:name of a policy, found none"):
        policy_named("nowhere:none")
    assert policy_named("evaluation.peers.units_alone:THOMPSON") is THOMPSON


@pytest.mark.play
def test_the_command_scores_policies() -> None:
    command = [sys.executable, "-m", "evaluation.outside_store", "score", "--size", "5x5", "--seeds", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = [line.split("|")[1].strip() for line in done.stdout.splitlines()]
    assert rows[2:] == ["owner_policy", "drawn", "of it at tried prices", "thompson", "expected_profit"]
