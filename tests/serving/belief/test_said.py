"""A person reads in a sentence what a champion said beforehand of a product and of a day."""

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from believing import believed_after
from price_shop import Shop

from catalog.currency import EUR
from catalog.load import CLASSIC, load
from etl.calendar import DEFAULT_START
from features.context import day_in_words
from serving.belief.belief import USUAL_SHAPE, State, believed_before_anybody_came, shelf_prior
from serving.belief.gaussian import Counts, Knots
from serving.belief.said import Said, said_in_words
from serving.belief.table import belief_from_table, belief_to_table
from serving.book.make import commit_book, new_book, said_beforehand_at
from serving.learning.outlook import start_of_day
from serving.quote import QuoteDesk

CATALOG = load(CLASSIC)
MILK = CATALOG.products[0].model_copy(update={"tier": "premium", "base_price": 1.29})
SATURDAY = dt.date(2026, 1, 10)


def said_of(said: Said, row: dict[str, Any]) -> list[str]:
    """Return the sentences on the first product, whose row of `beliefs` is given."""
    table = said.to_table(CATALOG.skus, "3")
    return [] if table is None else list(said_in_words(table.to_pylist()[0], row, MILK, SATURDAY, EUR))


def row_of(met: float) -> dict[str, Any]:
    """Return the row of `beliefs` of the first product after so many visits at each knot, half of which bought."""
    knots = Knots.of(CATALOG)
    counts = Counts(np.full(knots.shape, met), np.full(knots.shape, met / 2))
    return dict(belief_to_table(CATALOG, believed_after(CATALOG, counts)).to_pylist()[0])


def test_of_a_new_product_it_says_how_many_buy_as_its_kind_does() -> None:
    prior = shelf_prior(Knots.of(CATALOG), CATALOG.store.belief, USUAL_SHAPE)
    demand = replace(prior, mean=prior.mean + 0.5)
    believed = replace(believed_before_anybody_came(CATALOG), states=(State(1.0, demand),))
    row = belief_to_table(CATALOG, believed).to_pylist()[0]
    (sentence,) = said_of(Said(np.full(5, 0.5)), row)
    assert sentence.startswith("Milk, new: as its kind sells (dairy, premium), 62% buy at 1.29 EUR (+-")


@pytest.mark.parametrize(
    ("said", "sentences"),
    [
        (Said(), []),
        (Said(np.full(5, 0.001)), []),
        (Said(np.full(5, -0.4)), ["As its kind sells (dairy, premium), Milk was expected to sell 16% less than"]),
        (Said(None, np.full(5, 0.3), "28 degrees"), ["Saturday, 28 degrees: 17% more buy Milk than on a usual day."]),
        (Said(None, np.full(5, 0.3)), ["Saturday: 17% more buy Milk than on a usual day."]),
    ],
)
def test_it_says_what_kind_and_day_add_unless_that_is_little(said: Said, sentences: list[str]) -> None:
    found = said_of(said, row_of(met=400.0))
    assert len(found) == len(sentences)
    for sentence, begins in zip(found, sentences, strict=True):
        assert sentence.startswith(begins)


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ({"is_holiday": 0.0, "temperature": np.nan, "days_since_pay_day": np.nan}, ""),
        ({"is_holiday": 1.0, "temperature": 27.6}, "public holiday, 28 degrees"),
        ({"days_since_pay_day": 0.0, "is_day_before_holiday": 1.0}, "the day before a public holiday, pay day"),
        (
            {"days_since_pay_day": 2.0, "event_street party": 1.0, "event_match": 0.0},
            "street party, 2 days after pay day",
        ),
        ({"days_since_pay_day": 20.0}, ""),
    ],
)
def test_a_day_is_described_by_what_is_special_about_it(day: dict[str, float], words: str) -> None:
    assert day_in_words(pd.Series(day)) == words


def test_a_quote_tells_what_was_said_before_the_book_in_force_and_nothing_of_an_earlier_one(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    date = DEFAULT_START
    belief = belief_to_table(shop.catalog, believed_before_anybody_came(shop.catalog))
    outlook = start_of_day(shop.catalog, belief_from_table(belief, shop.catalog)).outlook()
    known = replace(outlook.curves, model_version="3"), outlook.start.footfall.by_tick, date, belief
    commit_book(shop.lake, new_book(shop.catalog, *known, Said(None, np.full(5, 0.3), "28 degrees")))
    assert QuoteDesk(shop.lake, shop.catalog).said("MILK") == [
        f"{date:%A}, 28 degrees: 17% more buy Milk than on a usual day."
    ]
    rows = shop.lake.read(said_beforehand_at(date))
    assert rows["model_version"].to_pylist() == ["3"] * 5
    later = replace(belief_from_table(belief, shop.catalog).footfall, store_days=2.0)
    other = belief_to_table(shop.catalog, replace(belief_from_table(belief, shop.catalog), footfall=later))
    commit_book(shop.lake, new_book(shop.catalog, *known[:3], other))
    assert QuoteDesk(shop.lake, shop.catalog).said("MILK") == []
