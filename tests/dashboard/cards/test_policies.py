import datetime as dt
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from dashboard.cards.policies import provenance
from dashboard.data.comparison import policies_in_order
from dashboard.figures import policies as figures
from dashboard.monitor import Monitor
from dashboard.pages import policies as page

EARNED = {"clairvoyant": [200.0, 220.0], "static": [100.0, 110.0], "stock_aware": [198.0, 218.0], "newcomer": [50, 60]}


def test_money_left_is_what_the_clairvoyant_earned_more_on_the_same_shoppers_a_store_day(
    add_comparison: Callable[..., None], monitor: Monitor
) -> None:
    add_comparison(EARNED)
    played = page.comparison(monitor).played.set_index(["scenario", "policy"])
    assert played.loc[("200 visits", "static"), "left_eur"] == pytest.approx((100 + 110) / 2 / 2)
    assert played.loc[("200 visits", "clairvoyant"), "left_eur"] == 0
    assert played.loc[("200 visits", "stock_aware"), "units_per_day"] == 5
    assert played.loc[("200 visits", "stock_aware"), "lost_sales_per_day"] == 2


def test_intervals_are_students_over_seeds_and_one_seed_has_none(
    add_comparison: Callable[..., None], monitor: Monitor
) -> None:
    add_comparison(EARNED)
    learned = page.comparison(monitor).learned.set_index(["policy", "decisions"])
    row = learned.loc[("stock_aware", 500)]
    assert row["high"] - row["share"] == pytest.approx(12.7062 * 0.01, rel=1e-4)  # t of one degree of freedom
    assert math.isnan(learned.loc[("true_demand", 0), "high"])


def test_only_the_newest_comparison_is_shown(add_comparison: Callable[..., None], monitor: Monitor) -> None:
    add_comparison({"clairvoyant": [1.0], "rule": [1.0]}, at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC), group="old")
    add_comparison(EARNED)
    assert page.comparison(monitor).policies == ("stock_aware", "static", "newcomer")


def test_scenarios_go_from_plenty_to_scarce_and_policies_from_knowing_most_to_least(
    add_comparison: Callable[..., None], monitor: Monitor
) -> None:
    add_comparison(EARNED)
    assert page.comparison(monitor).scenarios == ("200 visits", "1000 visits")
    named = {"zeta", "static", "greedy", "clairvoyant", "true_demand", "stock_aware"}
    assert policies_in_order(named) == ("stock_aware", "greedy", "static", "zeta")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_tells_shares_money_and_how_it_was_compared(
    add_comparison: Callable[..., None], monitor: Monitor, words: Callable[[Any], str], scheme: Any
) -> None:
    add_comparison(EARNED)
    said = words(page.content(monitor, scheme))
    assert "2 scenarios, 2 seeds of 2 store days, after learning from 2,000 decisions" in said
    assert "€1.00" in said  # what stock-aware leaves


def test_one_scenario_is_told_as_one(add_comparison: Callable[..., None], monitor: Monitor) -> None:
    add_comparison(EARNED)
    found = page.comparison(monitor)
    assert "1 scenario, 2 seeds of 2 store days" in provenance(replace(found, scenarios=found.scenarios[:1]))


def test_policies_are_told_apart_by_mark_and_colour_in_both_schemes() -> None:
    named = ("stock_aware", "greedy", "prototype", "rule", "static")
    assert len({figures.policy_symbol(policy) for policy in named}) == len(named)
    for scheme in ("light", "dark"):
        assert len({figures.policy_colour(policy, scheme) for policy in named}) == len(named)  # type: ignore[arg-type]


def test_every_axis_says_what_it_shows(add_comparison: Callable[..., None], monitor: Monitor) -> None:
    add_comparison(EARNED)
    found = page.comparison(monitor)
    shares, learning = figures.shares(found, "light"), figures.learning(found.learned, "light")
    assert shares.layout.xaxis.title.text == "share of the clairvoyant"
    assert learning.layout.xaxis.title.text == "logged decisions learned from"
    assert list(learning.layout.xaxis.ticktext) == ["500", "2,000"]


def test_the_heat_map_writes_whole_euros_and_never_minus_zero(
    add_comparison: Callable[..., None], monitor: Monitor
) -> None:
    add_comparison({**EARNED, "stock_aware": [200.4, 220.4]})
    drawn = figures.money_left(page.comparison(monitor), "dark").data[0]
    texts = pd.DataFrame(drawn.text, index=drawn.y, columns=drawn.x)
    assert texts.loc["200 visits", "stock-aware"] == "0"
    assert texts.loc["200 visits", "static"] == "52"


def test_without_a_comparison_the_page_names_the_command(
    monitor: Monitor, words: Callable[[Any], str], request: pytest.FixtureRequest
) -> None:
    assert "shelfprice demo" in words(page.content(monitor, "light"))
    request.getfixturevalue("lake")
    assert "shelfprice compare" in words(page.content(monitor, "light"))
