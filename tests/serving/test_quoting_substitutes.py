"""A quote says what a shopper brings who finds the product too dear, where it has substitutes."""

import datetime as dt
from dataclasses import replace

import numpy as np

from catalog.ladder import price_ladder
from catalog.load import DEFAULT_DIR, load
from serving.book.make import tabulate
from serving.optimise.curves import DemandCurves, LogitSwitching
from serving.optimise.policies import policy_with_model
from serving.quote import PriceQuestion, QuotedBook

WORLD = load(DEFAULT_DIR / "worlds" / "substitutes")


def test_a_quote_tells_what_who_finds_it_too_dear_brings_by_taking_a_substitute() -> None:
    ladder = price_ladder(WORLD)
    chance = np.clip(1.4 - ladder / WORLD.base_prices[:, None] / 1.3, 0.01, 1)
    curves = DemandCurves(WORLD.skus, ladder, chance, "1", switching=LogitSwitching(WORLD.substitutes, 0.0, 4.0))
    visits = np.full((4, WORLD.store.opening.ticks), 3.0)
    made_for = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
    book = tabulate(policy_with_model(WORLD, curves, visits), WORLD, made_for, curves)
    milk, bread = PriceQuestion("MILK", 80), PriceQuestion("BREAD", 60)
    price = QuotedBook(WORLD, book, curves).answer(milk).price
    prices, values = book.of().prices[:, -1, -1], book.of().unit_value[:, -1, -1]
    weights = np.exp(-4.0 * (prices[1:3] / WORLD.base_prices[1:3] - 1))
    brought = weights / (1 + weights.sum()) @ (prices - WORLD.unit_costs - values)[1:3]
    sentence = f"Who finds it too dear brings {brought:.2f} EUR on average by taking a substitute."
    assert price > 0
    assert QuotedBook(WORLD, book, curves).answer(milk).reason.endswith(sentence)
    assert "too dear" not in QuotedBook(WORLD, book, curves).answer(bread).reason
    assert "too dear" not in QuotedBook(WORLD, book, replace(curves, switching=None)).answer(milk).reason
