"""The gain of the plan and the reason for a price: what they say of random states, and that they never disagree."""

import datetime as dt
from dataclasses import astuple, replace
from functools import cache

import numpy as np
import pytest
from believing import believed_after
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.load import CLASSIC, Catalog, load
from catalog.records.guardrails import Guardrails
from plugins.desk.price_changes.consequence import DayForecast, OnShelf
from plugins.desk.price_changes.reasons import UNKNOWN, reason_for
from plugins.evaluation.truth import chance_of_sale
from serving.belief.gaussian import Counts, Knots
from serving.book.make import tabulate
from serving.learning.outlook import start_of_day

DATE = dt.date(2026, 1, 19)
N_WORLDS = 8


@cache
def forecast_of(world: int, objective: str) -> tuple[Catalog, DayForecast]:
    """Return a shelf of random pars whose shoppers are more or fewer, poorer or richer: full each morning or living."""
    chosen, random = load(CLASSIC) if objective != "profit" else load(), np.random.default_rng(world)
    policies = chosen.store.policies.model_copy(update={"objective": objective, "stickers": False})
    store = chosen.store.model_copy(update={"policies": policies, "guardrails": Guardrails()})
    products = [
        own.model_copy(update={"par_stock": int(random.integers(3, 60))}) if objective != "profit" else own
        for own in chosen.products
    ]
    catalog = replace(chosen, store=store, products=tuple(products))
    knots = Knots.of(catalog)
    met = np.full(knots.shape, random.uniform(5, 500))
    belief = believed_after(
        catalog, Counts(met, met * chance_of_sale(catalog, knots.ratios, random.uniform(-0.1, 0.1)))
    )
    scale = random.uniform(0.2, 2)
    footfall = replace(belief.footfall, daily=belief.footfall.daily * scale)
    outlook = start_of_day(catalog, replace(belief, footfall=footfall)).outlook()
    book = tabulate(outlook.policy, catalog, dt.datetime.combine(DATE, dt.time(), dt.UTC), outlook.curves)
    return catalog, DayForecast(catalog, book, outlook, DATE)


states = st.fixed_dictionaries(
    {
        "world": st.integers(0, N_WORLDS - 1),
        "objective": st.sampled_from(["revenue", "margin", "profit"]),
        "product": st.integers(0, 4),
        "stock": st.floats(0.02, 1),
        "now": st.integers(0, 24),
        "tick": st.sampled_from([0, 0, 3]),
    }
)


@settings(max_examples=250, deadline=None)
@given(states)
def test_the_plan_never_earns_less_than_the_price_now_and_its_reason_says_the_same(state: dict[str, float]) -> None:
    catalog, forecast = forecast_of(int(state["world"]), str(state["objective"]))
    product = int(state["product"])
    sku, ladder, money = catalog.skus[product], forecast.ladder(catalog.skus[product]), catalog.store.money
    units = np.maximum(np.round(state["stock"] * catalog.par_stock), 1).astype(np.int64)
    shelf = forecast.on_shelves(units, int(state["tick"]), None)[product]
    now = float(ladder[int(state["now"]) % len(ladder)])
    day = forecast.day_of(sku, shelf)
    assert day is not None
    proposed = day.price_at(shelf.stock, shelf.tick)
    compared = forecast.compared(sku, shelf, proposed, now)
    assert compared is not None
    assert compared.gain >= -0.01
    said = reason_for(forecast, sku, shelf, proposed, now, money)
    assert str(shelf.stock) in said
    assert f"{money.symbol}{proposed:.2f}" in said
    assert (" more" in said) == (compared.gain >= 0.005)
    assert proposed == now or " less" not in said
    if "sells out" in said:
        assert proposed > now
    if proposed == now:
        assert said.startswith("keeps: ")


def test_beyond_the_ladder_nothing_is_known() -> None:
    catalog, forecast = forecast_of(0, "revenue")
    sku = catalog.skus[0]
    ladder = forecast.ladder(sku)
    for price in (517.0, float(ladder[-1]) + 0.01, float(ladder[0]) - 0.01):
        found = forecast.of(sku, price)
        assert (found.p_sale, found.units, found.revenue, found.profit, found.cost) == (None,) * 5
        assert (found.known_from, found.known_to) == (ladder[0], ladder[-1])
        shelf = forecast.full_shelves[0]
        assert forecast.compared(sku, shelf, float(ladder[3]), price) is None
        assert "brings is not known, since demand is known from" in reason_for(
            forecast, sku, shelf, float(ladder[3]), price, catalog.store.money
        )
        assert reason_for(forecast, sku, shelf, price, float(ladder[3]), catalog.store.money) == UNKNOWN
    assert forecast.of(sku, float(ladder[-1])).cost is not None


@settings(max_examples=100, deadline=None)
@given(states, st.integers(0, 12), st.integers(1, 13))
def test_what_is_held_for_some_hours_costs_no_less_than_nothing_and_all_day_is_all_its_hours(
    state: dict[str, float], first: int, hours: int
) -> None:
    catalog, forecast = forecast_of(int(state["world"]), str(state["objective"]))
    product = int(state["product"])
    sku, shelf = catalog.skus[product], forecast.full_shelves[product]
    day, price = forecast.day_of(sku, shelf), float(forecast.ladder(sku)[int(state["now"]) % 20])
    assert day is not None
    found = forecast.of(sku, price, first, min(first + hours, day.n_ticks))
    assert found.cost is not None
    assert found.cost >= -0.01
    all_day = forecast.of(sku, price, 0, day.n_ticks)
    assert all_day.units == pytest.approx(day.holding(price, shelf.stock, 0).units)


@settings(max_examples=100, deadline=None)
@given(states, st.integers(0, 12), st.integers(1, 13))
def test_holding_the_price_that_the_plan_shows_anyway_brings_what_the_plan_does_in_whatever_hours(
    state: dict[str, float], first: int, hours: int
) -> None:
    catalog, forecast = forecast_of(int(state["world"]), str(state["objective"]))
    product = int(state["product"])
    sku, shelf = catalog.skus[product], forecast.full_shelves[product]
    planned, price = forecast.day_of(sku, shelf), float(forecast.ladder(sku)[int(state["now"]) % 20])
    assert planned is not None
    day = replace(planned, prices=np.full_like(planned.prices, price))
    span, whole = (first, min(first + hours, day.n_ticks)), day.by_plan(shelf.stock, 0)
    assert astuple(day.holding(price, shelf.stock, 0, span)) == pytest.approx(astuple(whole))
    parts = [day.within(price, shelf.stock, 0, own) for own in ((0, first), span, (span[1], day.n_ticks))]
    assert sum(own.revenue for own in parts) == pytest.approx(whole.revenue)


def test_a_shelf_whose_units_are_thrown_away_says_so() -> None:
    catalog, forecast = forecast_of(0, "profit")
    told = set[str]()
    for sku, shelf in zip(catalog.skus, forecast.full_shelves, strict=True):
        told |= {
            reason_for(forecast, sku, OnShelf(shelf.stock, 0, shelf.keeps), float(price), dear, catalog.store.money)
            for dear in [float(forecast.ladder(sku)[-1])]
            for price in forecast.ladder(sku)[5:8]
        }
    assert any("a unit left is thrown away" in said or "a unit left is worth" in said for said in told)
