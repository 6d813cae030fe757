"""The response to prices that somebody else set: found where it is there, and not told where it could be another's."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from catalog.arrays import Floats
from catalog.gate import PRICE_RESPONSE_IS_TOLD
from features.price_response import (
    PriceResponse,
    Slope,
    at_base_price,
    price_responses,
    slopes_of,
    told_skus,
    with_response,
)
from training.conditions.condition import Condition
from training.dataset import Dataset
from training.gate import GateInput, Incumbent, Verdict, pass_gate

STORES, WEEKS = 10, 40
PASSED = Condition("trial", met=True, found="passed")


def cells_of(
    seed: int,
    log_odds: Callable[[Floats, Floats, Floats], Floats],
    *,
    visits: int = 120,
    spread: float = 0.2,
    sku: str = "MILK",
    follows: Callable[[Floats, Floats], Floats] = lambda store, _week: 0 * store,
) -> pd.DataFrame:
    """Decisions of ten stores in forty weeks; prices are drawn by week, around what they follow."""
    draw = np.random.default_rng(seed)
    store, week, _ = (axis.ravel().astype(float) for axis in np.mgrid[:STORES, :WEEKS, :2])
    log_price = follows(store, week) + spread * draw.normal(size=store.shape)
    chance = 1 / (1 + np.exp(-log_odds(log_price, store, week)))
    offered = np.full(store.shape, visits // 2)
    return pd.DataFrame(
        {
            "sku": sku,
            "store_id": [f"S{int(number)}" for number in store],
            "business_date": pd.Timestamp("2025-01-06") + pd.to_timedelta(7 * week, unit="D"),
            "price_offered": 2 * np.exp(log_price),
            "n_offered": offered,
            "n_purchased": draw.binomial(offered, chance),
        }
    )


def response_to(cells: pd.DataFrame) -> PriceResponse:
    (found,) = price_responses(cells, ["MILK"])
    return found


def test_a_response_is_found_within_its_interval_about_as_often_as_promised() -> None:
    held = []
    for seed in range(30):
        found = response_to(cells_of(seed, lambda price, store, _week: -2 - 1.5 * price + 0.05 * store, visits=40))
        assert found.estimate is not None
        held.append(found.estimate.lower <= -1.5 <= found.estimate.upper)
    assert np.mean(held) >= 0.85


def test_a_response_that_is_there_is_told_and_its_guards_agree() -> None:
    found = response_to(cells_of(1, lambda price, store, week: -2 - 2 * price + 0.1 * store + 0.3 * np.sin(week / 8)))
    assert (found.verdict, found.decisions) == ("told", STORES * WEEKS * 120)
    assert found.estimate is not None
    assert found.estimate.estimate == pytest.approx(-2, abs=0.2)
    assert told_skus([found]) == ("MILK",)


def test_a_price_that_only_follows_the_season_is_not_told() -> None:
    """Cheap in the weeks when people buy anyway: the naive slope is sure, and wrong."""
    found = response_to(
        cells_of(2, lambda _price, _store, week: -2 + np.sin(week), follows=lambda _store, week: -0.3 * np.sin(week))
    )
    assert found.naive is not None
    assert found.naive.upper < -0.5
    assert found.verdict == "too confounded"


def test_a_price_that_only_follows_the_store_is_not_told() -> None:
    found = response_to(
        cells_of(3, lambda _price, store, _week: -2 + 0.2 * store, follows=lambda store, _week: -0.1 * store)
    )
    assert found.verdict == "too confounded"
    assert "without store and season" in found.why


def test_where_price_and_week_cannot_be_told_apart_nothing_is_told() -> None:
    found = response_to(
        cells_of(4, lambda price, _s, _w: -2 - 2 * price, spread=0.0, follows=lambda _s, week: 0.1 * np.sin(week))
    )
    assert (found.verdict, found.strict) == ("too confounded", None)
    assert "hardly varies" in found.why


def test_prices_that_rise_with_demand_are_not_told() -> None:
    found = response_to(cells_of(5, lambda price, *_: -2 + 2 * price))
    assert (found.verdict, found.why) == ("too confounded", "dearer seems to sell more, so something else moves both")


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        (pd.DataFrame(), "there are no decisions"),
        (cells_of(6, lambda price, *_: -2 + 0 * price, spread=0.0), "its price never varied"),
        (cells_of(6, lambda price, *_: -12 - price), "refusals, at least 30 of each wanted"),
        (cells_of(6, lambda price, *_: -3 + 0 * price, visits=8), "no response is possible too"),
        (cells_of(6, lambda price, *_: -price)[:30], "fewer than 20 weeks of stores"),
    ],
)
def test_too_little_is_too_thin_and_it_says_of_what(cells: pd.DataFrame, why: str) -> None:
    found = response_to(cells)
    assert found.verdict == "too thin"
    assert why in found.why
    assert told_skus([found]) == ()


def test_stores_and_weeks_without_a_purchase_change_nothing_and_break_nothing() -> None:
    cells = cells_of(7, lambda price, *_: -2 - 2 * price)
    idle = cells.assign(store_id="S99", n_purchased=0)
    found, same = response_to(pd.concat([cells, idle], ignore_index=True)), response_to(cells)
    assert found.estimate is not None
    assert same.estimate is not None
    assert vars(found.estimate) == pytest.approx(vars(same.estimate))


def test_odds_answer_to_the_price_by_the_slope_and_stand_at_the_base_price() -> None:
    chance = with_response(np.array([0.2, 0.2]), np.array([1.0, 2.0]), np.array([-1.0, -1.0]))
    assert chance.tolist() == pytest.approx([0.2, 1 / 9])
    milk = replace(response_to(cells_of(1, lambda price, *_: -2 - 2 * price)), sku="A")
    assert np.isnan(slopes_of([milk, replace(milk, sku="B", verdict="too thin")], ["B", "A"])).tolist() == [True, False]


class Flat:
    """A model that knows each product's level and no response to prices."""

    features = ("price_ratio", "sku_A", "sku_B")

    def __init__(self, chance: float = 0.2) -> None:
        self.chance = chance

    def p_sale(self, rows: pd.DataFrame) -> Floats:
        assert (rows["price_ratio"] == 1).all(), "asked at the base price alone"
        return np.full(len(rows), self.chance)


