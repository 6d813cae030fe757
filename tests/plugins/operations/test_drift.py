"""Residuals watched by ADWIN: what raises an alarm, what does not, and since when."""

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.operations.checks.drift import DayCheck, check_days

FIRST = dt.date(2026, 1, 12)


def day(number: int) -> dt.date:
    return FIRST + dt.timedelta(days=number)


def cells(chances: Sequence[float], seed: int, *, sku: str = "MILK", visits: int | Sequence[int] = 300) -> pd.DataFrame:
    """Return one day of cells for each chance of sale: the model says 0.6, 0.5 and 0.4 at three prices, or `chances`
    above or below that."""
    stream = np.random.default_rng(seed)
    counts = [visits] * len(chances) if isinstance(visits, int) else visits
    rows = []
    for number, (shift, count) in enumerate(zip(chances, counts, strict=True)):
        for said, part in ((0.6, 0.5), (0.5, 0.3), (0.4, 0.2)):
            offered = round(count * part)
            bought = stream.binomial(offered, said + shift)
            rows.append((pd.Timestamp(day(number)), sku, offered, bought, said))
    return pd.DataFrame(rows, columns=["business_date", "sku", "n_offered", "n_purchased", "said"])


def check(frame: pd.DataFrame) -> list[DayCheck]:
    return check_days(frame.drop(columns="said"), frame["said"].to_numpy())


def alarms(frame: pd.DataFrame) -> list[DayCheck]:
    return [found for found in check(frame) if found.shift]


def test_a_fall_is_seen_on_its_first_day_with_its_date_and_both_means() -> None:
    for seed in range(8):
        (found,) = alarms(cells([0.0] * 5 + [-0.3] * 3, seed))
        assert found.shift is not None
        assert (found.business_date, found.shift.since) == (day(5), day(5))
        assert found.shift.direction == "less"
        assert found.shift.before == pytest.approx(0.0, abs=0.05)
        assert found.shift.after == pytest.approx(-0.3, abs=0.09)


def test_a_rise_is_seen_too_and_called_more() -> None:
    found = alarms(cells([0.0] * 5 + [0.3], 1))
    assert [one.shift.direction for one in found if one.shift] == ["more"]


def test_a_small_change_is_seen_later_and_dated_back_to_when_it_began() -> None:
    for seed in range(6):
        first = alarms(cells([0.0] * 10 + [-0.12] * 10, seed))[0]
        assert first.shift is not None
        assert first.business_date >= day(10)
        assert abs((first.shift.since - day(10)).days) <= 1


def test_sixty_quiet_days_raise_no_alarm() -> None:
    assert sum(len(alarms(cells([0.0] * 60, seed))) for seed in range(6)) == 0


def test_a_model_that_is_a_little_off_from_the_start_raises_no_alarm() -> None:
    assert sum(len(alarms(cells([-0.05] * 60, seed))) for seed in range(6)) == 0


def test_footfall_that_doubles_and_shelves_that_were_empty_raise_no_alarm() -> None:
    doubled = [300] * 20 + [600] * 20
    starved = [300] * 20 + [60] * 3 + [300] * 17
    for visits in (doubled, starved):
        assert sum(len(alarms(cells([0.0] * 40, seed, visits=visits))) for seed in range(4)) == 0


def test_after_an_alarm_the_new_level_is_normal_and_a_second_change_is_seen() -> None:
    found = alarms(cells([0.0] * 5 + [-0.3] * 15 + [0.0] * 5, 3))
    assert [(one.business_date, one.shift.since) for one in found if one.shift] == [
        (day(5), day(5)),
        (day(20), day(20)),
    ]


def test_products_are_judged_alone_and_every_day_is_told() -> None:
    frame = pd.concat([cells([0.0] * 8, 1), cells([0.0] * 5 + [-0.3] * 3, 2, sku="BREAD")], ignore_index=True)
    checks = check(frame)
    assert [found.sku for found in checks] == ["BREAD"] * 8 + ["MILK"] * 8
    assert {found.sku for found in checks if found.shift} == {"BREAD"}
    assert [found.decisions for found in checks] == [300] * 16
    milk = frame[frame["sku"] == "MILK"]
    first = milk[milk["business_date"] == pd.Timestamp(FIRST)]
    expected = (first["n_purchased"].sum() - (first["said"] * first["n_offered"]).sum()) / 300
    assert checks[8].mean_residual == pytest.approx(expected)
    variance = (first["said"] * (1 - first["said"]) * first["n_offered"]).sum()
    assert checks[8].standard_error == pytest.approx(np.sqrt(variance) / 300)


def test_what_a_day_finds_does_not_depend_on_the_days_after_it() -> None:
    frame = cells([0.0] * 5 + [-0.25] * 6, 4)
    whole = check(frame)
    for last in range(1, 11):
        assert check(frame[frame["business_date"] <= pd.Timestamp(day(last))]) == whole[: last + 1]


def test_many_visits_make_no_alarm_of_a_tiny_shift() -> None:
    assert alarms(cells([0.0] * 4 + [-0.004] * 4, 1, visits=400_000)) == []


def test_nothing_to_check_is_no_alarm() -> None:
    assert check(cells([], 1)) == []
    nobody = cells([0.0] * 3, 1).assign(n_offered=0, n_purchased=0)
    assert check(nobody) == []
    assert alarms(cells([-0.4], 1)) == []  # one day has nothing to differ from


@settings(deadline=None, max_examples=20)
@given(
    shifts=st.lists(st.sampled_from([-0.35, 0.0, 0.35]), min_size=1, max_size=8),
    visits=st.integers(1, 400),
    seed=st.integers(0, 1_000),
)
def test_every_alarm_names_a_day_after_the_first_that_has_been_seen(
    shifts: list[float], visits: int, seed: int
) -> None:
    found = alarms(cells(shifts, seed, visits=max(visits, 10)))
    for one in found:
        assert one.shift is not None
        assert FIRST < one.shift.since <= one.business_date
    since = [one.shift.since for one in found if one.shift]
    assert since == sorted(set(since))
