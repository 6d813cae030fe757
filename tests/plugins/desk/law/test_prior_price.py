"""The price that an announced reduction has to name, held against a count of every day by hand."""

import datetime as dt
import os
import random

import pytest

from plugins.desk.law.prior_price import PriceSpell, PriorPrice, Reduction, prior_price
from plugins.desk.records import PriceLaw

ZERO = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
HISTORIES = int(os.environ.get("HISTORIES", "100000"))
LAW = PriceLaw()
GROWING = PriceLaw(growing_reductions_keep_the_first=True)


def day(number: float) -> dt.datetime:
    return ZERO + dt.timedelta(days=number)


def shown(*prices: tuple[float, float, float]) -> list[PriceSpell]:
    return [PriceSpell(day(start), day(end), price) for start, end, price in prices]


def by_hand(days: dict[int, float], start: int, length: int) -> float | None:
    """Look at the price of every single day of the period."""
    found = None
    for number in range(start - length, start):
        price = days.get(number)
        if price is not None and (found is None or price < found):
            found = price
    return found


def test_in_a_hundred_thousand_histories_it_is_the_lowest_price_of_the_period_before() -> None:
    seed = os.urandom(8).hex()
    dice = random.Random(seed)
    wrong = []
    for number in range(HISTORIES):
        days: dict[int, float] = {}
        stretches, at = [], 0
        for _ in range(dice.randint(0, 9)):
            at += dice.choice((0, 0, 0, 1, 3))  # days on which nothing is shown
            length, price = dice.randint(1, 14), dice.randint(80, 200) / 100
            stretches.append((at, at + length, price))
            days.update(dict.fromkeys(range(at, at + length), price))
            at += length
        start, length = dice.randint(0, 70), dice.choice((30, 30, 45))
        found = prior_price(shown(*stretches), [], day(start), 0.5, PriceLaw(days=length))
        if found.price != by_hand(days, start, length):
            wrong.append((number, stretches, start, length, found))
    assert not wrong, f"seed {seed}: {len(wrong)} wrong, such as {wrong[0]}"


def test_a_price_between_two_reductions_breaks_the_chain_and_a_night_does_not() -> None:
    reductions = [Reduction(day(30), day(32), 0.8)]
    full = (0, 30, 1.0)
    through_the_night = prior_price(shown(full, (30, 31.5, 0.8)), reductions, day(32.5), 0.7, GROWING)
    assert (through_the_night.price, through_the_night.rule) == (1.0, "progressive")
    broken = prior_price(shown(full, (30, 32, 0.8), (32, 33, 1.0)), reductions, day(33), 0.7, GROWING)
    assert (broken.price, broken.rule) == (0.8, "lowest")


def test_a_reduction_that_does_not_grow_names_the_lowest_price() -> None:
    reductions = [Reduction(day(30), day(32), 0.8)]
    found = prior_price(shown((0, 30, 1.0), (30, 32, 0.8)), reductions, day(32), 0.9, GROWING)
    assert found.price == 0.8
    assert found.share(0.9) is None


def test_a_percentage_is_worked_out_from_the_prior_price_and_not_from_the_last_one() -> None:
    """C-330/23: the last price was raised just before the reduction."""
    found = prior_price(shown((0, 28, 1.69), (28, 30, 2.49)), [], day(30), 1.29, LAW)
    assert found.price == 1.69
    assert found.share(1.29) == pytest.approx(1 - 1.29 / 1.69)
    assert prior_price(shown((0, 28, 1.69), (28, 30, 2.49)), [], day(30), 1.69, LAW).share(1.69) is None


def test_goods_that_are_new_count_the_days_that_the_country_says() -> None:
    history = shown((20, 25, 0.9), (25, 30, 1.2))
    assert prior_price(history, [], day(30), 0.8, LAW).price == 0.9
    found = prior_price(history, [], day(30), 0.8, PriceLaw(new_arrival_days=5))
    assert (found.price, found.rule) == (1.2, "new_arrival")


def test_goods_that_spoil_name_the_last_price_where_the_country_says_so() -> None:
    history, law = shown((0, 28, 1.0), (28, 30, 1.4)), PriceLaw(perishables_name_the_last_price=True)
    assert prior_price(history, [], day(30), 0.7, law, spoils=True) == PriorPrice(1.4, day(28), day(30), "perishable")
    assert prior_price(history, [], day(30), 0.7, law).price == 1.0


def test_what_was_never_shown_cannot_be_reduced() -> None:
    found = prior_price([], [], day(30), 0.7, LAW)
    assert found.price is None
    assert found.share(0.7) is None