def dataset(slope: float, seed: int = 1) -> Dataset:
    draw = np.random.default_rng(seed)

    def cells(visits: int) -> pd.DataFrame:
        ratio = np.tile(np.linspace(0.7, 1.4, 8), 2)
        frame = pd.DataFrame({"sku": np.repeat(["A", "B"], 8), "price_ratio": ratio, "price_offered": 2 * ratio})
        chance = with_response(np.array(0.2), ratio, np.array(slope))
        frame["n_offered"], frame["n_purchased"] = visits, draw.binomial(visits, chance)
        return frame.assign(
            inventory_level=np.nan, sku_A=(frame["sku"] == "A") * 1.0, sku_B=(frame["sku"] == "B") * 1.0
        )

    return Dataset(cells(4_000), cells(2_000), ("sku_A", "sku_B"), dt.date(2026, 1, 5), dt.date(2026, 1, 6), "f" * 64)


def responses(*told: str, slope: float = -1.5) -> tuple[PriceResponse, ...]:
    found = Slope(slope, slope - 0.2, slope + 0.2, 0.1, 0.2)
    return tuple(
        PriceResponse(sku, 9, 3, found, found, found, "told" if sku in told else "too confounded", "") for sku in "AB"
    )


def gate(model: Flat, data: Dataset, own: tuple[PriceResponse, ...], champion: Incumbent | None = None) -> Verdict:
    return pass_gate(GateInput(model, data, ("A", "B"), PASSED, None, champion, 7, responses=own))  # type: ignore[arg-type]


def test_exported_decisions_make_a_champion_where_a_response_is_told_and_the_others_stand_in_nobodys_way() -> None:
    data = dataset(-1.5)
    strange = data.holdout["sku"] == "B"
    data.holdout.loc[strange, "n_purchased"] = data.holdout.loc[strange, "n_offered"]  # which B alone could not pass
    verdict = gate(Flat(), data, responses("A"))
    assert verdict.promoted, verdict.refusals
    told = next(condition for condition in verdict.conditions if condition.name == PRICE_RESPONSE_IS_TOLD)
    assert told.found == "for A; base prices for what is too confounded: B"


def test_where_no_response_is_told_the_challenger_waits_and_nothing_is_wrong_with_it() -> None:
    verdict = gate(Flat(), dataset(-1.5), responses())
    assert (verdict.promoted, verdict.waits) == (False, True)
    assert verdict.refusals == [
        f"{PRICE_RESPONSE_IS_TOLD}: for no product; base prices for what is too confounded: A, B"
    ]


@pytest.mark.parametrize(
    ("model", "slope", "names"),
    [
        (Flat(0.5), -1.5, ["is calibrated", "is reliable", "not worse than each product's base rate"]),
        (Flat(float("nan")), -1.5, ["every chance of sale is a probability"]),
        (Flat(), -6.0, ["is calibrated", "is reliable", "not worse than each product's base rate"]),
    ],
)
def test_a_level_or_a_response_that_the_held_out_days_refute_is_refused(
    model: Flat, slope: float, names: list[str]
) -> None:
    verdict = gate(model, dataset(-1.5), responses("A", "B", slope=slope))
    assert [condition.name for condition in verdict.conditions if not condition.met] == names
    assert not verdict.waits


def test_a_champion_is_not_replaced_by_what_is_worse_on_exported_decisions() -> None:
    data = dataset(-1.5)
    at_base = at_base_price(data.holdout)
    champion = Incumbent(Flat(0.2).p_sale(at_base), dt.date(2026, 1, 1))
    assert gate(Flat(0.2), data, responses("A"), champion).promoted
    worse = gate(Flat(0.23), data, responses("A"), champion)
    assert any("champion" in refusal for refusal in worse.refusals)
