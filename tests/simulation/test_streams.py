"""The streams of many stores at once are those that NumPy makes of each."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.load import CLASSIC, load
from simulation import streams
from simulation.streams import stream_of, streams_of
from simulation.visits import draw_visits

DAY = dt.date(2026, 1, 5)
STORES = st.lists(st.text(max_size=6), max_size=5)


def draws(stream: np.random.Generator) -> list[float]:
    return [*stream.random(3), *stream.standard_normal(3, dtype=np.float32), *stream.integers(0, 9, 3, dtype=np.int32)]


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 2**130), STORES, st.dates(), st.lists(st.integers(0, 2**40), max_size=2))
def test_each_stream_is_the_one_of_its_store_whatever_the_seed(
    seed: int, stores: list[str], date: dt.date, spawned: list[int]
) -> None:
    together = [draws(stream) for stream in streams_of(seed, stores, date, *spawned)]
    assert together == [draws(stream_of(seed, store, date, *spawned)) for store in stores]


def test_a_store_whose_number_is_short_has_its_own_stream_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "_number_of", {"short": 5, "long": 2**63 + 1}.__getitem__)
    together = [draws(stream) for stream in streams_of(7, ["short", "long"], DAY)]
    assert together == [draws(stream_of(7, store, DAY)) for store in ("short", "long")]


def test_a_negative_seed_is_refused_as_numpy_does() -> None:
    with pytest.raises(ValueError, match="non-negative"):
        streams_of(-1, ["S01"], DAY)


def test_ticks_for_which_a_throw_holds_share_its_numbers_and_no_others() -> None:
    shelf = load(CLASSIC)
    hold, dice = shelf.store.exploration.hold_ticks, draw_visits(shelf, ("S01", "S02"), DAY, 7).dice
    assert len(dice) == shelf.store.opening.ticks
    assert [np.array_equal(own, before) for own, before in zip(dice[1:], dice, strict=False)] == [
        tick % hold != 0 for tick in range(1, len(dice))
    ]
    assert sum(np.shares_memory(dice[0], own) for own in dice) == hold
